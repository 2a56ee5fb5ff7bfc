"""Trained weights onto dies, and the dies' grades: the last steps of the closed loop."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass

from crossbar.errors import DataError
from crossbar.geometry import DieAddress
from crossbar.memory_die import MemoryDie
from crossbar.records import Key, ProgrammedBlock
from db.rows import RunRow, TrainingRunRow
from db.store import Store
from lab.bench import Bench
from lab.learning import READ_AMPLITUDE
from lab.parameters import as_json, build
from lab.runs import begin, wafer_of
from protocols.program_and_verify import ProgramAndVerifyParameters, program_and_verify
from training.calibration import Calibration
from training.datasets import Dataset, evenly_spread
from training.hardware import Evaluation, grade
from training.solution import Solution

PROGRAM_AND_VERIFY = "program-and-verify"


@dataclass(frozen=True, kw_only=True)
class Programmed:
    """How the programming of one die went."""

    cells: int
    verified: int
    """Cells that read as asked at the end; defective ones may not."""
    pulses: int
    """Write pulses given, all cells together."""


def begin_programming(
    store: Store,
    bench: Bench,
    training_run: int,
    parameters: ProgramAndVerifyParameters,
    dies: Sequence[DieAddress],
) -> int:
    """Enter a run that writes a training run's weights onto dies; returns its number."""
    return begin(
        store, bench, PROGRAM_AND_VERIFY, as_json(parameters), dies, training_run=training_run
    )


def records_of_programming(
    store: Store, row: RunRow, solution: Solution
) -> Callable[[MemoryDie, frozenset[Key]], Iterable[ProgrammedBlock]]:
    """What programs a die, given the die and the keys already stored, for `lab.runs`."""
    parameters = build(ProgramAndVerifyParameters, (f"run {row.id}", row.parameters))
    cells, target_low = solution.placement.target_states(solution.target_low)

    def records(die: MemoryDie, done: frozenset[Key]) -> Iterable[ProgrammedBlock]:
        threshold = store.defect_map(row.wafer_id, die.address).decision_threshold
        return program_and_verify(die, parameters, cells, target_low, threshold, done)

    return records


def summary_of(blocks: Iterable[ProgrammedBlock]) -> Programmed:
    """All blocks of a die together."""
    found = list(blocks)
    return Programmed(
        cells=sum(len(block.cells) for block in found),
        verified=sum(int(block.verified.sum()) for block in found),
        pulses=sum(int(block.pulses.sum()) for block in found),
    )


def grade_in_hardware(
    store: Store,
    bench: Bench,
    die: MemoryDie,
    solution: Solution,
    training_run: int,
    dataset: Dataset,
    *,
    images: int | None = None,
    programming_run: int | None = None,
) -> Evaluation:
    """Grade the die under the needles on so many test images, and store the grade.

    A part of the images is taken at even distances: a data set's first ones may be easier.
    """
    wafer = wafer_of(store, bench)
    calibration = Calibration.of(store.defect_map(wafer, die.address), READ_AMPLITUDE)
    available = len(dataset.test_labels)
    shown = evenly_spread(available, images or available)
    evaluation = grade(
        die, solution, dataset.test_images[shown], dataset.test_labels[shown], calibration
    )
    store.save_evaluation(
        training_run_id=training_run,
        dataset=dataset.name,
        images=evaluation.total,
        correct=evaluation.correct,
        where="hardware",
        wafer_id=wafer,
        die=die.address,
        programming_run_id=programming_run,
        calibration=asdict(calibration),
    )
    return evaluation


def graded_with(store: Store, bench: Bench, die: DieAddress) -> tuple[int, TrainingRunRow]:
    """As `programmed_with`, but calibrated if the die's columns were since."""
    run, row = programmed_with(store, bench, die)
    return run, store.calibration_of_die(run, wafer_of(store, bench), die) or row


def programmed_with(store: Store, bench: Bench, die: DieAddress) -> tuple[int, TrainingRunRow]:
    """The newest run that programmed a die, and the training run of its weights.

    Raises DataError if the die was not programmed, or was written by a measurement since.
    """
    for row in store.runs(wafer_of(store, bench)):
        if die not in store.done_dies(row.id) or row.protocol == "contact-check":
            continue
        if row.training_run_id is None:
            raise DataError(
                f"Die {die} was programmed, if ever, before run {row.id} ({row.protocol}), which "
                "wrote its cells. Program it again: lab program."
            )
        return row.id, store.training_run(row.training_run_id)
    raise DataError(f"Die {die} was not programmed yet: lab program.")
