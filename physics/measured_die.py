"""Simulated dies of measured ones: every cell conducts and fails as it was found to.

What was not measured of a cell is drawn from a population: usually that which was fitted to the
cells that were. A reading has its noise, so a twin's cells spread a little more than the real ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

import numpy as np
from numpy.typing import NDArray

from crossbar.defect_map import CellClass, DefectMap
from crossbar.geometry import CellIndices, DieAddress
from crossbar.units import Volts
from physics.die_truth import READ_VOLTAGE, DieTruth, die_seed
from physics.draws import content, keys
from physics.mtj import MtjCells, MtjPopulation, tmr_without_bias

FloatArray = NDArray[np.float64]
GONE = (CellClass.SHORT, CellClass.OPEN)
CELL_FIELDS = tuple(each.name for each in fields(MtjCells))
STUCK = (CellClass.STUCK_LOW, CellClass.STUCK_HIGH)


@dataclass(frozen=True, kw_only=True)
class MeasuredDie:
    """What a die of MTJs was found to be."""

    found: DefectMap
    read_amplitude: Volts = READ_VOLTAGE
    """At which the map was read."""
    fitted: CellIndices = field(default_factory=lambda: np.zeros(0, np.intp))
    """(n,) cells whose switching was fitted."""
    parameters: Mapping[str, FloatArray] = field(default_factory=dict)
    """Names of `MtjCells` fields -> (n,); NaN where that parameter was not fitted."""


def measured_truth(
    die: MeasuredDie, *, seed: int, address: DieAddress, population: MtjPopulation
) -> DieTruth:
    """The truth of the die's twin; the same for the same seed and address.

    Healthy and weak cells get both of their conductances, shorts and opens the mean of them, stuck
    cells that mean as the state that they are stuck in.
    """
    classes = die.found.classes.reshape(-1).astype(np.int8)
    start = int(keys(die_seed(seed, address), content("measured twin"))[0])
    drawn = population.sample(len(classes), np.random.default_rng(start))
    low, high = die.found.low.reshape(-1), die.found.high.reshape(-1)
    mean = np.maximum((low + high) / 2, 0.0)
    cells = _conducting(drawn, classes, (low, high), mean, die.read_amplitude)
    return DieTruth(
        classes=classes,
        cells=_switching(cells, die.fitted, die.parameters),
        fixed=np.where(np.isin(classes, GONE), mean, np.nan),
        median_low=die.found.median_low,
        read_noise=population.read_noise,
        laws=population.laws,
        anomalies=population.anomalies,
    )


def _conducting(
    drawn: MtjCells,
    classes: NDArray[np.int8],
    readings: tuple[FloatArray, FloatArray],
    mean: FloatArray,
    voltage: Volts,
) -> MtjCells:
    """The drawn cells with the measured conductances, wherever these mean something."""
    r_p, tmr = drawn.r_p.copy(), drawn.tmr.copy()
    low, high = readings
    switching = ~np.isin(classes, (*GONE, *STUCK))
    r_p[switching] = 1 / low[switching]
    at_voltage = low[switching] / high[switching] - 1
    tmr[switching] = tmr_without_bias(at_voltage, voltage, drawn.v_half[switching])
    stuck_low = classes == CellClass.STUCK_LOW
    r_p[stuck_low] = 1 / mean[stuck_low]
    stuck_high = classes == CellClass.STUCK_HIGH
    ratio = 1 + tmr / (1 + (voltage / drawn.v_half) ** 2)
    r_p[stuck_high] = 1 / (mean * ratio)[stuck_high]
    return replace(drawn, r_p=r_p, tmr=tmr)


def _switching(
    cells: MtjCells, fitted: CellIndices, parameters: Mapping[str, FloatArray]
) -> MtjCells:
    """The cells with the fitted parameters, wherever there are any."""
    changed = {}
    for name, values in parameters.items():
        known = ~np.isnan(values)
        changed[name] = getattr(cells, name).copy()
        changed[name][fitted[known]] = values[known]
    return replace(cells, **changed)


def arrays_of(truth: DieTruth) -> dict[str, NDArray]:
    """A truth as named arrays, for a database. Its laws and anomalies are the default ones."""
    cells = {f"cells.{name}": getattr(truth.cells, name) for name in CELL_FIELDS}
    return cells | {
        "classes": truth.classes,
        "fixed": truth.fixed,
        "median_low": np.array(truth.median_low),
        "read_noise": np.array(truth.read_noise),
    }


def truth_from(arrays: Mapping[str, NDArray]) -> DieTruth:
    """What `arrays_of` was given."""
    cells = {name: arrays[f"cells.{name}"] for name in CELL_FIELDS}
    return DieTruth(
        classes=arrays["classes"],
        cells=MtjCells(**cells),
        fixed=arrays["fixed"],
        median_low=float(arrays["median_low"]),
        read_noise=float(arrays["read_noise"]),
    )
