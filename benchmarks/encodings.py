"""How much accuracy do defects cost, and how much does each way of training win back?

Trains a network without defects, grades it on a perfect die and on drawn dies, then the same with
statistics-aware training (on other dies than those it is graded on) and with defect-aware training
(each of the first dies on its own). Dies follow the published statistics of the sister chip.
Prints one line for each encoding and number of rows read at once:

    python benchmarks/encodings.py --dataset mnist --data-dir data --rows-at-once 2 5 100
"""

import argparse
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from crossbar.defect_map import DefectMap, DefectThresholds
from crossbar.geometry import DieGeometry
from physics.defects import SISTER_CHIP
from training.calibration import Calibration
from training.datasets import Dataset, load_dataset
from training.defect_aware_store import DefectAwareStore
from training.encoding import Encoding
from training.hardware import conductances_of, grade_in_software
from training.ideal_store import IdealStore
from training.loop import train
from training.recipe import RECIPES, Recipe
from training.solution import Solution
from training.statistics_aware_store import StatisticsAwareStore
from training.weight_store import WeightStore

GEOMETRY = DieGeometry()
MEDIAN_LOW = 200e-6
"""Siemens; nothing depends on it."""
CALIBRATION = Calibration(
    median_low=MEDIAN_LOW, median_high=MEDIAN_LOW * SISTER_CHIP.window, read_amplitude=0.1
)
DRAWN_WITH = 10_000
"""Added to the seed for the dies that networks are graded on."""
TRAINED_WITH = 20_000
"""Added to the seed for the dies that statistics-aware training sees."""


def drawn_dies(count: int, seed: int) -> list[DefectMap]:
    """Defective dies, as a noise-free measurement would find them."""
    drawn = SISTER_CHIP.sample(GEOMETRY, torch.Generator().manual_seed(seed), count)
    return [
        DefectMap(
            classes=classes.numpy(),
            low=low.numpy().astype(np.float64) * MEDIAN_LOW,
            high=high.numpy().astype(np.float64) * MEDIAN_LOW,
            median_low=CALIBRATION.median_low,
            median_high=CALIBRATION.median_high,
            lines=(),
            thresholds=DefectThresholds(),
        )
        for classes, low, high in zip(drawn.classes, drawn.low, drawn.high, strict=True)
    ]


def perfect_die() -> DefectMap:
    """Every cell at the medians."""
    ones = np.ones(GEOMETRY.shape)
    return DefectMap(
        classes=np.zeros(GEOMETRY.shape, dtype=np.int8),
        low=ones * CALIBRATION.median_low,
        high=ones * CALIBRATION.median_high,
        median_low=CALIBRATION.median_low,
        median_high=CALIBRATION.median_high,
        lines=(),
        thresholds=DefectThresholds(),
    )


@dataclass(frozen=True, kw_only=True)
class Study:
    """One data set, one recipe, one seed."""

    dataset: Dataset
    recipe: Recipe
    seed: int

    def train(
        self, store: WeightStore, kind: str, start: Solution | None = None
    ) -> tuple[Solution, float]:
        """Train one network, and say how many seconds that took."""
        schedules = {
            "ideal": self.recipe.ideal,
            "statistics-aware": self.recipe.statistics_aware,
            "defect-aware": self.recipe.defect_aware,
        }
        started = time.perf_counter()
        solution = train(
            self.dataset,
            store,
            self.recipe.placement(GEOMETRY),
            schedules[kind],
            bound=self.recipe.bound,
            trained=kind,
            seed=self.seed,
            start=start,
        )
        return solution, time.perf_counter() - started

    def drawing_store(self) -> StatisticsAwareStore:
        """Dies from the same population as the graded ones, but other dies."""
        return StatisticsAwareStore(
            population=SISTER_CHIP,
            geometry=GEOMETRY,
            generator=torch.Generator().manual_seed(self.seed + TRAINED_WITH),
            dies=self.recipe.statistics_aware.dies,
        )

    def percent(self, solution: Solution, dies: Sequence[DefectMap]) -> np.ndarray:
        """(dies,) Test accuracy in percent."""
        images, labels = self.dataset.test_images, self.dataset.test_labels
        cells = [conductances_of(solution, die.low, die.high) for die in dies]
        return 100 * np.array(
            [grade_in_software(c, solution, images, labels, CALIBRATION).accuracy for c in cells]
        )

    def line(self, dies: int, own: int) -> str:
        """The table's line; ``own`` dies get a defect-aware network each."""
        drawn, perfect = drawn_dies(dies, self.seed + DRAWN_WITH), [perfect_die()]
        ideal, ideal_time = self.train(IdealStore(window=SISTER_CHIP.window), "ideal")
        robust, robust_time = self.train(self.drawing_store(), "statistics-aware", ideal)
        aware = [self.train(DefectAwareStore.of(die), "defect-aware", ideal) for die in drawn[:own]]
        own_die = np.array(
            [
                self.percent(solution, [die])[0]
                for (solution, _), die in zip(aware, drawn[:own], strict=True)
            ]
        )
        cells = (
            f"{self.recipe.encoding.value}, {self.recipe.hidden} hidden",
            str(self.recipe.rows_at_once),
            str(self.seed),
            f"{self.percent(ideal, perfect)[0]:.2f}",
            spread(self.percent(ideal, drawn)),
            spread(self.percent(robust, drawn)),
            spread(own_die),
            f"{ideal_time:.0f} / {robust_time:.0f} / {np.mean([t for _, t in aware]):.1f}",
        )
        return "| " + " | ".join(cells) + " |"


def spread(percent: np.ndarray) -> str:
    """Mean and worst."""
    return f"{percent.mean():.2f} ({percent.min():.2f})"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--dataset", default="digits", choices=RECIPES)
    parser.add_argument("--data-dir", type=Path, default=os.environ.get("LAB_DATA_DIR"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--dies", type=int, default=12)
    parser.add_argument("--own", type=int, default=3, help="dies with a network of their own")
    parser.add_argument("--rows-at-once", type=int, nargs="+")
    parser.add_argument("--encodings", nargs="+", default=[e.value for e in Encoding])
    options = parser.parse_args()
    folder = Path(options.data_dir) if options.data_dir else None
    dataset, recipe = load_dataset(options.dataset, folder), RECIPES[options.dataset]
    print("| network | rows at once | seed | perfect die | ideal weights | statistics-aware | "
          "defect-aware, own die | seconds |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|")
    for encoding in map(Encoding, options.encodings):
        hidden = min(recipe.hidden, 150 // encoding.cells_a_weight)
        for rows in options.rows_at_once or [recipe.rows_at_once]:
            for seed in options.seeds:
                changed = replace(recipe, encoding=encoding, hidden=hidden, rows_at_once=rows)
                study = Study(dataset=dataset, recipe=changed, seed=seed)
                print(study.line(options.dies, options.own), flush=True)


if __name__ == "__main__":
    main()
