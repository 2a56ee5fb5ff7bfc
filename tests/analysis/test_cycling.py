import numpy as np
import pytest

from analysis.cycling import cycled_states, median_interval, spread_interval
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


def test_the_medians_interval_is_that_of_order_statistics():
    """Of ten values the 2nd and the 9th: 97.9 % (tables); of five none, so it is infinite."""
    found = median_interval(np.arange(1.0, 11.0), 0.95)
    assert (found.low, found.value, found.high) == (2.0, 5.5, 9.0)
    assert median_interval(np.arange(5.0), 0.95).high == np.inf


def test_both_intervals_hold_at_their_rate():
    """Of 500 samples of a skewed distribution, about 95 % cover."""
    generator = np.random.default_rng(2)
    samples = generator.gumbel(size=(500, 100))
    spreads = [spread_interval(sample, 0.95) for sample in samples]
    medians = [median_interval(sample, 0.95) for sample in samples]
    covered = np.mean([each.low <= np.pi / 6**0.5 <= each.high for each in spreads])
    middle = np.mean([each.low <= -np.log(np.log(2)) <= each.high for each in medians])
    assert 0.90 < covered < 0.98
    assert middle > 0.94


def test_too_few_cells_are_refused():
    """The message says how many there must be."""
    with pytest.raises(DataError, match="6 are the least"):
        cycled_states(np.full(5, 1e-4), np.full(5, 1e-5))
