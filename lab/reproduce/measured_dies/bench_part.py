"""What is done through the instruments: dies mapped, programmed and graded."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from crossbar.defect_map import DefectMap
from crossbar.errors import ContactError
from crossbar.geometry import DieAddress
from crossbar.memory_die import MemoryDie
from db import json_text
from db.store import Store
from lab.bench import Bench
from lab.columns import calibrated_on
from lab.data_sets import data_set
from lab.learning import READ_AMPLITUDE, Teacher, Trained
from lab.programming import begin_programming, grade_in_hardware, records_of_programming
from lab.reproduce.measured_dies.points import graded_images, shown_images
from lab.reproduce.measured_dies.solution_text import as_text
from lab.reproduce.reproducing import Reproduction
from lab.runs import measure, start_run, wafer_of
from lab.session import Session, session
from lab.sweep import Plain, versions_of_points
from protocols.array_map import ArrayMapParameters
from protocols.program_and_verify import ProgramAndVerifyParameters
from training.calibration import Calibration
from training.hardware import conductances_of, grade_in_software
from training.solution import Solution


def measured_maps(reproduction: Reproduction, dies: Sequence[DieAddress]) -> list[DefectMap]:
    """Maps of the dies, in their order; those that the database lacks are measured first."""
    with session(reproduction.bench, reproduction.database) as opened:
        wafer = wafer_of(opened.store, opened.bench)
        missing = [die for die in dies if die not in opened.store.defect_maps(wafer)]
        if missing:
            with reproduction.output.progress("array map", len(missing)) as step:
                start_run(
                    opened.store, opened.bench, "array-map", ArrayMapParameters(), missing,
                    lambda event, die, _: step(event == "done"),
                )  # fmt: skip
        return [opened.store.defect_map(wafer, die) for die in dies]


@dataclass(frozen=True, kw_only=True)
class HardwareGrades:
    """Programs dies and grades each in the same touchdown; grades are kept like sweep points."""

    reproduction: Reproduction
    dataset: str
    images: int
    """Test images shown to each die."""
    seed: int
    """Of the trainings; stored beside them."""

    def accuracies(
        self, strategy: str, solutions: Sequence[tuple[DieAddress, Solution]], *, calibrate: bool
    ) -> list[float]:
        """Accuracy of each die with its solution, calibrated on the programmed die or not.

        A grade that is stored of the very same solution, die and images is not made again.
        """
        name, made_with = f"{self.reproduction.paper}/hardware", versions_of_points()
        known = self.reproduction.store.outcomes_of_sweep(name, made_with)
        grades: list[float] = []
        with (
            self.reproduction.output.progress(f"hardware: {strategy}", len(solutions)) as step,
            session(self.reproduction.bench, self.reproduction.database) as opened,
        ):
            for die, solution in solutions:
                point = self._point(die, solution, calibrate)
                stored = known.get(json_text.canonical(point))
                if stored is None:
                    began = time.monotonic()
                    accuracy = self._grade(opened, die, solution, calibrate)
                    opened.store.save_sweep_point(
                        name, point=point, versions=made_with, outcome={"accuracy": accuracy},
                        seconds=time.monotonic() - began,
                    )  # fmt: skip
                else:
                    accuracy = stored.outcome["accuracy"]
                    self.reproduction.swept += stored.seconds
                grades.append(accuracy)
                step(1)
        return grades

    def _point(self, die: DieAddress, solution: Solution, calibrate: bool) -> dict[str, Plain]:
        return {
            "wafer": self.reproduction.bench.wafer,
            "die": str(die),
            "dataset": self.dataset,
            "images": self.images,
            "solution": as_text(solution),
            "calibrate": calibrate,
        }

    def _grade(
        self, opened: Session, die: DieAddress, solution: Solution, calibrate: bool
    ) -> float:
        store, bench = opened.store, opened.bench
        trained = self._kept(store, bench, die, solution)
        run = begin_programming(
            store, bench, trained.training_run, ProgramAndVerifyParameters(), [die]
        )
        grades: list[float] = []

        def grade(contacted: MemoryDie) -> None:
            final = trained
            if calibrate:
                final = self._kept(store, bench, die, self._calibrated(store, bench, contacted,
                                                                       solution))  # fmt: skip
            evaluation = grade_in_hardware(
                store, bench, contacted, final.solution, final.training_run,
                data_set(self.dataset),
                images=self.images, programming_run=run,
            )  # fmt: skip
            grades.append(evaluation.accuracy)

        work = records_of_programming(store, store.run(run), solution)
        measure(store, bench, run, work, afterwards=grade)
        if not grades:
            raise ContactError(
                f"Die {die} has no contact, so it cannot be graded. Check needles and contact "
                "height; the same command goes on from here."
            )
        return grades[0]

    def _calibrated(
        self, store: Store, bench: Bench, contacted: MemoryDie, solution: Solution
    ) -> Solution:
        found = store.defect_map(wafer_of(store, bench), contacted.address)
        return calibrated_on(contacted, solution, found, shown_images(self.dataset))

    def _kept(self, store: Store, bench: Bench, die: DieAddress, solution: Solution) -> Trained:
        """The solution as a training run, with its accuracy on the die as mapped."""
        teacher = Teacher(
            store=store,
            wafer=wafer_of(store, bench),
            geometry=bench.configuration.wafer.geometry,
            dataset=data_set(self.dataset),
            seed=self.seed,
        )
        found = store.defect_map(teacher.wafer, die)
        emulated = grade_in_software(
            conductances_of(solution, found.low, found.high),
            solution,
            *graded_images(self.dataset, self.images),
            Calibration.of(found, READ_AMPLITUDE),
        )
        return teacher.stored(solution, emulated.accuracy, die)
