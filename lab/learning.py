"""From measured dies to trained weights: which store, from what data, and into the database."""

import dataclasses
import importlib.metadata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from analysis.defect_population import fit_population
from crossbar.defect_map import DefectMap
from crossbar.errors import ConfigurationError, DataError
from crossbar.geometry import DieAddress, DieGeometry
from db.store import Store
from lab.runs import versions
from physics.defects import SISTER_CHIP, DefectPopulation
from physics.line_resistance import Wires
from training.calibration import Calibration
from training.column_calibration import calibrated as fitted_columns
from training.column_sums import currents_of_cells
from training.datasets import Dataset
from training.defect_aware_store import DefectAwareStore
from training.hardware import conductances_of, grade_in_software
from training.ideal_store import IdealStore
from training.loop import Progress, train
from training.recipe import RECIPES, Schedule
from training.solution import Solution
from training.statistics_aware_store import StatisticsAwareStore
from training.torch_device import torch_device
from training.weight_store import WeightStore
from training.wired_store import WiredStore, known_medians, through_wires, without_wires

STRATEGIES = ("ideal", "defect-aware", "statistics-aware")
READ_AMPLITUDE = 0.1
"""Volts on a row for an activation of one: the amplitude of the array map's reads."""

CALIBRATION_IMAGES = 500
"""Training images, their labels unseen, that gains and offsets are fitted to before training with
wires; ours."""


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A solution that the database holds."""

    training_run: int
    solution: Solution
    software_accuracy: float
    """Ideal: on perfect cells. Defect-aware: on the die as mapped. Statistics-aware: mean over the
    dies that the statistics came from, as mapped."""


@dataclass(frozen=True, kw_only=True)
class Teacher:
    """Trains networks for the dies of one wafer."""

    store: Store
    wafer: int
    geometry: DieGeometry
    dataset: Dataset
    seed: int
    listener: Callable[[Progress], None] = lambda progress: None
    """Told `training.loop.Progress` after each epoch."""
    wires: Wires | None = None
    """Resistances of the dies' lines, to train with them in the loop; None for none."""
    torch_device: str = "cpu"
    """Where torch trains; see `training.torch_device`."""
    solve_every: int = 1
    """Steps of defect-aware training from one solution of the wires to the next."""

    def ideal(self) -> Trained:
        """Weights that know nothing of defects. Raises ConfigurationError with wires: which, would
        depend on the die.
        """
        if self.wires is not None:
            raise ConfigurationError(
                "Ideal weights know no die, so no wires. Give --wires with defect-aware or "
                "statistics-aware training, which go on from ideal weights by --start."
            )
        window = SISTER_CHIP.window
        recipe = RECIPES[self.dataset.name]
        solution = self._train(IdealStore(window=window), "ideal", recipe.ideal)
        perfect = np.where(solution.target_low, 1.0, window)
        calibration = Calibration(median_low=1.0, median_high=window, read_amplitude=1.0)
        right = grade_in_software(
            perfect, solution, self.dataset.test_images, self.dataset.test_labels, calibration
        )
        return self.stored(solution, right.accuracy)

    def statistics_aware(
        self, maps: Mapping[DieAddress, DefectMap], start: Solution | None
    ) -> Trained:
        """One solution for all dies, from the statistics of the mapped ones given, going on from
        ``start`` where there is one.
        """
        bare = {die: self._bare(found) for die, found in maps.items()}
        population = fit_population(list(bare.values()))
        self.store.save_population(
            population_as_json(population), wafer_id=self.wafer, dies=sorted(maps)
        )
        recipe = RECIPES[self.dataset.name]
        sampler = StatisticsAwareStore(
            population=population,
            geometry=self.geometry,
            generator=torch.Generator().manual_seed(self.seed),
            dies=recipe.statistics_aware.dies,
        )
        store = self._behind_wires(sampler, list(maps.values()), list(bare.values()))
        solution = self._train(store, "statistics-aware", recipe.statistics_aware, start)
        accuracies = [self.emulated_accuracy(solution, found) for found in maps.values()]
        return self.stored(solution, float(np.mean(accuracies)))

    def defect_aware(self, die: DieAddress, found: DefectMap, start: Solution | None) -> Trained:
        """Weights for one mapped die, going on from ``start`` where there is one."""
        schedule = RECIPES[self.dataset.name].defect_aware
        bare = self._bare(found)
        store = self._behind_wires(DefectAwareStore.of(bare), [found], [bare], self.solve_every)
        begin = start if start is None else self.calibrated(start, found)
        solution = self._train(store, "defect-aware", schedule, begin)
        return self.stored(solution, self.emulated_accuracy(solution, found), die)

    def emulated_accuracy(self, solution: Solution, found: DefectMap) -> float:
        """Accuracy on the test images of a die as mapped, in software."""
        return grade_in_software(
            self._seen(solution, found),
            solution,
            self.dataset.test_images,
            self.dataset.test_labels,
            Calibration.of(found, READ_AMPLITUDE),
        ).accuracy

    def _bare(self, found: DefectMap) -> DefectMap:
        """The cells of a map without their own stretches of wire."""
        return found if self.wires is None else without_wires(found, self.wires)

    def _seen(self, solution: Solution, found: DefectMap) -> NDArray[np.float64]:
        """(subarrays, rows, columns) siemens at the terminals of a die with these weights."""
        bare = self._bare(found)
        cells = conductances_of(solution, bare.low, bare.high)
        return cells if self.wires is None else through_wires(cells, self.wires)

    def calibrated(self, start: Solution, found: DefectMap) -> Solution:
        """What training begins with: where wires take a large part of every sum, gains and offsets
        that suit what is left.
        """
        if self.wires is None:
            return start
        currents = currents_of_cells(self._seen(start, found), start)
        images = self.dataset.train_images[:CALIBRATION_IMAGES]
        return fitted_columns(currents, start, images, Calibration.of(found, READ_AMPLITUDE))

    def _behind_wires(
        self,
        cells: WeightStore,
        maps: Sequence[DefectMap],
        bare: Sequence[DefectMap],
        solve_every: int = 1,
    ) -> WeightStore:
        """The cells of dies of which these are the maps, as read and without wires."""
        if self.wires is None:
            return cells
        known_low, known_high = known_medians(maps)
        return WiredStore(
            cells=cells,
            cell_low=known_medians(bare)[0],
            known_low=known_low,
            known_high=known_high,
            wires=self.wires,
            solve_every=solve_every,
        )

    def _train(
        self,
        store: WeightStore,
        trained: str,
        schedule: Schedule,
        start: Solution | None = None,
    ) -> Solution:
        recipe = RECIPES[self.dataset.name]
        return train(
            self.dataset,
            store,
            recipe.placement(self.geometry),
            schedule,
            bound=recipe.bound,
            trained=trained,
            seed=self.seed,
            start=start,
            report=self.listener,
            torch_device=torch_device(self.torch_device),
        )

    def _recipe(self) -> dict[str, object]:
        """What the weights were trained with, for the database."""
        recipe = RECIPES[self.dataset.name]
        found = dataclasses.asdict(recipe) | {"encoding": recipe.encoding.value}
        if self.wires is not None:
            found |= {"wires": dataclasses.asdict(self.wires), "solve_every": self.solve_every}
        return found

    def stored(
        self,
        solution: Solution,
        accuracy: float,
        die: DieAddress | None = None,
        *,
        strategy: str | None = None,
        calibrated_in_run: int | None = None,
        origin: Mapping[str, object] | None = None,
    ) -> Trained:
        """Keep a solution, with its accuracy in software, as a training run; for one die or all.
        ``origin`` is what it was made of, if of another one, and joins the recipe.
        """
        run = self.store.save_training_run(
            strategy=strategy or solution.trained,
            dataset=self.dataset.name,
            recipe=self._recipe() | dict(origin or {}),
            seed=self.seed,
            software_accuracy=accuracy,
            versions=versions_of_training(),
            solution=solution.to_arrays(),
            wafer_id=self.wafer,
            die=die,
            calibrated_in_run=calibrated_in_run,
        )
        return Trained(training_run=run, solution=solution, software_accuracy=accuracy)


def versions_of_training() -> dict[str, str]:
    """What weights were learned with; stored with every training run."""
    return versions() | {"torch": importlib.metadata.version("torch")}


def mapped_dies(
    store: Store, wafer: int, dies: Sequence[DieAddress] | None = None
) -> dict[DieAddress, DefectMap]:
    """Defect maps of all mapped dies, or of those named. Raises DataError where one is missing."""
    maps = store.defect_maps(wafer)
    if dies is None:
        if not maps:
            raise DataError("No die of this wafer is mapped yet. Measure first: lab run array-map.")
        return maps
    return {die: store.defect_map(wafer, die) for die in dies}


def population_as_json(population: DefectPopulation) -> dict[str, object]:
    """The fields of a population with their classes as text."""
    return {
        field.name: (
            {kind.name.lower(): rate for kind, rate in value.items()}
            if isinstance(value := getattr(population, field.name), Mapping)
            else value
        )
        for field in dataclasses.fields(population)
    }


def check_strategy(name: str) -> str:
    """The strategy's name. Raises ConfigurationError for another one."""
    if name not in STRATEGIES:
        raise ConfigurationError(
            f"There is no strategy {name!r}; there are {', '.join(STRATEGIES)}."
        )
    return name
