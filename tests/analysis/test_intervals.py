import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, binom, binomtest

from analysis.intervals import clopper_pearson, jeffreys, wilson
from crossbar.errors import ConfigurationError, DataError


@pytest.mark.parametrize("attempts", [1, 2, 7, 30, 200])
@pytest.mark.parametrize("confidence", [0.68, 0.95])
def test_the_interval_covers_every_rate_at_least_as_often_as_it_says(attempts, confidence):
    """Enumerating all counts, the true rate is covered with at least the confidence asked for."""
    rates = np.linspace(0, 1, 401)
    errors = np.arange(attempts + 1)
    low, high = clopper_pearson(errors, attempts, confidence)
    probability = binom.pmf(errors[:, None], attempts, rates)
    covered = (low[:, None] <= rates) & (rates <= high[:, None])

    assert (probability * covered).sum(axis=0).min() >= confidence - 1e-12


@given(attempts=st.integers(1, 10**9), fraction=st.floats(0, 1))
def test_the_ends_are_the_quantiles_that_the_method_names(attempts, fraction):
    """Low and high are the beta quantiles of Clopper and Pearson, as SciPy computes them."""
    errors = int(fraction * attempts)
    low, high = clopper_pearson(errors, attempts)

    if errors > 0:
        assert low == pytest.approx(beta.ppf(0.025, errors, attempts - errors + 1), rel=1e-9)
    if errors < attempts:
        assert high == pytest.approx(beta.ppf(0.975, errors + 1, attempts - errors), rel=1e-9)
    assert low <= errors / attempts <= high


def test_none_seen_is_never_reported_as_zero():
    """Without errors low is 0 and high is 1 - (alpha / 2) ** (1 / n), small or large n."""
    low, high = clopper_pearson(0, np.array([1, 10, 1000, 10**12]))

    assert np.all(low == 0)
    assert high == pytest.approx([0.975, 1 - 0.025**0.1, 1 - 0.025**0.001, 3.6888794541e-12])


def test_nothing_but_errors_mirrors_none():
    """With errors only, high is 1 and low is (alpha / 2) ** (1 / n)."""
    assert clopper_pearson(10, 10) == pytest.approx((0.025**0.1, 1.0))


def test_no_attempts_say_nothing():
    """Without attempts the interval is all of 0 to 1."""
    assert clopper_pearson(0, 0) == (0.0, 1.0)


def test_arrays_broadcast_and_scalars_stay_scalar():
    """Counts broadcast against each other; two scalars give two scalars."""
    low, high = clopper_pearson(np.arange(3)[:, None], np.array([5, 50]))

    assert low.shape == high.shape == (3, 2)
    assert low[2, 1] == clopper_pearson(2, 50)[0]
    assert isinstance(clopper_pearson(2, 50)[1], float)


@pytest.mark.parametrize(
    ("errors", "attempts"),
    [(-1, 10), (11, 10), (1.5, 10), (0, -1), (float("nan"), 10), (0, np.inf)],
)
def test_impossible_counts_are_refused(errors, attempts):
    """Negative, fractional, missing or too many errors raise, and the message shows the counts."""
    with pytest.raises(DataError, match=r"errors in .* attempts cannot be"):
        clopper_pearson(np.array([1, errors]), np.array([10, attempts]))


@pytest.mark.parametrize("confidence", [0, 1, 95, float("nan")])
def test_a_confidence_that_is_no_fraction_is_refused(confidence):
    """95 is not a confidence; 0.95 is."""
    with pytest.raises(ConfigurationError, match=r"fraction between 0 and 1"):
        clopper_pearson(1, 10, confidence)


def coverage(method, attempts, rates):
    """Exactly, by enumerating all counts."""
    errors = np.arange(attempts + 1)
    low, high = method(errors, attempts)
    probability = binom.pmf(errors[:, None], attempts, rates)
    return (probability * ((low[:, None] <= rates) & (rates <= high[:, None]))).sum(axis=0)


@pytest.mark.parametrize("method", [wilson, jeffreys])
@pytest.mark.parametrize("attempts", [30, 200, 1000])
def test_calibrated_intervals_cover_as_often_as_they_say_on_average(method, attempts):
    """Over all rates 95 % within one; shorter than the conservative one, which exceeds it."""
    rates = np.linspace(0.0005, 0.9995, 1000)
    assert coverage(method, attempts, rates).mean() == pytest.approx(0.95, abs=0.01)
    errors = np.arange(attempts + 1)
    ours, exact = np.ptp(method(errors, attempts), axis=0), clopper_pearson(errors, attempts)
    assert ours.mean() < np.ptp(exact, axis=0).mean()


@given(attempts=st.integers(1, 10**6), fraction=st.floats(0, 1))
def test_wilson_is_that_of_scipy(attempts, fraction):
    errors = int(fraction * attempts)
    ours = wilson(errors, attempts)
    expected = binomtest(errors, attempts).proportion_ci(method="wilson")
    assert ours == pytest.approx((expected.low, expected.high), rel=1e-9, abs=1e-15)


def test_jeffreys_ends_are_beta_quantiles_and_reach_zero_and_one():
    """Brown, Cai and DasGupta's convention at either end."""
    assert jeffreys(2, 10) == pytest.approx((beta.ppf(0.025, 2.5, 8.5), beta.ppf(0.975, 2.5, 8.5)))
    assert jeffreys(0, 10)[0] == 0.0
    assert jeffreys(10, 10)[1] == 1.0


@pytest.mark.parametrize("method", [wilson, jeffreys])
def test_calibrated_intervals_take_what_clopper_pearson_takes(method):
    """Shapes, no attempts, and counts that cannot be."""
    low, high = method(np.arange(3)[:, None], np.array([5, 50]))
    assert low.shape == high.shape == (3, 2)
    assert method(0, 0) == (0.0, 1.0)
    with pytest.raises(DataError, match=r"errors in .* attempts cannot be"):
        method(11, 10)
