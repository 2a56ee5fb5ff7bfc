"""Trained weights made to suit a die, without training: units put into the columns that its map
recommends, and, once it is programmed, gains and offsets from images shown to it.
"""

import numpy as np
from numpy.typing import NDArray

from crossbar.defect_map import DefectMap
from crossbar.errors import ConfigurationError
from crossbar.geometry import DieAddress
from crossbar.memory_die import MemoryDie
from db.rows import TrainingRunRow
from lab.learning import READ_AMPLITUDE, Teacher, Trained
from training.assignment import assigned
from training.calibration import Calibration
from training.column_calibration import calibrated
from training.column_sums import currents_of_die
from training.datasets import Dataset, evenly_spread
from training.solution import Solution


def unlabelled(dataset: Dataset, images: int) -> NDArray[np.float32]:
    """(n, rows) so many training images at even distances, without their labels."""
    return dataset.train_images[evenly_spread(len(dataset.train_images), images)]


def assign(
    teacher: Teacher, row: TrainingRunRow, die: DieAddress, found: DefectMap, images: int
) -> Trained:
    """A training run's weights in the columns of a mapped die that suit them.

    Raises ConfigurationError for weights that were made for one die.
    """
    if row.die is not None:
        raise ConfigurationError(
            f"Training run {row.id} ({row.weights}) is for one die already, {row.die}. Assign "
            "ideal or statistics-aware weights, which are for all dies: --training N, or none for "
            "the newest ideal ones."
        )
    shown = unlabelled(teacher.dataset, images)
    solution = assigned(Solution.from_arrays(row.solution), found, shown)
    accuracy = teacher.emulated_accuracy(solution, found)
    return teacher.stored(
        solution, accuracy, die, strategy=f"{row.strategy}, assigned", origin=_origin(row, images)
    )


def calibrate(
    teacher: Teacher, row: TrainingRunRow, images: int, run: int, die: MemoryDie
) -> Trained:
    """A training run's weights as ``run`` wrote them onto the die under the needles, with the gains
    and offsets that suit its columns. Nothing is written.
    """
    found = teacher.store.defect_map(teacher.wafer, die.address)
    shown = unlabelled(teacher.dataset, images)
    solution = calibrated_on(die, Solution.from_arrays(row.solution), found, shown)
    accuracy = teacher.emulated_accuracy(solution, found)
    return teacher.stored(
        solution, accuracy, die.address,
        strategy=row.strategy, calibrated_in_run=run, origin=_origin(row, images),
    )  # fmt: skip


def calibrated_on(
    die: MemoryDie, solution: Solution, found: DefectMap, shown: NDArray[np.float32]
) -> Solution:
    """The solution with gains and offsets by the programmed die's own dot products."""
    known = Calibration.of(found, READ_AMPLITUDE)
    return calibrated(currents_of_die(die, solution), solution, shown, known)


def _origin(row: TrainingRunRow, images: int) -> dict[str, object]:
    return {"training_run": row.id, "unlabelled_images": images}
