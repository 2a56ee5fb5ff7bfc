import numpy as np
import pytest

from analysis.line_defects import find_lines, on_lines
from crossbar.defect_map import CellClass, LineDefect

SHAPE = (2, 100, 50)


def lines(classes: np.ndarray) -> set[tuple[int, str, int, CellClass, int]]:
    """The lines found, as plain tuples."""
    return {
        (line.subarray, line.axis, line.index, line.cell_class, line.cells)
        for line in find_lines(classes, 0.3)
    }


def test_point_defects_make_no_line():
    """A tenth of scattered shorts and opens is many defects and not one line."""
    classes = np.random.default_rng(1).choice(
        np.array([0, 1, 2], dtype=np.int8), SHAPE, p=[0.9, 0.05, 0.05]
    )

    assert lines(classes) == set()


def test_lines_are_found_by_class_with_all_their_cells():
    """Partly short columns, open rows and their crossings are told apart and counted."""
    classes = np.zeros(SHAPE, dtype=np.int8)
    classes[0, :60, 7] = CellClass.SHORT
    classes[1, 33, :] = CellClass.OPEN
    classes[1, :, 20] = CellClass.OPEN

    assert lines(classes) == {
        (0, "column", 7, CellClass.SHORT, 60),
        (1, "row", 33, CellClass.OPEN, 50),
        (1, "column", 20, CellClass.OPEN, 100),
    }


def test_many_broken_columns_do_not_break_the_rows():
    """Eighteen open columns put 36 % of opens into every row, and only the columns are named."""
    classes = np.zeros(SHAPE, dtype=np.int8)
    classes[0, :, :18] = CellClass.OPEN

    found = find_lines(classes, 0.3)
    assert len(found) == 18
    assert {line.axis for line in found} == {"column"}


def test_stuck_cells_make_no_line():
    """Only shorts and opens come from a line itself."""
    assert find_lines(np.full(SHAPE, CellClass.STUCK_LOW, dtype=np.int8), 0.3) == ()


@pytest.mark.parametrize(("axis", "cells"), [("column", 100), ("row", 50)])
def test_a_line_covers_its_healthy_cells_too(axis, cells):
    """Cells on a defective line are marked whether they are defective themselves or not."""
    line = LineDefect(subarray=1, axis=axis, index=3, cell_class=CellClass.OPEN, cells=cells // 2)
    covered = on_lines(SHAPE, (line,))

    assert covered.sum() == cells
    assert covered[1, :, 3].all() if axis == "column" else covered[1, 3, :].all()
