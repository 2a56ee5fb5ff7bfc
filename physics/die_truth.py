"""What the cells of a simulated die really are; nothing in it ever changes."""

from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray

from crossbar.defect_map import CellClass
from crossbar.geometry import DieAddress, DieGeometry
from crossbar.units import Ratio, Siemens, Volts
from physics.defects import DefectPopulation
from physics.draws import content
from physics.mtj import MtjCells, MtjPopulation, tmr_without_bias
from physics.mtj_anomalies import MtjAnomalies
from physics.mtj_laws import MtjLaws

READ_VOLTAGE: Volts = 0.1
"""Where conductances of weak cells and of measured maps hold."""


@dataclass(frozen=True, kw_only=True)
class DieTruth:
    """The cells of one die; every array has shape (cells,)."""

    classes: NDArray[np.int8]
    """`CellClass` values."""
    cells: MtjCells
    """Junction parameters; without meaning where ``fixed`` is a number."""
    fixed: NDArray[np.float64]
    """Siemens of shorts and opens, which never change; NaN elsewhere."""
    median_low: Siemens
    """Median LOW conductance of the population, the unit of relative conductances."""
    read_noise: Ratio
    """Standard deviation of one reading, relative."""
    laws: MtjLaws = field(default_factory=MtjLaws)
    anomalies: MtjAnomalies = field(default_factory=MtjAnomalies)

    @property
    def switches(self) -> NDArray[np.bool_]:
        """True for cells that a pulse can switch: healthy and weak ones."""
        return (self.classes == CellClass.HEALTHY) | (self.classes == CellClass.WEAK)


def die_seed(seed: int, address: DieAddress) -> np.uint64:
    """The number from which everything random about a die is drawn."""
    return content("die", seed, address.x, address.y)


def draw_truth(
    *,
    geometry: DieGeometry,
    seed: int,
    address: DieAddress,
    population: MtjPopulation,
    defects: DefectPopulation,
) -> DieTruth:
    """Draw a die; depends on the seed and its address only, not on what was drawn before."""
    start = int(die_seed(seed, address))
    cells = population.sample(geometry.cells, np.random.default_rng(start))
    sampled = defects.sample(geometry, torch.Generator().manual_seed(start))
    classes = sampled.classes.numpy().reshape(-1)
    low, high = (x.numpy().reshape(-1).astype(np.float64) for x in (sampled.low, sampled.high))
    fixed = np.full(geometry.cells, np.nan)
    gone = (classes == CellClass.SHORT) | (classes == CellClass.OPEN)
    fixed[gone] = low[gone] * population.median_low
    weak = classes == CellClass.WEAK
    tmr = cells.tmr.copy()
    tmr[weak] = tmr_without_bias(low[weak] / high[weak] - 1, READ_VOLTAGE, cells.v_half[weak])
    return DieTruth(
        classes=classes,
        cells=replace(cells, tmr=tmr),
        fixed=fixed,
        median_low=population.median_low,
        read_noise=population.read_noise,
        laws=population.laws,
        anomalies=population.anomalies,
    )
