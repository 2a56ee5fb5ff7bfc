"""What operations on the cells of any simulated die have in common: names, checks, odds."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from crossbar.attempts import AttemptPlan
from crossbar.errors import ConfigurationError
from crossbar.geometry import CellIndices, DieGeometry
from crossbar.pulses import Pulse
from crossbar.units import Ratio
from physics.draws import Keys, keys, normals

FloatArray = NDArray[np.float64]


def name_of(pulse: Pulse) -> tuple[int, str]:
    """What a pulse is known by. Amplitudes within a millivolt of each other, and widths equal to
    three digits, count as the same operation: they share a counter, never a draw.
    """
    return round(pulse.amplitude * 1e3), f"{pulse.width:.3g}"


def distinct(cells: CellIndices) -> Iterator[NDArray[np.intp]]:
    """Positions that together cover ``cells`` in order, no cell twice in any one of them."""
    if len(cells) < 2 or bool(np.all(cells[1:] > cells[:-1])):
        yield np.arange(len(cells))
        return
    order = np.argsort(cells, kind="stable")
    positions = np.arange(len(cells))
    new = np.r_[True, np.diff(cells[order]) != 0]
    rank = np.empty(len(cells), dtype=np.intp)
    rank[order] = positions - np.maximum.accumulate(np.where(new, positions, 0))
    for repeat in range(int(rank.max()) + 1):
        yield np.flatnonzero(rank == repeat)


def readings_apart(
    cells: CellIndices, voltage: float | FloatArray
) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """(millivolts, positions) that together cover readings of (n,) cells at a scalar voltage or
    (n,) of them, no cell twice in any one: readings within a millivolt of each other count as the
    same operation.
    """
    millivolts = np.broadcast_to(np.rint(np.asarray(voltage) * 1e3), len(cells))
    for level in np.unique(millivolts):
        chosen = np.flatnonzero(millivolts == level)
        for part in distinct(cells[chosen]):
            yield int(level), chosen[part]


def check_plan(cells: CellIndices, plan: AttemptPlan) -> None:
    """Raise ConfigurationError for a plan that contradicts itself or does not fit the cells."""
    for name, pulse, state in (
        ("restore", plan.restore, plan.initial),
        ("write", plan.write, plan.target),
    ):
        if pulse.amplitude * state.write_sign < 0:
            raise ConfigurationError(
                f"The {name} pulse of {pulse.amplitude:g} V cannot write {state.name}, which "
                f"needs the other polarity (State.write_sign). Turn its sign."
            )
    if plan.threshold.shape != cells.shape or not np.isfinite(plan.threshold).all():
        raise ConfigurationError(
            f"Thresholds of shape {plan.threshold.shape} for {len(cells)} cells refused: one "
            "finite number of Siemens is needed for each cell. Leave out cells without one."
        )
    if plan.read_amplitude == 0 or plan.attempts < 0 or len(np.unique(cells)) < len(cells):
        raise ConfigurationError(
            f"{plan.attempts} attempts with reads at {plan.read_amplitude:g} V refused: the "
            "number must not be negative, the voltage not zero, and no cell named twice."
        )


def cells_of(geometry: DieGeometry, subarray: int, row_voltages: FloatArray) -> CellIndices:
    """The cells that a dot product uses, row by row.

    Raises ConfigurationError if the sub-array does not exist or the voltages have another shape.
    """
    rows, columns = geometry.rows, geometry.columns
    if not 0 <= subarray < geometry.subarrays or row_voltages.shape[1:] != (rows,):
        raise ConfigurationError(
            f"Dot product of voltages {row_voltages.shape} with sub-array {subarray} refused: "
            f"this die has sub-arrays 0 to {geometry.subarrays - 1} and takes voltages of "
            f"shape (batch, {rows}). Check the network's mapping."
        )
    first = subarray * rows * columns
    return np.arange(first, first + rows * columns)


def multiplied(
    coefficients: list[FloatArray], row_voltages: FloatArray, columns: int
) -> FloatArray:
    """(batch, columns) amperes, every product with the conductance at its own voltage.

    ``coefficients``, (cells,) each, are those of the conductance in even powers of the voltage.
    """
    rows = row_voltages.shape[1]
    current = np.zeros((len(row_voltages), columns))
    power = row_voltages
    for coefficient in coefficients:
        current += power @ coefficient.reshape(rows, columns)
        power = power * row_voltages**2
    return current


def with_noise(values: FloatArray, noise: Ratio, at: Keys) -> FloatArray:
    """Readings of any shape with white noise, relative; all from one key ``at``."""
    draws = normals(keys(at, np.arange(values.size)))
    return values * (1 + noise * draws.reshape(values.shape))


def reads_as(low: bool, conductance: FloatArray, threshold: FloatArray, noise: Ratio) -> FloatArray:
    """(n,) Probability that a cell of this conductance reads as LOW, or as HIGH."""
    distance = conductance - threshold if low else threshold - conductance
    spread = noise * conductance
    sharp = (distance >= 0) if low else (distance > 0)
    scaled = np.divide(distance, spread, out=np.zeros_like(distance), where=spread > 0)
    return np.where(spread > 0, ndtr(scaled), sharp)
