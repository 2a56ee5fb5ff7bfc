"""The experiment in its order: measure, train, grade in software, program and grade in hardware."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crossbar.defect_map import CellClass, DefectMap
from crossbar.geometry import DieAddress
from lab.reproduce.measured_dies import points
from lab.reproduce.measured_dies.bench_part import HardwareGrades, measured_maps
from lab.reproduce.measured_dies.map_file import MapFile, save_maps
from lab.reproduce.measured_dies.plan import Plan
from lab.reproduce.measured_dies.solution_text import from_text
from lab.reproduce.reproducing import Reproduction
from lab.sweep import Plain
from training.solution import Solution

Accuracies = NDArray[np.float64]
OURS = "assigned and calibrated"
OWN = "defect-aware, own die"


class Variant(NamedTuple):
    """How weights were trained, and what was done with them on each die."""

    trained: str
    assign: bool
    calibrate: bool


VARIANTS = [
    Variant(trained, assign, calibrate)
    for trained in ("ideal", "statistics-aware")
    for assign in (False, True)
    for calibrate in (False, True)
]


IN_HARDWARE = {
    "ideal": Variant("ideal", False, False),
    "statistics-aware": Variant("statistics-aware", False, False),
    OURS: Variant("ideal", True, True),
}
"""What is programmed and graded on every die."""


@dataclass(frozen=True, kw_only=True)
class Results:
    """Everything that the page tells of. Accuracies are fractions."""

    dies: Sequence[DieAddress]
    bad: NDArray[np.float64]
    """(dies,) Fraction of each die's cells that are not healthy."""
    lines: int
    """Defective lines on all dies together."""
    baseline: Accuracies
    """(seeds,) Ideal weights on perfect cells."""
    emulated: Mapping[Variant, Accuracies]
    """(seeds, dies) On the dies as measured; statistics come from dies that are not graded."""
    spared: Mapping[bool, Accuracies]
    """(dies,) Ideal weights of a smaller network, first seed: as they are, and assigned to the best
    columns and calibrated."""
    spared_baseline: float
    matrix: Accuracies
    """(own dies, dies) Weights for one die on all dies, first seed."""
    hardware: Mapping[str, Accuracies]
    """(seeds, dies) By strategy; of `OWN` the first seed only."""
    hardware_emulated: Mapping[str, Accuracies]
    """The same weights and images, in software."""
    hardware_baseline: Accuracies
    """(seeds,) Of these images."""
    ensembles: Mapping[int, Accuracies]
    """(dies,) By number of copies averaged, first seed."""
    ensemble_baseline: float
    losses: Mapping[str, Accuracies]
    """(lines, steps) nats, by training, first seed."""


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """Gives the sweeps their points."""

    reproduction: Reproduction
    plan: Plan
    dies: Sequence[DieAddress]
    maps: Sequence[DefectMap]
    file: MapFile

    @classmethod
    def measured(cls, reproduction: Reproduction, plan: Plan) -> "Experiment":
        """The dies of the bench, measured unless the database has them."""
        dies = reproduction.bench.configuration.wafer.addresses[: plan.dies]
        maps = measured_maps(reproduction, dies)
        folder = Path() if "://" in reproduction.database else Path(reproduction.database).parent
        return cls(
            reproduction=reproduction, plan=plan, dies=dies, maps=maps,
            file=save_maps(folder, maps),
        )  # fmt: skip

    def results(self) -> Results:
        """Do all of it."""
        ideal = self._weights("ideal", [self._training(seed) for seed in self.seeds])
        aware = self._weights(
            "statistics-aware",
            [
                self._training(seed, trained="statistics-aware", dies=fold, start=start)
                for seed, start in zip(self.seeds, ideal, strict=True)
                for fold in self.folds
            ],
        )
        spare, small = self._weights(
            "smaller networks",
            [
                self._training(self.seeds[0], hidden=hidden)
                for hidden in (self.plan.spared_hidden, self.plan.ensemble_hidden)
            ],
        )
        own = self._own(ideal[0])
        matrix = self._matrix(own)
        baselines = self._perfect([*ideal, spare, small], self.plan.images)
        return Results(
            dies=self.dies,
            bad=np.array([1 - found.fraction(CellClass.HEALTHY) for found in self.maps]),
            lines=sum(len(found.lines) for found in self.maps),
            baseline=baselines[:-2],
            emulated=self._variants(ideal, aware, self.plan.images),
            spared=dict(zip((False, True), self._spared(spare), strict=True)),
            spared_baseline=float(baselines[-2]),
            matrix=matrix,
            hardware=self._hardware(ideal, aware, own),
            hardware_emulated=self._as_in_hardware(ideal, aware)
            | {OWN: np.diag(matrix)[None, : self.plan.own_in_hardware]},
            hardware_baseline=self._perfect(ideal, self.plan.hardware_images),
            ensembles=self._ensembles(small),
            ensemble_baseline=float(baselines[-1]),
            losses=self._losses(ideal[0], aware[0]),
        )

    @property
    def seeds(self) -> Sequence[int]:
        """Of the trainings."""
        return self.reproduction.seeds

    @property
    def folds(self) -> tuple[list[int], list[int]]:
        """Every other die: a spatial half would confound place on the wafer with the split."""
        numbers = list(range(len(self.dies)))
        return numbers[0::2], numbers[1::2]

    def _sweep(
        self,
        name: str,
        function: Callable[..., dict[str, Any]],
        wanted: Sequence[dict[str, Any]],
    ) -> list[dict[str, Any]]:
        """At points that are about measured dies: the function is told where their maps are."""
        about = {"dataset": self.plan.dataset, "checksum": self.file.checksum}
        on_maps = partial(function, maps=self.file.path)
        return self.reproduction.sweep(name, on_maps, [about | point for point in wanted])

    def _training(
        self,
        seed: int,
        *,
        trained: str = "ideal",
        dies: Sequence[int] = (),
        hidden: int | None = None,
        start: str | None = None,
    ) -> dict[str, Any]:
        return {
            "seed": seed,
            "trained": trained,
            "hidden": hidden or self.plan.hidden,
            "epochs": self.plan.epochs[trained],
            "dies": list(dies),
            "start": start,
        }

    def _weights(self, name: str, wanted: Sequence[dict[str, Any]]) -> list[str]:
        found = self._sweep(f"weights, {name}", points.trained_weights, wanted)
        return [outcome["solution"] for outcome in found]

    def _own(self, start: str) -> list[str]:
        return self._weights(
            "defect-aware",
            [
                self._training(self.seeds[0], trained="defect-aware", dies=[die], start=start)
                for die in range(self.plan.own_dies)
            ],
        )

    def _perfect(self, solutions: Sequence[str], images: int) -> Accuracies:
        shown: dict[str, Plain] = {"dataset": self.plan.dataset, "images": images}
        wanted = [shown | {"solution": text} for text in solutions]
        found = self.reproduction.sweep("perfect cells", points.perfect_accuracy, wanted)
        return np.array([outcome["accuracy"] for outcome in found])

    def _on_dies(
        self, solution: str, dies: Sequence[int], images: int, variant: Variant
    ) -> dict[str, Any]:
        return {
            "solution": solution,
            "images": images,
            "dies": list(dies),
            "assign": variant.assign,
            "calibrate": variant.calibrate,
        }

    def _graded(
        self, name: str, wanted: Sequence[Sequence[dict[str, Any]]]
    ) -> list[dict[int, float]]:
        """For each group of points, die to accuracy."""
        flat = [point for group in wanted for point in group]
        found = iter(self._sweep(name, points.accuracies, flat))
        return [
            {
                die: accuracy
                for point in group
                for die, accuracy in zip(point["dies"], next(found)["accuracies"], strict=True)
            }
            for group in wanted
        ]

    def _group(
        self, ideal: str, aware: Sequence[str], images: int, variant: Variant
    ) -> list[dict[str, Any]]:
        """Points that grade every die once, by weights that have not seen it."""
        if variant.trained == "ideal":
            return [self._on_dies(ideal, range(len(self.dies)), images, variant)]
        unseen = self.folds[::-1]
        return [
            self._on_dies(text, dies, images, variant)
            for text, dies in zip(aware, unseen, strict=True)
        ]

    def _variants(
        self,
        ideal: Sequence[str],
        aware: Sequence[str],
        images: int,
        variants: Sequence[Variant] = VARIANTS,
    ) -> dict[Variant, Accuracies]:
        wanted = [
            self._group(ideal[at], aware[2 * at : 2 * at + 2], images, variant)
            for variant in variants
            for at in range(len(ideal))
        ]
        grades = np.array([self._in_order(found) for found in self._graded("strategies", wanted)])
        each = grades.reshape(len(variants), len(ideal), len(self.dies))
        return dict(zip(variants, each, strict=True))

    def _in_order(self, found: Mapping[int, float]) -> list[float]:
        return [found[die] for die in range(len(self.dies))]

    def _spared(self, spare: str) -> list[Accuracies]:
        everywhere = range(len(self.dies))
        wanted = [
            [self._on_dies(spare, everywhere, self.plan.images, Variant("ideal", fit, fit))]
            for fit in (False, True)
        ]
        return [np.array(self._in_order(found)) for found in self._graded("spares", wanted)]

    def _matrix(self, own: Sequence[str]) -> Accuracies:
        plain = Variant("defect-aware", False, False)
        everywhere = range(len(self.dies))
        wanted = [
            [self._on_dies(text, everywhere, self.plan.hardware_images, plain)] for text in own
        ]
        found = self._graded("matrix of dies", wanted)
        return np.array([self._in_order(grades) for grades in found])

    def _ensembles(self, small: str) -> dict[int, Accuracies]:
        geometry = self.reproduction.bench.configuration.wafer.geometry
        copies = (geometry.subarrays - 1) * geometry.columns // self.plan.ensemble_hidden
        wanted: list[dict[str, Any]] = [
            {
                "solution": small,
                "averaged": averaged,
                "images": self.plan.images,
                "dies": list(range(len(self.dies))),
            }
            for averaged in range(1, copies + 1)
        ]
        found = self._sweep("layer ensembles", points.ensemble_accuracies, wanted)
        return {
            averaged: np.array(outcome["accuracies"])
            for averaged, outcome in enumerate(found, start=1)
        }

    def _losses(self, ideal: str, aware: str) -> dict[str, Accuracies]:
        """Along dies that the statistics did not come from."""
        wanted: list[dict[str, Any]] = [
            {
                "solution": text,
                "steps": list(self.plan.steps),
                "images": self.plan.hardware_images,
                "dies": self.folds[1][: self.plan.lines],
            }
            for text in (ideal, aware)
        ]
        found = self._sweep("loss landscape", points.losses, wanted)
        names = ("ideal", "statistics-aware")
        return {
            name: np.array(outcome["losses"]) for name, outcome in zip(names, found, strict=True)
        }

    def _hardware(
        self, ideal: Sequence[str], aware: Sequence[str], own: Sequence[str]
    ) -> dict[str, Accuracies]:
        """Grades of programmed dies."""
        each = [
            self._graded_in_hardware(seed, self._programmed(ideal[at], aware[2 * at : 2 * at + 2]))
            for at, seed in enumerate(self.seeds)
        ]
        own_weights = [from_text(text) for text in own[: self.plan.own_in_hardware]]
        each[0] |= self._graded_in_hardware(self.seeds[0], {OWN: own_weights})
        return {
            name: np.array([grades[name] for grades in each if name in grades])
            for name in (*IN_HARDWARE, OWN)
        }

    def _programmed(self, ideal: str, aware: Sequence[str]) -> dict[str, list[Solution]]:
        """What each strategy writes on each die."""
        solution, folds = from_text(ideal), [from_text(text) for text in aware]
        maps = self.file.path, self.file.checksum
        return {
            "ideal": [solution] * len(self.dies),
            "statistics-aware": [folds[1 - die % 2] for die in range(len(self.dies))],
            OURS: [
                points.assigned_to(ideal, die, *maps, self.plan.dataset)
                for die in range(len(self.dies))
            ],
        }

    def _graded_in_hardware(
        self, seed: int, programmed: Mapping[str, Sequence[Solution]]
    ) -> dict[str, list[float]]:
        grader = HardwareGrades(
            reproduction=self.reproduction,
            dataset=self.plan.dataset,
            images=self.plan.hardware_images,
            seed=seed,
        )
        return {
            name: grader.accuracies(
                f"{name}, seed {seed}",
                list(zip(self.dies, each, strict=False)),
                calibrate=name == OURS,
            )
            for name, each in programmed.items()
        }

    def _as_in_hardware(self, ideal: Sequence[str], aware: Sequence[str]) -> dict[str, Accuracies]:
        """The same weights and images in software."""
        found = self._variants(ideal, aware, self.plan.hardware_images, list(IN_HARDWARE.values()))
        return {name: found[variant] for name, variant in IN_HARDWARE.items()}
