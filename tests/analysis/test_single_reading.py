import itertools
import math
import os
from pathlib import Path

import numpy as np
import pytest

from analysis.line_defects import find_lines
from analysis.single_reading import Prediction, classify_single, prediction
from crossbar.defect_map import CellClass
from crossbar.errors import DataError


@pytest.fixture(scope="module")
def programmings() -> np.ndarray:
    """(3, 8, 25, 25) Siemens: eight measured kernels, programmed three times."""
    if "LAB_DATA_DIR" not in os.environ:
        pytest.skip("LAB_DATA_DIR is not set: it names the folder with measured-dies/")
    folder = Path(os.environ["LAB_DATA_DIR"]) / "measured-dies"
    return np.array(
        [
            [np.loadtxt(path) for path in sorted((folder / name).glob("kernel-*.txt"))]
            for name in ("programming-1", "programming-2", "programming-3")
        ]
    )


@pytest.mark.parametrize("cell_class", [CellClass.SHORT, CellClass.OPEN])
def test_defects_found_in_one_programming_predict_those_of_the_next(programmings, cell_class):
    """On measured dies, the map of any programming is right about every other."""
    found = [
        np.array([classify_single(kernel) for kernel in kernels]) == cell_class
        for kernels in programmings
    ]
    for one, other in itertools.permutations(found, 2):
        foretold = prediction(one, other)

        assert foretold.precision >= 0.99
        assert foretold.recall >= 0.99


def test_measured_opens_are_whole_columns(programmings):
    """All but two of the opens of the measured kernels lie on columns found to be open."""
    for kernels in programmings:
        classes = np.array([classify_single(kernel) for kernel in kernels])
        opens = [line for line in find_lines(classes, 0.3) if line.cell_class == CellClass.OPEN]

        assert [line.axis for line in opens] == ["column"] * 13
        assert np.count_nonzero(classes == CellClass.OPEN) - sum(line.cells for line in opens) == 2


def test_a_reading_is_held_against_the_median():
    """Far above the median is short, far below is open, a programmed state is neither."""
    conductance = np.full((5, 5), 137e-6)
    conductance[0] = [238e-6, 310e-6, 400e-6, 20e-6, -12e-6]
    expected = [0, 0, CellClass.SHORT, CellClass.OPEN, CellClass.OPEN]

    assert classify_single(conductance)[0].tolist() == expected
    assert np.array_equal(classify_single(conductance), classify_single(conductance * 1e3))


@pytest.mark.parametrize(("value", "message"), [(np.nan, "1 of 9 cells lack"), (-1e-3, "positive")])
def test_a_map_that_cannot_be_judged_is_refused(value, message):
    """A missing cell, or a median below zero, raises."""
    conductance = np.full((3, 3), -1e-6)
    conductance[1, 1] = value
    with pytest.raises(DataError, match=message):
        classify_single(conductance)


def test_precision_and_recall_count_what_they_should():
    """Two of three found are there (precision), two of four there were found (recall)."""
    found = np.array([1, 1, 1, 0, 0, 0], dtype=bool)
    other = np.array([1, 1, 0, 1, 1, 0], dtype=bool)
    nothing = np.zeros(6, dtype=bool)

    assert prediction(found, other) == Prediction(precision=2 / 3, recall=0.5)
    assert math.isnan(prediction(nothing, other).precision)
    assert math.isnan(prediction(found, nothing).recall)
