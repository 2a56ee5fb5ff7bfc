"""The demo: everything once, from touchdown to a graded network, on simulated wafers."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np

from crossbar.defect_map import CellClass, DefectMap
from crossbar.geometry import DieAddress
from crossbar.memory_die import MemoryDie
from db.store import Store
from lab.bench import Bench
from lab.chosen_bench import ChosenBench
from lab.columns import assign, calibrate
from lab.data_sets import data_set
from lab.findings import store_fits
from lab.importing.conductance_maps import read_conductance_maps, twin_configuration
from lab.learning import Teacher, Trained, mapped_dies
from lab.output import Output
from lab.programming import begin_programming, grade_in_hardware, records_of_programming
from lab.runs import measure, start_run, wafer_of
from lab.session import session
from protocols.array_map import ArrayMapParameters
from protocols.program_and_verify import ProgramAndVerifyParameters
from protocols.write_error_rate import WriteErrorRateParameters
from training.datasets import Dataset

IMAGES = {"digits": 360, "mnist": 1000}
"""Test images shown to each die. Of MNIST's 10,000 a part, to keep the demo short: the standard
error of a die's accuracy at 95 % is then 0.7 points, that of a mean over 18 dies 0.2."""

SUITED_BY = 100
"""Images that show a die's columns; of the 300 that `lab assign` takes, to keep the demo short."""


@dataclass(frozen=True, kw_only=True)
class DemoPlan:
    """What the demo does, and how much of it."""

    bench: ChosenBench
    dataset: str
    folder: Path
    seed: int
    """Of the training, and of the twin."""
    defect_aware_dies: int
    """Dies that get weights of their own."""
    images: int | None
    """Test images a die; None for `IMAGES`."""
    twin_of: Path | None
    """Folder with measured conductance maps; their twin gets the same table."""

    @property
    def database(self) -> str:
        """Path of the demo's own database."""
        return str(self.folder / "lab.sqlite")


@dataclass(frozen=True, kw_only=True)
class WaferResult:
    """The table of one wafer."""

    wafer: str
    software: float
    """Accuracy of the ideal weights on perfect cells, in software: the baseline."""
    hardware: Mapping[str, Mapping[DieAddress, float]]
    """By strategy and die. The statistics come from other dies than those graded."""
    trained_on: Sequence[DieAddress]
    bench_time: float
    """Seconds the real bench would have taken."""

    def rows(self) -> list[list[object]]:
        """Strategy, dies, mean, worst, best and distance from the baseline, in percent."""
        rows: list[list[object]] = [["software baseline", "-", 100 * self.software, "-", "-", "-"]]
        for strategy, values in self.hardware.items():
            found = 100 * np.array(list(values.values()))
            rows.append(
                [
                    strategy,
                    len(found),
                    float(found.mean()),
                    float(found.min()),
                    float(found.max()),
                    float(100 * self.software - found.mean()),
                ]
            )
        return rows

    def as_json(self) -> dict[str, object]:
        """The same and every die, as fractions."""
        return {
            "software": self.software,
            "bench_time": self.bench_time,
            "statistics_from": [[die.x, die.y] for die in self.trained_on],
            "hardware": {
                strategy: {
                    "mean": float(np.mean(list(values.values()))),
                    "worst": min(values.values()),
                    "best": max(values.values()),
                    "dies": {f"{die.x},{die.y}": value for die, value in values.items()},
                }
                for strategy, values in self.hardware.items()
            },
        }


