import numpy as np
import pytest

from analysis.nested_spread import nested_spread
from crossbar.errors import DataError


def cells(seed, between, within, shape=(40, 3), error=0.02):
    generator = np.random.default_rng(seed)
    values = 9 + between * generator.standard_normal((shape[0], 1))
    values = values + within * generator.standard_normal(shape)
    return values + error * generator.standard_normal(shape), np.full(shape, error)


def test_both_spreads_and_the_mean_are_covered():
    """In at least 10 of 12 samples each, with some cycles missing."""
    hits = []
    for seed in range(12):
        values, errors = cells(seed, 0.06, 0.04)
        values[:5, 2] = np.nan
        found = nested_spread(values, errors)
        truth = ((found.mean, 9), (found.between, 0.06), (found.within, 0.04))
        hits.append([each.low <= value <= each.high for each, value in truth])
    assert np.all(np.sum(hits, axis=0) >= 10)


def test_no_spread_between_cells_is_not_excluded_where_there_is_none():
    """The low end of the interval is open."""
    found = nested_spread(*cells(1, 0.0, 0.05))
    assert found.between.low == 0
    assert found.within.low > 0.03


def test_one_cycle_a_cell_cannot_tell_the_two_apart():
    """What is cycle to cycle is then part of what is between cells, and said to be unknown."""
    found = nested_spread(*cells(1, 0.06, 0.04, shape=(200, 1)))
    assert np.isnan(found.within.estimate)
    assert found.between.low < np.hypot(0.06, 0.04) < found.between.high


def test_two_cells_are_refused():
    """The message says what is missing."""
    with pytest.raises(DataError, match="2 cells"):
        nested_spread(*cells(1, 0.1, 0.1, shape=(2, 3)))
