from dataclasses import replace

import numpy as np
import pytest
import torch

from crossbar.defect_map import DefectMap
from crossbar.errors import ConfigurationError
from crossbar.geometry import DieGeometry
from training.assignment import assigned, sums_of_every_pairing
from training.calibration import Calibration
from training.column_sums import currents_of_cells, hidden_sums
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


def test_a_map_of_another_kind_of_die_is_refused(ideal, defect_map, digits):
    """The message names both shapes."""
    other = replace(defect_map, low=defect_map.low[:, :50], high=defect_map.high[:, :50])

    with pytest.raises(ConfigurationError, match=r"\(2, 50, 50\)"):
        assigned(ideal, other, digits.train_images[:60])
