import numpy as np
import pytest

from crossbar.errors import DataError
from crossbar.pulses import State
from crossbar.records import ArrayMapBlock, WerPoint

CELLS = 24
SHAPE = (2, 3, 4)


def add_blocks(begun, run_id, bounds, *, scale=1.0):
    """Read a die in blocks with these bounds; a cell's conductance is its index, scaled."""
    for start, end in bounds:
        cells = np.arange(start, end, dtype=float)
        block = ArrayMapBlock(
            first_cell=start,
            read_amplitude=0.1,
            low=scale * cells,
            high=scale * cells / 2,
            in_compliance=cells == 5,
        )
        begun.store.add(run_id, begun.die, block)


def begin(begun):
    dies = [begun.die, begun.other_die]
    return begun.store.begin_run(begun.wafer_id, "wer", {}, 0, {}, "", dies)


def point(cell=0, target=State.LOW, amplitude=0.6):
    return WerPoint(
        cell=cell,
        target=target,
        amplitude=amplitude,
        width=5e-8,
        attempts=100,
        errors=1,
        rejected=0,
        interval_low=0.0003,
        interval_high=0.054,
        confidence=0.95,
        execution="board",
        stopped_by="budget",
    )


def test_blocks_become_a_map_in_whatever_order_they_came(begun):
    """The assembled map has the die's shape, and each cell its own reading."""
    add_blocks(begun, begun.run_id, [(16, 24), (0, 7), (7, 16)])

    found = begun.store.array_map(begun.wafer_id, begun.die)

    assert found.run_id == begun.run_id
    assert found.read_amplitude == 0.1
    np.testing.assert_array_equal(found.low, np.arange(CELLS, dtype=float).reshape(SHAPE))
    np.testing.assert_array_equal(found.high, found.low / 2)
    np.testing.assert_array_equal(found.in_compliance, found.low == 5)


def test_the_latest_complete_map_is_taken(begun):
    """An unfinished later run does not hide a complete earlier one, and a run can be named."""
    second, unfinished = begin(begun), begin(begun)
    add_blocks(begun, begun.run_id, [(0, CELLS)])
    add_blocks(begun, second, [(0, CELLS)], scale=2.0)
    add_blocks(begun, unfinished, [(0, 20)], scale=3.0)

    assert begun.store.array_map(begun.wafer_id, begun.die).run_id == second
    assert begun.store.array_map(begun.wafer_id, begun.die, begun.run_id).low.max() == CELLS - 1
    with pytest.raises(DataError, match=f"by run {unfinished}: 20 of its 24 cells"):
        begun.store.array_map(begun.wafer_id, begun.die, unfinished)


@pytest.mark.parametrize(
    ("bounds", "cells"), [([], 0), ([(0, 10), (14, 24)], 20), ([(0, 12), (6, 18)], 18)]
)
def test_a_die_without_a_complete_map_says_how_to_measure_it(begun, bounds, cells):
    """Gaps and overlaps make no map; the message names die, wafer, count and remedy."""
    add_blocks(begun, begun.run_id, bounds)
    message = rf"Die \(3, 1\) of wafer W1 .* {cells} of its 24 cells .* lab run array-map"

    with pytest.raises(DataError, match=message):
        begun.store.array_map(begun.wafer_id, begun.die)


def test_points_are_found_by_die_run_cell_and_target(begun):
    """Every filter leaves exactly the points that it names, oldest first."""
    second = begin(begun)
    points = [point(0), point(1), point(0, State.HIGH, -0.6)]
    for each in points:
        begun.store.add(begun.run_id, begun.die, each)
    begun.store.add(second, begun.die, points[0])
    begun.store.add(begun.run_id, begun.other_die, point(7))

    def found(**given):
        return begun.store.wer_points(begun.wafer_id, begun.die, **given)

    assert found() == [*points, points[0]]
    assert found(run_id=second) == [points[0]]
    assert found(cell=1) == [points[1]]
    assert found(target=State.HIGH) == [points[2]]
    assert found(run_id=second, cell=1) == []


def test_counts_are_those_of_every_table(begun):
    """Each table is counted."""
    begun.store.add(begun.run_id, begun.die, point())
    counts = begun.store.counts()

    assert (counts["runs"], counts["dies"], counts["wer_points"], counts["fits"]) == (1, 2, 1, 0)
