import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, binomtest

from analysis.anytime_intervals import anytime
from analysis.intervals import clopper_pearson
from crossbar.errors import ConfigurationError, DataError


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.5])
def test_looking_after_every_attempt_excludes_the_truth_rarely_enough(rate):
    """Stopping at the first look that excludes it, out of 1,000: the worst rule there is. The
    interval for a fixed number of attempts fails there, so the test can tell.
    """
    experiments, attempts = 200, 1000
    draws = np.random.default_rng(5).random((experiments, attempts)) < rate
    errors, tried = draws.cumsum(axis=1), np.arange(1, attempts + 1)

    def ever_excluded(method):
        low, high = method(errors, tried)
        return int(((rate < low) | (rate > high)).any(axis=1).sum())

    excluded = ever_excluded(anytime)
    assert binomtest(excluded, experiments, 0.05, alternative="greater").pvalue > 0.01
    assert ever_excluded(clopper_pearson) > 0.1 * experiments


@given(attempts=st.integers(1, 10**9), fraction=st.floats(0, 1))
def test_it_is_wider_than_the_interval_for_a_fixed_number(attempts, fraction):
    """The price of looking: and what was seen lies within."""
    errors = int(fraction * attempts)
    low, high = anytime(errors, attempts)
    fixed = clopper_pearson(errors, attempts)
    assert low <= errors / attempts <= high
    assert high - low >= (fixed[1] - fixed[0]) * 0.99


@pytest.mark.parametrize(("errors", "attempts"), [(3, 40), (1, 10**6), (20, 21)])
def test_at_the_ends_the_mixture_is_twenty_times_likelier(errors, attempts):
    """By SciPy's own posterior density: mixture over likelihood is prior over posterior."""
    prior, posterior = beta(0.5, 0.5), beta(errors + 0.5, attempts - errors + 0.5)
    for end in anytime(errors, attempts):
        assert prior.pdf(end) / posterior.pdf(end) == pytest.approx(20, rel=1e-6)


def test_it_takes_what_clopper_pearson_takes():
    """None seen and nothing but errors, shapes, no attempts, and counts that cannot be."""
    low, high = anytime(np.arange(3)[:, None], np.array([5, 50]))
    assert low.shape == high.shape == (3, 2)
    assert np.all(low[0] == 0)
    assert anytime(0, 0) == (0.0, 1.0)
    assert anytime(10, 10)[1] == 1.0
    with pytest.raises(DataError, match=r"errors in .* attempts cannot be"):
        anytime(11, 10)
    with pytest.raises(ConfigurationError, match="fraction between 0 and 1"):
        anytime(1, 10, 95)
