"""Grading a die through its own dot product, or in emulation with the same arithmetic."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossbar.errors import ConfigurationError
from crossbar.memory_die import MemoryDie
from crossbar.units import Ratio
from training.calibration import Calibration
from training.column_sums import (
    PartCurrents,
    Sums,
    currents_of_cells,
    currents_of_die,
    driven_by,
    hidden_sums,
    output_sums,
)
from training.solution import Solution


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
    return _evaluate(currents_of_die(die, solution), solution, images, labels, calibration)


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
    currents = currents_of_cells(conductances, solution)
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
    predictions = np.argmax(scores(currents, solution, images, calibration), axis=1)
    correct = int(np.sum(predictions == labels))
    return Evaluation(predictions=predictions, correct=correct, total=len(labels))


def scores(
    currents: PartCurrents,
    solution: Solution,
    images: NDArray[np.float32],
    calibration: Calibration,
) -> NDArray[np.float64]:
    """(batch, outputs) scores of (batch, rows) images, through whatever makes the currents."""
    driven = driven_by(solution, hidden_sums(currents, solution, images, calibration))
    sums = output_sums(currents, solution, driven, calibration)
    total: Sums = (sums * solution.output_gain).sum(1) + solution.output_offset
    return total
