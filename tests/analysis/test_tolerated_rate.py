import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.tolerated_rate import tolerated_rate
from crossbar.errors import DataError

RATES = [1e-4, 1e-3, 1e-2, 1e-1]


def test_between_two_rates_the_loss_is_linear_in_the_logarithm():
    """Half of the way from 0 to 1 point is at half of the decade."""
    assert tolerated_rate(RATES, [0, 0, 1, 9], 0.5) == pytest.approx(10**-2.5)
    assert tolerated_rate(RATES, [0, 0, 0, 1], 0.25) == pytest.approx(10**-1.75)


def test_a_loss_by_chance_at_a_small_rate_does_not_end_it():
    """A single grade above the limit, with better ones at higher rates, is chance."""
    assert tolerated_rate(RATES, [0.0, 0.6, 0.0, 2.0], 0.5) > 1e-2
    assert tolerated_rate(RATES, [0.0, 0.6, 0.7, 2.0], 0.5) < 1e-3


def test_beyond_the_rates_nothing_is_known():
    """Neither below the smallest nor above the largest."""
    assert tolerated_rate(RATES, [0.6, 0.7, 0.8, 0.9], 0.5) == 0
    assert math.isinf(tolerated_rate(RATES, [0.1, 0.2, 0.3, 0.4], 0.5))


@given(st.lists(st.floats(-1, 3), min_size=4, max_size=4), st.floats(-1, 3), st.floats(0, 1))
def test_who_allows_more_bears_more(losses, allowed, more):
    """Whatever the losses are."""
    assert tolerated_rate(RATES, losses, allowed) <= tolerated_rate(RATES, losses, allowed + more)


@pytest.mark.parametrize(
    ("rates", "losses"),
    [([1e-3, 1e-3], [0, 1]), ([], []), ([0.0, 1.0], [0, 1]), ([1e-3], [math.nan]), ([1], [1, 2])],
)
def test_rates_must_rise_and_losses_be_numbers(rates, losses):
    """Anything else is a mistake of the caller."""
    with pytest.raises(DataError):
        tolerated_rate(rates, losses, 0.5)
