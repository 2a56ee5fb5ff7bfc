"""What is worked out in software: trainings, and grades of dies as measured. Points of sweeps."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from analysis.defect_population import fit_population
from crossbar.defect_map import DefectMap
from crossbar.geometry import DieGeometry
from lab.columns import unlabelled
from lab.data_sets import data_set
from lab.learning import READ_AMPLITUDE
from lab.reproduce.measured_dies.map_file import load_maps
from lab.reproduce.measured_dies.solution_text import as_text, from_text
from physics.defects import SISTER_CHIP
from training.assignment import assigned
from training.calibration import Calibration
from training.column_calibration import PERFECT, calibrated
from training.column_sums import currents_of_cells
from training.datasets import evenly_spread
from training.defect_aware_store import DefectAwareStore
from training.hardware import conductances_of, grade_in_software
from training.ideal_store import IdealStore
from training.layer_ensembles import ensemble_scores, layer_ensemble
from training.loop import train
from training.loss_landscape import loss_along
from training.recipe import RECIPES, Schedule
from training.solution import Solution
from training.statistics_aware_store import StatisticsAwareStore
from training.weight_store import WeightStore

SHOWN = {"digits": 60, "mnist": 300}
"""Unlabelled training images that a die is assigned and calibrated with, by data set."""
Images = tuple[NDArray[np.float32], NDArray[np.int64]]


def trained_weights(
    *,
    seed: int,
    trained: str,
    dataset: str,
    hidden: int,
    epochs: int,
    maps: str,
    checksum: str,
    dies: Sequence[int],
    start: str | None = None,
) -> dict[str, Any]:
    """A solution as text; ``dies`` are known by their statistics or, a single one, by its cells."""
    found = [load_maps(maps, checksum)[die] for die in dies]
    recipe = replace(RECIPES[dataset], hidden=hidden)
    schedule = {
        "ideal": recipe.ideal,
        "statistics-aware": recipe.statistics_aware,
        "defect-aware": recipe.defect_aware,
    }[trained]
    geometry = _geometry(load_maps(maps, checksum)[0])
    solution = train(
        data_set(dataset),
        _weight_store(trained, found, geometry, schedule, seed),
        recipe.placement(geometry),
        replace(schedule, epochs=epochs),
        bound=recipe.bound,
        trained=trained,
        seed=seed,
        start=None if start is None else from_text(start),
    )
    return {"solution": as_text(solution)}


def perfect_accuracy(*, solution: str, dataset: str, images: int) -> dict[str, Any]:
    """Accuracy on perfect cells: the software baseline."""
    network = from_text(solution)
    cells = np.where(network.target_low, PERFECT.median_low, PERFECT.median_high)
    shown = graded_images(dataset, images)
    return {"accuracy": grade_in_software(cells, network, *shown, PERFECT).accuracy}


def accuracies(
    *,
    solution: str,
    dataset: str,
    images: int,
    maps: str,
    checksum: str,
    dies: Sequence[int],
    assign: bool = False,
    calibrate: bool = False,
) -> dict[str, Any]:
    """Accuracy of one solution on each of these dies as measured, fitted to them or not."""
    network, taught_by = from_text(solution), shown_images(dataset)
    shown = graded_images(dataset, images)
    grades = []
    for die in dies:
        found = load_maps(maps, checksum)[die]
        known = Calibration.of(found, READ_AMPLITUDE)
        placed = network
        if assign:
            placed = assigned_to(solution, die, maps, checksum, dataset)
        cells = conductances_of(placed, found.low, found.high)
        if calibrate:
            placed = calibrated(currents_of_cells(cells, placed), placed, taught_by, known)
        grades.append(grade_in_software(cells, placed, *shown, known).accuracy)
    return {"accuracies": grades}


@lru_cache(maxsize=512)
def assigned_to(solution: str, die: int, maps: str, checksum: str, dataset: str) -> Solution:
    """The solution in the columns that suit the die, worked out once a process."""
    found = load_maps(maps, checksum)[die]
    return assigned(from_text(solution), found, shown_images(dataset))


def ensemble_accuracies(
    *,
    solution: str,
    averaged: int,
    dataset: str,
    images: int,
    maps: str,
    checksum: str,
    dies: Sequence[int],
) -> dict[str, Any]:
    """Accuracy of a layer ensemble on each of these dies as measured."""
    network = from_text(solution)
    pixels, labels = graded_images(dataset, images)
    grades = []
    for die in dies:
        found = load_maps(maps, checksum)[die]
        ensemble = layer_ensemble(network, found, averaged)
        cells = np.where(ensemble.target_low, found.low, found.high)
        currents = currents_of_cells(cells, network)
        scores = ensemble_scores(currents, ensemble, pixels, Calibration.of(found, READ_AMPLITUDE))
        grades.append(float(np.mean(scores.argmax(1) == labels)))
    return {"accuracies": grades}


def losses(
    *,
    solution: str,
    steps: Sequence[float],
    dataset: str,
    images: int,
    maps: str,
    checksum: str,
    dies: Sequence[int],
) -> dict[str, Any]:
    """(dies, steps) losses along the lines from perfect cells to each of these dies."""
    network = from_text(solution)
    lines = []
    for die in dies:
        found = load_maps(maps, checksum)[die]
        cells = conductances_of(network, found.low, found.high)
        known = Calibration.of(found, READ_AMPLITUDE)
        shown = graded_images(dataset, images)
        lines.append(loss_along(network, cells, steps, *shown, known).tolist())
    return {"losses": lines}


def graded_images(dataset: str, images: int) -> Images:
    """So many test images at even distances, as `lab.programming.grade_in_hardware` shows them."""
    data = data_set(dataset)
    shown = evenly_spread(len(data.test_labels), images)
    return data.test_images[shown], data.test_labels[shown]


def shown_images(dataset: str) -> NDArray[np.float32]:
    """Training images at even distances, without their labels."""
    return unlabelled(data_set(dataset), SHOWN[dataset])


def _geometry(found: DefectMap) -> DieGeometry:
    subarrays, rows, columns = found.classes.shape
    return DieGeometry(subarrays=subarrays, rows=rows, columns=columns)


def _weight_store(
    trained: str, found: Sequence[DefectMap], geometry: DieGeometry, schedule: Schedule, seed: int
) -> WeightStore:
    if trained == "ideal":
        return IdealStore(window=SISTER_CHIP.window)
    if trained == "defect-aware":
        return DefectAwareStore.of(found[0])
    return StatisticsAwareStore(
        population=fit_population(found),
        geometry=geometry,
        generator=torch.Generator().manual_seed(seed),
        dies=schedule.dies,
    )
