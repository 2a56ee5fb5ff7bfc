"""The mean of a few values, and how sure it is."""

import math

import numpy as np
import pytest

from analysis.mean_interval import mean_interval
from crossbar.errors import ConfigurationError, DataError


def test_three_values_by_hand():
    """Student's t of two degrees of freedom at 97.5 % is 4.302653 (any table)."""
    found = mean_interval([1.0, 2.0, 3.0])

    assert (found.mean, found.count) == (2.0, 3)
    assert found.low == pytest.approx(2 - 4.302653 / math.sqrt(3), abs=1e-6)
    assert found.high == pytest.approx(2 + 4.302653 / math.sqrt(3), abs=1e-6)


@pytest.mark.parametrize("count", [2, 5])
def test_it_covers_the_truth_as_often_as_it_says(count):
    """4,000 means of normal values: 90 % within four standard errors of the coverage."""
    values = np.random.default_rng(1).normal(0.7, 0.1, (4000, count))
    found = [mean_interval(row, 0.9) for row in values]
    covered = np.mean([one.low < 0.7 < one.high for one in found])

    assert abs(covered - 0.9) < 4 * math.sqrt(0.9 * 0.1 / 4000)


def test_a_single_value_says_nothing_of_its_spread():
    """Its interval is everything."""
    found = mean_interval([0.97])

    assert (found.mean, found.low, found.high) == (0.97, -math.inf, math.inf)


@pytest.mark.parametrize("values", [[], [1.0, math.nan], [[1.0, 2.0]], 3.0])
def test_what_has_no_mean_is_refused(values):
    """With what was wrong about it."""
    with pytest.raises(DataError, match="a row of finite values"):
        mean_interval(values)


def test_a_confidence_of_one_is_refused():
    """Nothing is that sure."""
    with pytest.raises(ConfigurationError, match="between 0 and 1"):
        mean_interval([1.0, 2.0], 1.0)
