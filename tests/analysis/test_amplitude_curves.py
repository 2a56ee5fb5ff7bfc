import numpy as np
import pytest

from analysis.amplitude_curves import envelope, fit_curves
from analysis.falling_curves import CURVES
from crossbar.errors import ConfigurationError, DataError

AMPLITUDE = np.linspace(0.8, 1.1, 12)
PLACE, WIDTH = 0.9, 0.03


def counts(curve, seed, attempts=50):
    """What so many attempts at each amplitude count, if the curve is the truth."""
    rate = np.exp(curve.log_error((AMPLITUDE - PLACE) / WIDTH))
    tried = np.full(len(AMPLITUDE), attempts)
    return tried, np.random.default_rng(seed).binomial(tried, rate)


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)
def test_a_curve_is_a_rate_and_knows_where_it_is(curve):
    """Errors and successes add up to one, the rate falls, and `at` is its inverse."""
    z = np.linspace(-6, 6, 49)

    assert np.exp(curve.log_error(z)) + np.exp(curve.log_success(z)) == pytest.approx(1)
    assert np.all(np.diff(curve.log_error(z)) <= 0)
    for rate in (0.9, 0.5, 1e-3, 1e-12):
        found = curve.log_error(np.array([curve.at(rate)]))[0]
        assert found == pytest.approx(np.log(rate), rel=1e-6)


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)
def test_the_interval_of_an_extrapolation_holds_the_truth(curve):
    """Twenty sets of 50 attempts a point, drawn from each curve: its 95 % interval of the amplitude
    for 1e-9 holds the true one in at least 16 (fewer has a chance of 0.3 %), and its goodness of
    fit is below 5 % in at most 4.
    """
    truth = PLACE + WIDTH * curve.at(1e-9)
    generator = np.random.default_rng(1)
    held = poor = 0
    for seed in range(20):
        tried, errors = counts(curve, seed)
        (fit,) = fit_curves(AMPLITUDE, tried, errors, 1e-9, generator, curves=(curve,))
        held += fit.low <= truth <= fit.high
        poor += fit.p_value < 0.05
    assert held >= 16
    assert poor <= 4


def test_more_attempts_tell_curves_apart():
    """With 5,000 attempts a point only the true curve is left, and the envelope is its interval."""
    curve = CURVES[1]
    fits = fit_curves(AMPLITUDE, *counts(curve, 3, 5000), 1e-6, np.random.default_rng(1))
    sound = [fit for fit in fits if fit.p_value > 0.05]

    assert [fit.curve.name for fit in sound] == ["logistic"]
    assert envelope(fits) == (sound[0].low, sound[0].high)
    assert np.exp(sound[0].log_wer(np.array([PLACE]), 1e-6)) == pytest.approx(0.5, abs=0.03)


def test_counts_of_nothing_known_have_no_envelope():
    """A rate that falls, rises and falls again contradicts every curve."""
    errors = np.array([50, 50, 50, 5, 5, 45, 45, 45, 5, 5, 0, 0])
    fits = fit_curves(AMPLITUDE, np.full(12, 50), errors, 1e-6, np.random.default_rng(1))

    assert max(fit.p_value for fit in fits) < 0.05
    assert np.isnan(envelope(fits)).all()


def test_counts_that_make_no_curve_are_refused():
    """Errors only, two amplitudes, an impossible rate."""
    generator = np.random.default_rng(1)
    tried = np.full(12, 50)
    with pytest.raises(DataError, match="do not make a curve"):
        fit_curves(AMPLITUDE, tried, tried, 1e-6, generator)
    with pytest.raises(DataError, match="at 2 amplitudes"):
        fit_curves(AMPLITUDE[:2], tried[:2], np.array([50, 0]), 1e-6, generator)
    with pytest.raises(ConfigurationError, match=r"2\.0 was asked for"):
        fit_curves(AMPLITUDE, *counts(CURVES[0], 1), 2.0, generator)
