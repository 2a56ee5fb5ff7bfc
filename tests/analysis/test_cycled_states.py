import numpy as np
import pytest

from analysis.cycled_states import cycled_states
from crossbar.errors import DataError


def test_what_does_not_follow_is_left_out():
    """A short, an open and a cell stuck HIGH change neither medians nor spreads."""
    generator = np.random.default_rng(1)
    low = np.exp(generator.normal(np.log(1e-4), 0.05, 50))
    high = np.exp(generator.normal(np.log(5e-6), 1.0, 50))
    alone = cycled_states(low, high)
    mixed = cycled_states(np.r_[low, 5e-4, 0.0, 5e-6], np.r_[high, 5e-4, 0.0, 5e-6])

    assert (mixed.cells, mixed.left_out) == (50, 3)
    assert mixed.high_spread == alone.high_spread
    assert mixed.low_median == alone.low_median
    assert alone.low_median.low < 1e4 < alone.low_median.high


def test_too_few_cells_are_refused():
    """The message says how many there must be."""
    with pytest.raises(DataError, match="6 are the least"):
        cycled_states(np.full(5, 1e-4), np.full(5, 1e-5))
