"""Grading a programmed die through its own dot product, or in emulation with the same arithmetic.

The analog array gives column currents; everything here is the digital periphery. A dot product over
all rows is read in parts of a few rows each. A part larger than healthy cells can make must come
from a defect, most often a short, and is left out (ours; see docs/experiments.md).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossbar.errors import ConfigurationError
from crossbar.memory_die import MemoryDie
from crossbar.units import Ratio
from training.calibration import Calibration
from training.encoding import signed
from training.solution import Solution

BATCH = 256
"""Images sent together; bounds memory, changes nothing."""

PartCurrents = Callable[[int, NDArray[np.float64]], NDArray[np.float64]]
"""(sub-array, (batch, groups, rows at once) volts) to (batch, groups, columns) amperes."""


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """How a network did on images that it had not seen."""

    predictions: NDArray[np.int64]
    """(n,) The digit with the highest score."""
    correct: int
    total: int

    @property
    def accuracy(self) -> Ratio:
        """Fraction of the images that were recognised."""
        return self.correct / self.total


def grade(
    die: MemoryDie,
    solution: Solution,
    images: NDArray[np.float32],
    labels: NDArray[np.int64],
    calibration: Calibration,
) -> Evaluation:
    """Grade a programmed die: (n, rows) images from 0 to 1, (n,) labels.

    Raises ConfigurationError if the solution is for another kind of die or the die's hardware has
    no dot product, and LimitError if the calibration's read amplitude is above the read limit.
    """
    if die.multiplier is None:
        raise ConfigurationError(
            f"Die {die.address} is reached by hardware without a dot product, so a network cannot "
            "be graded on it. Use a board that multiplies, or grade in software."
        )
    _check_shape(die.geometry.shape, solution)

    def currents(subarray: int, volts: NDArray[np.float64]) -> NDArray[np.float64]:
        batch, groups, together = volts.shape
        # Rows of the other parts stay at zero volts, where they carry no current.
        rows = np.zeros((batch, groups, groups, together))
        part = np.arange(groups)
        rows[:, part, part] = volts
        out = die.dot_product(subarray, rows.reshape(batch * groups, groups * together))
        return out.reshape(batch, groups, -1)

    return _evaluate(currents, solution, images, labels, calibration)


def grade_in_software(
    conductances: NDArray[np.float64],
    solution: Solution,
    images: NDArray[np.float32],
    labels: NDArray[np.int64],
    calibration: Calibration,
) -> Evaluation:
    """Grade a die that exists as numbers: (subarrays, rows, columns) siemens, without noise.

    `conductances_of` gives them for a solution. Raises ConfigurationError for another shape.
    """
    _check_shape(conductances.shape, solution)
    groups = solution.placement.groups
    parts = conductances.reshape(len(conductances), groups, -1, conductances.shape[2])

    def currents(subarray: int, volts: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.matmul(volts.transpose(1, 0, 2), parts[subarray]).transpose(1, 0, 2)

    return _evaluate(currents, solution, images, labels, calibration)


def conductances_of(
    solution: Solution, low: NDArray[np.float64], high: NDArray[np.float64]
) -> NDArray[np.float64]:
    """What a die's cells conduct once the solution is written, given both readings of each cell.

    All arrays (subarrays, rows, columns), of one unit.
    """
    return np.where(solution.target_low, low, high)


def _evaluate(
    currents: PartCurrents,
    solution: Solution,
    images: NDArray[np.float32],
    labels: NDArray[np.int64],
    calibration: Calibration,
) -> Evaluation:
    if len(images) == 0 or len(images) != len(labels):
        raise ConfigurationError(
            f"{len(images)} images and {len(labels)} labels cannot be graded; give one label to "
            "each of one or more images."
        )
    predictions = np.concatenate(
        [
            np.argmax(
                scores(currents, solution, images[start : start + BATCH], calibration), axis=1
            )
            for start in range(0, len(images), BATCH)
        ]
    )
    correct = int(np.sum(predictions == labels))
    return Evaluation(predictions=predictions, correct=correct, total=len(labels))


def scores(
    currents: PartCurrents,
    solution: Solution,
    images: NDArray[np.float32],
    calibration: Calibration,
) -> NDArray[np.float64]:
    """(batch, outputs) scores of (batch, rows) images, through whatever makes the currents."""
    place = solution.placement
    sums = np.concatenate(
        [
            _sums(currents, subarray, images.astype(np.float64), solution, calibration)
            for subarray in range(place.hidden_subarrays)
        ],
        axis=1,
    )[:, : place.hidden]
    hidden = np.tanh(solution.hidden_gain * sums + solution.hidden_offset)
    driven = hidden * solution.drive
    last = place.geometry.subarrays - 1
    total = np.tile(solution.output_offset.astype(np.float64), (len(images), 1))
    for copies in place.wirings:
        rows = driven[:, place.hidden_of_row[copies[0]]]
        sums = _sums(currents, last, rows, solution, calibration)
        sums = sums[:, : place.copies * place.outputs].reshape(-1, place.copies, place.outputs)
        for copy in copies:
            total += sums[:, copy] * solution.output_gain[copy]
    return total


def _sums(
    currents: PartCurrents,
    subarray: int,
    drive: NDArray[np.float64],
    solution: Solution,
    calibration: Calibration,
) -> NDArray[np.float64]:
    """(batch, rows) activations times a sub-array's weights: (batch, signed columns)."""
    place = solution.placement
    split = drive.reshape(len(drive), place.groups, place.rows_at_once)
    amperes = currents(subarray, split * calibration.read_amplitude)
    relative = amperes / (calibration.median_low * calibration.read_amplitude)
    parts = signed(relative, split.sum(2, keepdims=True), calibration.window, place.encoding)
    bound = solution.bound * np.abs(split).sum(2, keepdims=True)
    return np.where(np.abs(parts) <= bound, parts, 0.0).sum(1)


def _check_shape(shape: tuple[int, ...], solution: Solution) -> None:
    if shape != solution.placement.geometry.shape:
        raise ConfigurationError(
            f"A solution for dies of {solution.placement.geometry.shape} was given for a die of "
            f"{shape}. Train one for this geometry."
        )
