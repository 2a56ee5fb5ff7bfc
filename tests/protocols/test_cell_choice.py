"""Which cells stand for a die."""

import numpy as np
import pytest

from crossbar.geometry import DieGeometry
from protocols.cell_choice import chosen_cells

DIE = DieGeometry()
ODD = DieGeometry(subarrays=1, rows=7, columns=9)


@pytest.mark.parametrize("sample", [1, 40, 200, 399, 400, 401, 1_000, 2_000, 8_000, 19_999])
def test_no_cell_twice_and_no_line_forgotten(sample):
    """So many cells, in so many rows, and every column about as often as by chance or better."""
    cells = chosen_cells((), sample, DIE)

    assert len(np.unique(cells)) == sample
    assert 0 <= cells.min() <= cells.max() < DIE.cells
    rows = np.bincount(cells // DIE.columns, minlength=400)
    assert rows.max() - rows.min() <= (1 if sample >= 400 else 2)
    lines = np.bincount(cells % DIE.columns + DIE.columns * (cells // 5_000), minlength=200)
    expected = sample / 200
    assert lines.var() < 1.3 * expected * (1 - sample / DIE.cells) + 0.1


@pytest.mark.parametrize("geometry", [DIE, ODD])
def test_everything_in_order(geometry):
    """A sample of as many cells as there are, or more, is the die."""
    assert np.array_equal(chosen_cells((), geometry.cells + 5, geometry), np.arange(geometry.cells))


def test_always_the_same():
    """A run that goes on takes the cells that it began with."""
    assert np.array_equal(chosen_cells((), 50, ODD), chosen_cells((), 50, ODD))
