"""A mapped simulated die in the loop, and a short training on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from analysis.classification import classify
from crossbar.defect_map import DefectMap
from crossbar.geometry import DieAddress
from crossbar.memory_die import MemoryDie
from physics.mtj_die import MtjDie
from physics.product_front_end import ProductFrontEnd
from protocols.array_map import ArrayMapParameters, array_map
from protocols.program_and_verify import ProgramAndVerifyParameters, program_and_verify
from training.calibration import Calibration
from training.datasets import Dataset
from training.defect_aware_store import DefectAwareStore
from training.hardware import grade
from training.in_the_loop import LoopPlan, LoopTraining
from training.loop import train
from training.looped_die import LoopedDie
from training.recipe import Schedule
from training.solution import Solution

PLAN = LoopPlan(epochs=1, batch=64, latent_rate=0.01, digital_rate=0.005, write_every=2)


@dataclass(frozen=True, kw_only=True)
class MappedDie:
    """A die in contact, what was found on it, and what is behind the instruments."""

    die: MemoryDie
    found: DefectMap
    truth: MtjDie

    def training(
        self, dataset: Dataset, start: Solution, plan: LoopPlan = PLAN, seed: int = 1
    ) -> LoopTraining:
        """Before its first step."""
        looped = LoopedDie(
            die=self.die,
            defect_map=self.found,
            solution=start,
            read_amplitude=0.1,
            pulses=ProgramAndVerifyParameters(max_pulses=plan.pulses_per_write),
            pulses_per_cell=plan.pulses_per_cell,
        )
        return LoopTraining(dataset, looped, plan, seed=seed, start=start)

    def accuracy(self, solution: Solution, dataset: Dataset) -> float:
        """Of the die as it is, in hardware."""
        known = Calibration.of(self.found, 0.1)
        images, labels = dataset.test_images, dataset.test_labels
        return grade(self.die, solution, images, labels, known).accuracy

    def trained_in_software(
        self, dataset: Dataset, start: Solution, schedule: Schedule, seed: int = 1
    ) -> Solution:
        """On the map, and programmed."""
        store = DefectAwareStore.of(self.found)
        solution = train(
            dataset, store, start.placement, schedule, bound=start.bound,
            trained="defect-aware", seed=seed, start=start,
        )  # fmt: skip
        cells, low = solution.placement.target_states(solution.target_low)
        threshold = self.found.decision_threshold
        list(program_and_verify(self.die, ProgramAndVerifyParameters(), cells, low, threshold))
        return solution


@contextmanager
def mapped_die(bench_of, *, gain_spread: float = 0.0, seed: int = 3) -> Iterator[MappedDie]:
    """A die whose columns' amplifiers have gains that no map shows."""
    gains = 1 + gain_spread * np.random.default_rng(seed).standard_normal(50)
    front_end = ProductFrontEnd(gains=tuple(gains.tolist()))
    address = DieAddress(0, 0)
    with bench_of(seed=seed, front_end=front_end) as bench, bench.contacted(address) as die:
        blocks = list(array_map(die, ArrayMapParameters()))
        low, high = (
            np.concatenate([getattr(block, name) for block in blocks]).reshape(die.geometry.shape)
            for name in ("low", "high")
        )
        truth = bench.simulation.station.wafer.die(address)
        yield MappedDie(die=die, found=classify(low, high), truth=truth)


def first(dataset: Dataset, images: int) -> Dataset:
    """A data set with so many of its training images."""
    return replace(
        dataset,
        train_images=dataset.train_images[:images],
        train_labels=dataset.train_labels[:images],
    )
