import numpy as np
import pytest

from analysis.read_noise_spectrum import Folding, fit_spectrum, spectrum
from crossbar.errors import DataError
from tests.analysis.read_noise_traces import APERTURE, INTERVAL, traces


def test_white_and_flicker_are_told_apart():
    """Twelve traces of both: medians within 20 %, and most of the 95 % intervals hold the truth."""
    truth = np.array([0.006, 1e-5, 1.0])
    fits = [
        fit_spectrum(trace, INTERVAL, APERTURE)
        for trace in traces(12, 1024, white=truth[0], flicker=truth[1])
    ]
    assert np.median([fit.estimate for fit in fits], axis=0) == pytest.approx(truth, rel=0.2)
    covered = np.sum([(fit.low <= truth) & (truth <= fit.high) for fit in fits], axis=0)
    assert np.all(covered >= 9)


def test_intervals_allow_for_noise_that_is_not_gaussian():
    """Those for Gaussian noise lie inside, and where events make the noise, far inside for some."""
    found = traces(12, 1024, white=0.002, flicker=1e-4)
    told = [fit_spectrum(trace, INTERVAL, APERTURE) for trace in found]
    narrow = [fit_spectrum(trace, INTERVAL, APERTURE, gaussian=True) for trace in found]
    for wide, inner in zip(told, narrow, strict=True):
        assert np.all(wide.low <= inner.low)
        assert np.all(wide.high >= inner.high)
    width, inner_width = (
        np.log([fit.high[1] / fit.low[1] for fit in fits]) for fits in (told, narrow)
    )
    assert np.max(width / inner_width) > 1.3


def test_no_flicker_is_a_bound_only():
    """White noise alone: flicker may be nothing at all, and white is found within 10 %."""
    fit = fit_spectrum(traces(1, 1024, white=0.01)[0], INTERVAL, APERTURE)
    assert fit.low[1] == 0
    assert fit.high[1] < 1e-5
    assert fit.estimate[0] == pytest.approx(0.01, rel=0.1)


def test_the_slope_of_a_random_walk_is_two():
    """1 / f^2, without the tilt that leakage from the ends of the trace would give it."""
    steps = np.random.default_rng(1).normal(0, 1e-3, 2048)
    fit = fit_spectrum(1 + np.cumsum(steps), 1.0)
    assert fit.estimate[2] == pytest.approx(2, abs=0.15)
    assert fit.low[2] <= 2 <= fit.high[2]


@pytest.mark.parametrize(("slope", "within"), [(0.7, 0.07), (1.0, 0.03), (1.6, 0.03)])
def test_folding_is_the_sum_over_all_images(slope, within):
    """Against 200,000 images one by one; the derivative by differences."""
    frequency, aperture = np.array([0.1, 3.0, 49.0]), 1e-4
    folding = Folding.of(frequency, INTERVAL, aperture)
    images = np.abs(frequency[:, None] + np.arange(-200_000, 200_001) / INTERVAL)
    expected = np.sum(np.sinc(images * aperture) ** 2 / images**slope, axis=1)
    found, by_slope = folding.power(slope)
    assert found == pytest.approx(expected, rel=within)
    numeric = (folding.power(slope + 1e-5)[0] - folding.power(slope - 1e-5)[0]) / 2e-5
    assert by_slope == pytest.approx(numeric, rel=1e-6)


def test_pooling_keeps_the_variance():
    """The pooled density, integrated, is the variance of white noise."""
    trace = 1 + np.random.default_rng(1).normal(0, 0.01, 4096)
    found = spectrum(trace, INTERVAL)
    bandwidth = found.ordinates / (len(trace) * INTERVAL)
    assert np.sum(found.density * bandwidth) == pytest.approx(1e-4, rel=0.05)


@pytest.mark.parametrize("trace", [np.ones(10), np.full(100, np.nan), np.zeros(100)])
def test_refuses_what_has_no_spectrum(trace):
    """Too short, not finite, or no current."""
    with pytest.raises(DataError, match="Read longer"):
        fit_spectrum(trace, INTERVAL)


def test_refuses_a_trace_that_stands_still():
    """All readings in one step of the converter, as those of a cell that was never formed."""
    with pytest.raises(DataError, match="less than a step"):
        fit_spectrum(np.full(100, 3.05e-8), INTERVAL)
