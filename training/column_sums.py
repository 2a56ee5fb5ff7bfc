"""What the columns of a die add up, through its own dot product or in emulation.

The analog array gives column currents; everything here is the digital periphery. A dot product over
all rows is read in parts of a few rows each. A part larger than healthy cells can make must come
from a defect, most often a short, and is left out (ours; see docs/experiments.md).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from crossbar.errors import ConfigurationError
from crossbar.memory_die import MemoryDie
from training.calibration import Calibration
from training.encoding import signed
from training.solution import Solution

BATCH = 256
"""Images sent together; bounds memory, changes nothing."""

Sums = NDArray[np.float64]

PartCurrents = Callable[[int, Sums], Sums]
"""(sub-array, (batch, groups, rows at once) volts) to (batch, groups, columns) amperes."""


def currents_of_die(die: MemoryDie, solution: Solution) -> PartCurrents:
    """Currents as the die's hardware measures them.

    Raises ConfigurationError if the solution is for another kind of die or the die's hardware has
    no dot product.
    """
    if die.multiplier is None:
        raise ConfigurationError(
            f"Die {die.address} is reached by hardware without a dot product, so a network cannot "
            "be graded on it. Use a board that multiplies, or grade in software."
        )
    _check_shape(die.geometry.shape, solution)

    def currents(subarray: int, volts: Sums) -> Sums:
        batch, groups, together = volts.shape
        # Rows of the other parts stay at zero volts, where they carry no current.
        rows = np.zeros((batch, groups, groups, together))
        part = np.arange(groups)
        rows[:, part, part] = volts
        out = die.dot_product(subarray, rows.reshape(batch * groups, groups * together))
        return out.reshape(batch, groups, -1)

    return currents


def currents_of_cells(conductances: Sums, solution: Solution) -> PartCurrents:
    """Currents of a die that exists as numbers: (subarrays, rows, columns) siemens, without noise.

    Raises ConfigurationError if the solution is for another kind of die.
    """
    _check_shape(conductances.shape, solution)
    groups = solution.placement.groups
    parts = conductances.reshape(len(conductances), groups, -1, conductances.shape[2])

    def currents(subarray: int, volts: Sums) -> Sums:
        return np.matmul(volts.transpose(1, 0, 2), parts[subarray]).transpose(1, 0, 2)

    return currents


def hidden_sums(
    currents: PartCurrents, solution: Solution, images: NDArray[np.float32], known: Calibration
) -> Sums:
    """(batch, hidden) sums of weights of (batch, rows) images, before gain, offset and tanh."""
    place = solution.placement
    drive = images.astype(np.float64)
    subarrays = [
        _sums(currents, subarray, drive, solution, known)
        for subarray in range(place.hidden_subarrays)
    ]
    return np.concatenate(subarrays, axis=1)[:, place.column_of_hidden]


def driven_by(solution: Solution, sums: Sums) -> Sums:
    """(batch, hidden) activations, from -1 to 1, that sums of layer 1 drive layer 2 with."""
    hidden: Sums = np.tanh(solution.hidden_gain * sums + solution.hidden_offset)
    return hidden * solution.drive


def output_sums(
    currents: PartCurrents, solution: Solution, driven: Sums, known: Calibration
) -> Sums:
    """(batch, copies, outputs) sums of layer 2 for (batch, hidden) activations."""
    place = solution.placement
    found = np.empty((len(driven), place.copies, place.outputs))
    for copies in place.wirings:
        rows = driven[:, place.hidden_of_row[copies[0]]]
        sums = _sums(currents, place.geometry.subarrays - 1, rows, solution, known)
        sums = sums[:, place.column_of_output].reshape(-1, place.copies, place.outputs)
        found[:, copies] = sums[:, copies]
    return found


def _sums(
    currents: PartCurrents, subarray: int, drive: Sums, solution: Solution, known: Calibration
) -> Sums:
    """(batch, rows) activations times a sub-array's weights: (batch, signed columns)."""
    batches = range(0, len(drive), BATCH)
    return np.concatenate(
        [_batch(currents, subarray, drive[at : at + BATCH], solution, known) for at in batches]
    )


def _batch(
    currents: PartCurrents, subarray: int, drive: Sums, solution: Solution, known: Calibration
) -> Sums:
    place = solution.placement
    split = drive.reshape(len(drive), place.groups, place.rows_at_once)
    amperes = currents(subarray, split * known.read_amplitude)
    relative = amperes / (known.median_low * known.read_amplitude)
    parts = signed(relative, split.sum(2, keepdims=True), known.window, place.encoding)
    bound = solution.bound * np.abs(split).sum(2, keepdims=True)
    return np.where(np.abs(parts) <= bound, parts, 0.0).sum(1)


def _check_shape(shape: tuple[int, ...], solution: Solution) -> None:
    if shape != solution.placement.geometry.shape:
        raise ConfigurationError(
            f"A solution for dies of {solution.placement.geometry.shape} was given for a die of "
            f"{shape}. Train one for this geometry."
        )
