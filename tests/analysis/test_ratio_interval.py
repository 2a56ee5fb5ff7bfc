import math

import numpy as np
import pytest

from analysis.ratio_interval import ratio_interval
from crossbar.errors import DataError


def test_the_interval_covers_as_often_as_it_says():
    """Pairs with a true ratio of 0.4, correlated: 95 % of 2,000 intervals, within chance."""
    generator = np.random.default_rng(1)
    covered = 0
    for _ in range(2000):
        below = 1 + 0.3 * generator.standard_normal(5)
        above = 0.4 * below + 0.1 * generator.standard_normal(5)
        found = ratio_interval(above, below)
        covered += found.low <= 0.4 <= found.high
    assert abs(covered / 2000 - 0.95) < 4 * math.sqrt(0.95 * 0.05 / 2000)


def test_a_fixed_ratio_is_itself():
    """Without spread around it the interval has no width, though both values spread."""
    below = np.array([1.0, 2.0, 3.0, 2.5])
    found = ratio_interval(0.25 * below, below)
    assert found.mean == found.low == found.high == pytest.approx(0.25)


@pytest.mark.parametrize("below", [[0.1, -0.2, 0.05], [0.1]])
def test_nothing_is_known_where_the_mean_below_may_be_zero(below):
    """Nor of one pair."""
    found = ratio_interval([1.0] * len(below), below)
    assert (found.low, found.high) == (-math.inf, math.inf)


@pytest.mark.parametrize("pair", [([], []), ([1.0], [1.0, 2.0]), ([1.0, math.nan], [1.0, 2.0])])
def test_what_is_no_row_of_pairs_is_refused(pair):
    """Empty, of two lengths, or not finite."""
    with pytest.raises(DataError, match="two rows of as many finite values"):
        ratio_interval(*pair)