@dataclass(kw_only=True)
class Demo:
    """One demo, step by step, telling the user what it does."""

    plan: DemoPlan
    output: Output
    dataset: Dataset = field(init=False)
    ideal: Trained | None = None
    """Trained once: it knows nothing of any wafer."""

    def __post_init__(self) -> None:
        self.dataset = data_set(self.plan.dataset)

    def run(self) -> list[WaferResult]:
        """The whole demo; a result a wafer."""
        self.plan.folder.mkdir(parents=True)
        results = [self.wafer(self.plan.bench)]
        if self.plan.twin_of is not None and self.plan.bench.is_simulated:
            results.append(self.wafer(self._twin(self.plan.twin_of)))
        return results

    def wafer(self, chosen: ChosenBench) -> WaferResult:
        """Measure, learn, program and grade one simulated wafer."""
        self.output.say(f"Wafer {chosen.wafer}", style="bold")
        with session(chosen, self.plan.database) as opened:
            store, bench = opened.store, opened.bench
            dies = chosen.configuration.wafer.addresses
            self._measure(store, bench, dies)
            maps = mapped_dies(store, wafer_of(store, bench))
            # Every other die: a spatial half would confound wafer position with the split.
            known, unseen = dies[0::2], dies[1::2]
            teacher = Teacher(
                store=store,
                wafer=wafer_of(store, bench),
                geometry=chosen.configuration.wafer.geometry,
                dataset=self.dataset,
                seed=self.plan.seed,
            )
            ideal = self.ideal = self.ideal or self._timed("ideal weights", teacher.ideal)
            aware = self._timed(
                f"statistics-aware weights, from {len(known)} dies",
                lambda: teacher.statistics_aware({die: maps[die] for die in known}, ideal.solution),
            )
            hardware = {
                "ideal": self._grade(store, bench, ideal, unseen),
                "statistics-aware": self._grade(store, bench, aware, unseen),
                "assigned, calibrated": self._grade_suited(
                    teacher, bench, ideal, {die: maps[die] for die in unseen}
                ),
            }
            own = unseen[: self.plan.defect_aware_dies]
            hardware["defect-aware, own die"] = {}
            for die in own:
                tuned = self._timed(
                    f"defect-aware weights of die {die}",
                    lambda die=die: teacher.defect_aware(die, maps[die], ideal.solution),
                )
                hardware["defect-aware, own die"] |= self._grade(store, bench, tuned, [die])
            return WaferResult(
                wafer=chosen.wafer,
                software=ideal.software_accuracy,
                hardware=hardware,
                trained_on=known,
                bench_time=bench.bench_time,
            )

    def _measure(self, store: Store, bench: Bench, dies: list[DieAddress]) -> None:
        started = time.perf_counter()
        with self.output.progress("array map", len(dies)) as step:
            summary = start_run(
                store, bench, "array-map", ArrayMapParameters(), dies,
                lambda event, die, _: step(event == "done", f"array map: die {die}"),
            )  # fmt: skip
        maps = mapped_dies(store, wafer_of(store, bench))
        bad = float(np.mean([1 - found.fraction(CellClass.HEALTHY) for found in maps.values()]))
        lines = sum(len(found.lines) for found in maps.values())
        self._done(
            f"mapped {len(maps)} dies: {100 * bad:.2f} % of the cells and {lines} lines are bad",
            started,
        )
        started = time.perf_counter()
        parameters = WriteErrorRateParameters(sample=4)
        summary = start_run(store, bench, "write-error-rate", parameters, dies[:1])
        fits = store_fits(store, summary.run)
        found = [fit for row in fits.values() for fit in row if fit.converged]
        self._done(f"{summary.records} write error rates, {len(found)} cells fitted", started)

    def _grade(
        self, store: Store, bench: Bench, trained: Trained, dies: Sequence[DieAddress]
    ) -> dict[DieAddress, float]:
        """Program the dies and grade each in the same touchdown."""
        started = time.perf_counter()
        strategy = trained.solution.trained
        with self.output.progress(f"{strategy}: program, grade", len(dies)) as step:
            grades = self._programmed(store, bench, trained, dies, step)
        self._graded(f"{strategy} weights", grades, started)
        return grades

    def _grade_suited(
        self,
        teacher: Teacher,
        bench: Bench,
        trained: Trained,
        maps: Mapping[DieAddress, DefectMap],
    ) -> dict[DieAddress, float]:
        """The same with weights in the columns that suit each die, and calibrated when written."""
        started = time.perf_counter()
        store, row = teacher.store, teacher.store.training_run(trained.training_run)
        grades: dict[DieAddress, float] = {}
        with self.output.progress("assign, program, calibrate, grade", len(maps)) as step:
            for die, found in maps.items():
                placed = assign(teacher, row, die, found, SUITED_BY)
                own = store.training_run(placed.training_run)
                grades |= self._programmed(
                    store, bench, placed, [die], step,
                    partial(calibrate, teacher, own, SUITED_BY),
                )  # fmt: skip
        self._graded("assigned and calibrated weights", grades, started)
        return grades

    def _programmed(
        self,
        store: Store,
        bench: Bench,
        trained: Trained,
        dies: Sequence[DieAddress],
        step: Callable[[float], object],
        calibrated: Callable[[int, MemoryDie], Trained] | None = None,
    ) -> dict[DieAddress, float]:
        """Grades of dies with these weights, calibrated in the same touchdown or not."""
        grades: dict[DieAddress, float] = {}
        parameters = ProgramAndVerifyParameters()
        run = begin_programming(store, bench, trained.training_run, parameters, dies)

        def grade(die: MemoryDie) -> None:
            final = trained if calibrated is None else calibrated(run, die)
            found = grade_in_hardware(
                store, bench, die, final.solution, final.training_run, self.dataset,
                images=self.plan.images or IMAGES[self.dataset.name], programming_run=run,
            )  # fmt: skip
            grades[die.address] = found.accuracy
            step(1)

        work = records_of_programming(store, store.run(run), trained.solution)
        measure(store, bench, run, work, afterwards=grade)
        return grades

    def _graded(self, what: str, grades: Mapping[DieAddress, float], started: float) -> None:
        mean = 100 * float(np.mean(list(grades.values())))
        where = f"{len(grades)} dies" if len(grades) > 1 else "it"
        self._done(f"{what} on {where}: {mean:.2f} % on average", started)

    def _twin(self, folder: Path) -> ChosenBench:
        """The bench whose dies are made of a real chip's measured kernels."""
        maps = read_conductance_maps(folder, folder.name)
        with Store.open(self.plan.database) as store:
            for found in maps:
                store.save_conductance_map(found)
        chosen = self.plan.bench
        configuration = twin_configuration(chosen.configuration, folder.name, self.plan.seed)
        return replace(chosen, configuration=configuration)

    def _timed(self, what: str, make) -> Trained:
        started = time.perf_counter()
        trained: Trained = make()
        self._done(f"{what}: {100 * trained.software_accuracy:.2f} % in software", started)
        return trained

    def _done(self, what: str, started: float) -> None:
        self.output.say(f"  {what}  ({time.perf_counter() - started:.1f} s)")


def free_folder(wanted: Path) -> Path:
    """The folder, or the first of its name with a number that does not exist yet."""
    if not wanted.exists():
        return wanted
    number = 2
    while (path := wanted.with_name(f"{wanted.name}-{number}")).exists():
        number += 1
    return path
