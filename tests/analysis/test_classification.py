import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.classification import classify
from crossbar.defect_map import CellClass, DefectMap, DefectThresholds
from crossbar.errors import DataError

SHAPE = (2, 20, 10)
LOW, HIGH = 200e-6, 100e-6
READINGS = {
    CellClass.HEALTHY: (1.0, 1.0),
    CellClass.SHORT: (6.0, 12.0),
    CellClass.OPEN: (0.01, -0.05),
    CellClass.STUCK_LOW: (1.0, 1.95),
    CellClass.STUCK_HIGH: (0.52, 1.0),
    CellClass.WEAK: (0.85, 1.3),
}
"""Readings that make a cell of each class, relative to LOW and to HIGH."""


def die(classes: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Readings of a die whose cells are of these classes: 3 % cell to cell, 0.3 % noise."""
    rng = np.random.default_rng(seed)
    spread = np.exp(rng.normal(0, 0.03, classes.shape) + rng.normal(0, 3e-3, (2, *classes.shape)))
    factors = np.array([READINGS[CellClass(value)] for value in classes.ravel()])
    low, high = factors.reshape(*classes.shape, 2).transpose(3, 0, 1, 2) * spread
    return low * LOW, high * HIGH


@st.composite
def class_maps(draw: st.DrawFn) -> np.ndarray:
    """Dies with up to a third of their cells of the defective classes, anywhere."""
    classes = np.zeros(SHAPE, dtype=np.int8)
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    bad = rng.random(SHAPE) < draw(st.floats(0, 0.33))
    classes[bad] = rng.integers(1, 6, np.count_nonzero(bad))
    return classes


@given(truth=class_maps(), seed=st.integers(0, 1000))
def test_cells_are_found_for_what_they_are(truth, seed):
    """Whatever the mixture of defects, each cell gets its own class."""
    assert np.array_equal(classify(*die(truth, seed)).classes, truth)


@given(truth=class_maps(), seed=st.integers(0, 1000), scale=st.floats(1e-12, 1e12))
def test_only_ratios_of_conductances_matter(truth, seed, scale):
    """Scaling all conductances by a constant changes no class and no line."""
    low, high = die(truth, seed)
    plain, scaled = classify(low, high), classify(low * scale, high * scale)

    assert np.array_equal(plain.classes, scaled.classes)
    assert plain.lines == scaled.lines
    assert scaled.median_low == pytest.approx(plain.median_low * scale)


@given(truth=class_maps(), seed=st.integers(0, 1000))
def test_permuting_cells_permutes_classes(truth, seed):
    """A cell's class depends on its own readings and on the medians, not on where it is."""
    low, high = die(truth, seed)
    order = np.random.default_rng(seed).permutation(low.size)
    shuffled = classify(low.ravel()[order].reshape(SHAPE), high.ravel()[order].reshape(SHAPE))

    expected = classify(low, high).classes.ravel()[order]
    assert np.array_equal(shuffled.classes.ravel(), expected)


def test_medians_are_those_of_the_healthy_cells():
    """A third of shorts does not pull the medians away from the healthy cells'."""
    truth = np.zeros(SHAPE, dtype=np.int8)
    truth[:, :, :3] = CellClass.SHORT
    low, high = die(truth, 1)
    found = classify(low, high)

    assert found.median_low == np.median(low[truth == 0])
    assert found.median_high == np.median(high[truth == 0])
    assert found.fraction(CellClass.SHORT) == pytest.approx(0.3)


def test_a_clamped_reading_is_a_short():
    """A cell whose current was limited conducts too much, whatever number came back."""
    low, high = die(np.zeros(SHAPE, dtype=np.int8), 2)
    clamped = np.zeros(SHAPE, dtype=bool)
    clamped[0, 3, 4] = True

    assert np.argwhere(classify(low, high, in_compliance=clamped).classes).tolist() == [[0, 3, 4]]
    assert classify(low, high, in_compliance=clamped).classes[0, 3, 4] == CellClass.SHORT


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        ((3.0, 1.0), CellClass.WEAK),  # far out in LOW only
        ((1.0, 0.02), CellClass.WEAK),  # does not conduct in HIGH only
        ((0.5, 2.0), CellClass.STUCK_HIGH),  # inverted, and symmetric about the middle
        ((0.9, 2.4), CellClass.STUCK_LOW),  # inverted, on the LOW side
    ],
)
def test_cells_that_are_strange_in_one_state_only_are_not_healthy(readings, expected):
    """Neither a far-out value in one state nor an inverted window passes for healthy."""
    low, high = die(np.zeros(SHAPE, dtype=np.int8), 3)
    low[0, 0, 0], high[0, 0, 0] = 0.999 * readings[0] * LOW, readings[1] * HIGH

    assert classify(low, high).classes[0, 0, 0] == expected


def test_thresholds_are_kept_and_used():
    """Another weak threshold changes the classes, and the map says which it was."""
    low, high = die(np.zeros(SHAPE, dtype=np.int8), 4)
    strict = dataclasses.replace(DefectThresholds(), weak=1.0)

    assert classify(low, high).fraction(CellClass.WEAK) == 0
    assert classify(low, high, strict).fraction(CellClass.WEAK) > 0.3
    assert classify(low, high, strict).thresholds is strict


def test_missing_cells_are_named():
    """A NaN raises and tells how many cells lack a reading and which is the first."""
    low, high = die(np.zeros(SHAPE, dtype=np.int8), 5)
    low[0, 2, 7], high[1, 19, 9] = np.nan, np.nan
    with pytest.raises(DataError, match=r"2 of 400 cells lack a reading, the first is 0:2:7"):
        classify(low, high)


@pytest.mark.parametrize("factor", [1.0, -1.0, 0.0])
def test_a_die_without_a_window_is_refused(factor):
    """A die that was never written, or does not conduct, cannot be judged by its own medians."""
    flat = np.full(SHAPE, factor * LOW)
    with pytest.raises(DataError, match="shows no window"):
        classify(flat, flat)


def test_a_die_that_is_clamped_everywhere_is_refused():
    """With every reading clamped there is no healthy cell to compare with."""
    low, high = die(np.zeros(SHAPE, dtype=np.int8), 6)
    with pytest.raises(DataError, match="None of 400 cells looks healthy"):
        classify(low, high, in_compliance=np.ones(SHAPE, dtype=bool))


def test_shapes_that_differ_are_refused():
    """Two halves of different dies are not one die."""
    with pytest.raises(DataError, match="do not make one die"):
        classify(np.ones(SHAPE), np.ones((2, 10, 20)))


def test_the_map_holds_readings_and_lines():
    """The result is a complete defect map: readings as given, and the lines among the classes."""
    truth = np.zeros(SHAPE, dtype=np.int8)
    truth[1, :, 4] = CellClass.OPEN
    low, high = die(truth, 7)
    found = classify(low, high)

    assert isinstance(found, DefectMap)
    assert found.low is low
    assert [(line.subarray, line.axis, line.index) for line in found.lines] == [(1, "column", 4)]
