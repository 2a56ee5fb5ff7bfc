from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
import torch

from crossbar.defect_map import DefectMap, DefectThresholds
from crossbar.errors import ConfigurationError
from crossbar.geometry import DieGeometry
from training.assignment import assigned, sums_of_every_pairing
from training.calibration import Calibration
from training.column_calibration import PERFECT, perfect_sums
from training.column_sums import currents_of_cells, driven_by, hidden_sums, output_sums
from training.encoding import Encoding
from training.hardware import conductances_of, grade_in_software
from training.network import CrossbarNetwork
from training.placement import Placement
from training.solution import Solution


def perfect_map(defect_map: DefectMap) -> DefectMap:
    """A die of the same kind on which every cell is what it should be."""
    return replace(
        defect_map,
        low=np.full_like(defect_map.low, defect_map.median_low),
        high=np.full_like(defect_map.high, defect_map.median_high),
    )


def realized(solution: Solution, found: DefectMap, digits, calibration) -> float:
    cells = conductances_of(solution, found.low, found.high)
    return grade_in_software(
        cells, solution, digits.test_images, digits.test_labels, calibration
    ).accuracy


def test_a_moved_network_is_the_same_network(ideal, defect_map, digits, calibration):
    """Whatever the columns, on a perfect die the assigned solution predicts as before."""
    moved = assigned(ideal, defect_map, digits.train_images[:60])
    cells = perfect_map(defect_map)

    assert moved.placement.hidden_columns != tuple(range(50))
    assert realized(moved, cells, digits, calibration) == realized(
        ideal, cells, digits, calibration
    )


def test_assigned_columns_suffer_less(ideal, defect_map, digits, calibration):
    """On the die that was mapped, accuracy rises by more than ten points of a hundred."""
    moved = assigned(ideal, defect_map, digits.train_images[:100])
    before = realized(ideal, defect_map, digits, calibration)

    assert realized(moved, defect_map, digits, calibration) > before + 0.1


def test_a_dead_column_is_left_spare(ideal, defect_map, digits):
    """With one column more than units, the broken one is not used."""
    perfect = perfect_map(defect_map)
    small = replace(
        ideal,
        placement=replace(ideal.placement, hidden=49),
        hidden_gain=ideal.hidden_gain[:49],
        hidden_offset=ideal.hidden_offset[:49],
        drive=ideal.drive[:49],
    )
    for side in (perfect.low, perfect.high):
        side[0, :, 17] = 0.0

    moved = assigned(small, perfect, digits.train_images[:60])

    assert 17 not in moved.placement.hidden_columns


@pytest.mark.parametrize("encoding", list(Encoding))
def test_every_pairing_has_the_sums_that_the_die_would_give(encoding, defect_map, digits):
    """Unit u tried in column c gives what the die's currents give once it sits there."""
    place = Placement(
        geometry=DieGeometry(subarrays=2), hidden=4, rows_at_once=5, encoding=encoding
    )
    solution = CrossbarNetwork(place, 1.4, torch.Generator().manual_seed(2)).solution("test")
    known = Calibration.of(defect_map, 0.1)
    images = digits.train_images[:9]
    width = encoding.cells_a_weight
    units = solution.target_low[0, :, : 4 * width].reshape(100, 4, width).transpose(1, 0, 2)
    low, high = (side[0] / known.median_low for side in (defect_map.low, defect_map.high))

    sums = sums_of_every_pairing(images, (low, high), units, place, 1.4, known.window)

    for shift in (0, 7):
        target = np.zeros_like(solution.target_low)
        columns = tuple((unit + shift) % place.signed_columns for unit in range(4))
        for unit, column in enumerate(columns):
            target[0, :, column * width : (column + 1) * width] = units[unit]
        there = replace(
            solution, placement=replace(place, hidden_columns=columns), target_low=target
        )
        cells = conductances_of(there, defect_map.low, defect_map.high)
        wanted = hidden_sums(currents_of_cells(cells, there), there, images, known)
        found = sums[np.arange(4), list(columns)].T
        assert found == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize("seed", range(4))
