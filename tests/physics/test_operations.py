"""What operations on any simulated die have in common."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossbar.errors import ConfigurationError
from crossbar.geometry import DieGeometry
from crossbar.pulses import Pulse
from physics.operations import (
    cells_of,
    distinct,
    multiplied,
    name_of,
    readings_apart,
    reads_as,
)


@given(st.lists(st.integers(0, 9), max_size=30))
def test_distinct_parts_cover_all_cells_in_order(numbers):
    """Every position comes once; no part names a cell twice; repeats come in their order."""
    cells = np.array(numbers, dtype=np.intp)
    parts = list(distinct(cells))
    assert sorted(np.concatenate(parts).tolist() if parts else []) == list(range(len(cells)))
    for part in parts:
        assert len(np.unique(cells[part])) == len(part)


def test_pulses_within_a_millivolt_are_the_same_operation():
    """The name is what draws are counted by."""
    pulse = Pulse(amplitude=0.9, width=50e-9)
    assert name_of(pulse) == name_of(Pulse(amplitude=0.9004, width=50.01e-9))
    assert name_of(pulse) != name_of(Pulse(amplitude=0.902, width=50e-9))


def test_readings_are_told_apart_by_the_millivolt():
    """A scalar is one group; every position is in one; a cell is read once in any of them."""
    cells = np.array([4, 7, 9])
    assert [level for level, _ in readings_apart(cells, 0.1)] == [100]
    groups = [(level, list(at)) for level, at in readings_apart(cells, np.array([0.1, 0.2, 0.1]))]
    assert groups == [(100, [0, 2]), (200, [1])]
    twice = [(level, list(at)) for level, at in readings_apart(np.array([4, 7, 4]), 0.1)]
    assert twice == [(100, [0, 1]), (100, [2])]


def test_a_product_uses_each_conductance_at_its_own_voltage():
    """Against the sum written out: G(V) = a + b V**2."""
    generator = np.random.default_rng(1)
    voltages = generator.uniform(-0.3, 0.3, (5, 4))
    constant, square = generator.uniform(1e-6, 1e-4, (2, 12))
    found = multiplied([constant, square], voltages, columns=3)
    conductance = (
        constant.reshape(4, 3)[None] + square.reshape(4, 3)[None] * voltages[:, :, None] ** 2
    )
    assert found == pytest.approx((voltages[:, :, None] * conductance).sum(axis=1))


def test_a_product_needs_a_subarray_that_exists():
    """The message names what there is."""
    with pytest.raises(ConfigurationError, match="sub-arrays 0 to 3"):
        cells_of(DieGeometry(), 4, np.zeros((1, 100)))


def test_a_threshold_at_the_conductance_reads_either_way():
    """With noise half of the readings, without noise LOW."""
    at = np.array([1e-4])
    assert reads_as(True, at, at, 0.01) == pytest.approx([0.5])
    assert reads_as(True, at, at, 0.0) == pytest.approx([1.0])
    assert reads_as(False, at, at, 0.0) == pytest.approx([0.0])
