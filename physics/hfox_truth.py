"""What the HfOx cells of a simulated die really are; nothing in it ever changes."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from crossbar.defect_map import CellClass
from crossbar.geometry import CellIndices, DieAddress, DieGeometry
from crossbar.pulses import State
from crossbar.units import Amperes, Ratio, Volts
from physics.defects import DefectPopulation
from physics.die_truth import die_seed
from physics.draws import content, keys
from physics.hfox import (
    HfOxCells,
    HfOxPopulation,
    conduction,
    log_high_quantile,
    uniform_matrix,
)
from physics.weak_reset import PARAMETER_DRAWS, WeakResetCells, WeakResetPopulation


@dataclass(frozen=True, kw_only=True)
class HfOxTruth:
    """The cells of one die; every array has shape (cells,)."""

    classes: NDArray[np.int8]
    """`CellClass` values."""
    population: HfOxPopulation
    cells: HfOxCells
    """Without meaning where ``fixed`` is a number."""
    weak_population: WeakResetPopulation
    weak: WeakResetCells
    """What weak RESET does to the cells."""
    fixed: NDArray[np.float64]
    """Siemens of shorts, opens and stuck cells, which never change; NaN elsewhere."""

    def low_scale(self, limit: Amperes) -> Ratio:
        """R_low at this current limit, relative to the resistances of the weak RESET model."""
        weak = self.weak_population
        return self.population.low_resistance(limit) / (weak.r0.mean * np.exp(weak.c1.mean))

    def conductance_in(
        self, cells: CellIndices, state: State, voltage: Volts, limit: Amperes
    ) -> NDArray[np.float64]:
        """(n,) Siemens in the middle of what formed, healthy cells have over their cycles."""
        here = self.cells[cells]
        if state is State.LOW:
            return 1 / (self.population.low_resistance(limit) * here.low)
        return conduction(voltage) / np.exp(log_high_quantile(here.high_score))


def draw_hfox_truth(
    *,
    geometry: DieGeometry,
    seed: int,
    address: DieAddress,
    population: HfOxPopulation,
    defects: DefectPopulation,
) -> HfOxTruth:
    """Draw a die; depends on the seed and its address only, not on what was drawn before.

    Cells that are stuck were so before FORMING: LOW like after a SET, HIGH like after a RESET.
    """
    start = die_seed(seed, address)
    cells = population.sample(geometry.cells, keys(start, content("hfox cells")))
    weak = WeakResetPopulation()
    each = np.broadcast_to(keys(start, content("weak RESET cells")), geometry.cells)
    draws = uniform_matrix(each, np.arange(geometry.cells), PARAMETER_DRAWS)
    sampled = defects.sample(geometry, torch.Generator().manual_seed(int(start)))
    classes = sampled.classes.numpy().reshape(-1)
    low, high = (x.numpy().reshape(-1).astype(np.float64) for x in (sampled.low, sampled.high))
    fixed = np.full(geometry.cells, np.nan)
    for kind in (CellClass.SHORT, CellClass.OPEN, CellClass.STUCK_LOW):
        fixed[classes == kind] = low[classes == kind] * population.median_low
    stuck_high = classes == CellClass.STUCK_HIGH
    fixed[stuck_high] = np.exp(-log_high_quantile(cells.high_score[stuck_high]))
    kept = (1 - high / low) / (1 - defects.window)
    reach = np.where(classes == CellClass.WEAK, kept, 1.0)
    return HfOxTruth(
        classes=classes,
        population=population,
        cells=replace(cells, reach=reach),
        weak_population=weak,
        weak=weak.cells(torch.from_numpy(draws)),
        fixed=fixed,
    )