def test_no_other_columns_would_suffer_less(seed):
    """A tiny die: 60 ways to place 3 hidden units and 120 to place 4 outputs, all tried."""
    random = np.random.default_rng(seed)
    place = Placement(
        geometry=DieGeometry(subarrays=2, rows=4, columns=5), hidden=3, outputs=2, rows_at_once=2
    )
    solution = CrossbarNetwork(place, 1.5, torch.Generator().manual_seed(seed)).solution("test")
    low = random.uniform(0.5, 1.2, place.geometry.shape)
    low[random.uniform(size=low.shape) < 0.1] = 4.0
    high = np.where(random.uniform(size=low.shape) < 0.2, low, 0.6 * low)
    found = DefectMap(
        classes=np.zeros(low.shape, dtype=np.int64), low=low, high=high, median_low=1.0,
        median_high=0.6, lines=(), thresholds=DefectThresholds(),
    )  # fmt: skip
    images = random.uniform(size=(40, 4)).astype(np.float32)

    chosen = assigned(solution, found, images).placement

    hidden = {
        columns: slow_hidden_error(solution, found, images, columns)
        for columns in permutations(range(5), 3)
    }
    outputs = {
        columns: slow_output_error(solution, found, images, columns)
        for columns in permutations(range(5), 4)
    }
    for errors, columns in ((hidden, chosen.hidden_columns), (outputs, chosen.output_columns)):
        assert errors[columns] == pytest.approx(min(errors.values()), rel=1e-4)
        assert max(errors.values()) > 1.2 * errors[columns]


def slow_hidden_error(solution, found, images, columns):
    """Of all units' activations, on the die itself, each column's sums brought near by a line."""
    wanted, _ = perfect_sums(solution, images)
    there = placed(solution, hidden_columns=columns)
    known = Calibration.of(found, 1.0)
    cells = currents_of_cells(conductances_of(there, found.low, found.high), there)
    sums = hidden_sums(cells, there, images, known)
    total = 0.0
    for unit in range(3):
        fitted = on_a_line(sums[:, unit], wanted[:, unit])
        active, aim = (
            solution.drive[unit]
            * np.tanh(solution.hidden_gain[unit] * each + solution.hidden_offset[unit])
            for each in (fitted, wanted[:, unit])
        )
        heard = int(np.sum(solution.placement.hidden_of_row == unit))
        total += heard * np.mean((active - aim) ** 2)
    return total


def slow_output_error(solution, found, images, columns):
    """Of all copies' parts of the scores, driven by a perfect first layer."""
    driven = driven_by(solution, perfect_sums(solution, images)[0])
    there = placed(solution, output_columns=columns)
    sums = []
    for low, high, known in (
        (found.low, found.high, Calibration.of(found, 1.0)),
        (np.ones_like(found.low), np.full_like(found.low, 0.5), PERFECT),
    ):
        cells = currents_of_cells(conductances_of(there, low, high), there)
        sums.append(output_sums(cells, there, driven, known))
    total = 0.0
    for copy, output in np.ndindex(2, 2):
        own, aim = (each[:, copy, output] for each in sums)
        fitted = on_a_line(own, aim)
        total += solution.output_gain[copy, output] ** 2 * np.mean((fitted - aim) ** 2)
    return total


def on_a_line(sums, wanted):
    """Least squares; sums that never change become the mean."""
    terms = np.stack([sums, np.ones(len(sums))], axis=1)
    return terms @ np.linalg.lstsq(terms, wanted)[0]


def placed(solution, hidden_columns=(0, 1, 2), output_columns=(0, 1, 2, 3)):
    """The same units in these columns, cell by cell; spare cells HIGH."""
    target = np.zeros_like(solution.target_low)
    for unit, column in enumerate(hidden_columns):
        target[0, :, column] = solution.target_low[0, :, unit]
    for unit, column in enumerate(output_columns):
        target[1, :, column] = solution.target_low[1, :, unit]
    place = replace(
        solution.placement, hidden_columns=hidden_columns, output_columns=output_columns
    )
    return replace(solution, placement=place, target_low=target)


def test_a_map_of_another_kind_of_die_is_refused(ideal, defect_map, digits):
    """The message names both shapes."""
    other = replace(defect_map, low=defect_map.low[:, :50], high=defect_map.high[:, :50])

    with pytest.raises(ConfigurationError, match=r"\(2, 50, 50\)"):
        assigned(ideal, other, digits.train_images[:60])
