import numpy as np
import pytest
from scipy.signal import get_window
from scipy.stats import binomtest, chi2

from analysis.spectrum_dispersion import LAGS, dispersion, student

COUNT = 2048
TAPER = get_window(("tukey", 0.2), COUNT)


def dispersions(noise, sensitivity):
    """Of white traces (k, n) with a mean square of 1, for parameters of these sensitivities."""
    waves = np.fft.rfft(TAPER * noise)[:, 3:-1] / np.sqrt(np.sum(TAPER**2))
    return np.array([dispersion(wave, sensitivity, TAPER) for wave in waves])


def test_gaussian_noise_looks_dispersed_as_often_as_chance_has_it():
    """400 traces, level and tilt: one in ten beyond what chi2 of 2 LAGS exceeds so often."""
    noise = np.random.default_rng(1).standard_normal((400, COUNT))
    sensitivity = np.stack([np.ones(COUNT // 2 - 3), np.linspace(-1, 1, COUNT // 2 - 3)])
    found = dispersions(noise, sensitivity)
    assert np.all(found >= 1)
    for parameter in range(2):
        beyond = int(np.sum(found[:, parameter] > chi2.isf(0.1, 2 * LAGS) / (2 * LAGS)))
        assert binomtest(beyond, len(noise), 0.1).pvalue > 1e-3


def test_noise_that_comes_and_goes_scatters_as_it_is_told():
    """Stretches of 64 readings, the power of each drawn anew with variance 0.1: the mean power over
    many traces has a variance of 1 + 0.1 (1 + 64 / 2) times that of even noise.
    """
    generator = np.random.default_rng(2)
    power = np.repeat(generator.gamma(10, 0.1, (200, COUNT // 64)), 64, axis=1)
    found = dispersions(
        np.sqrt(power) * generator.standard_normal(power.shape), np.ones((1, COUNT // 2 - 3))
    )
    assert np.mean(found) == pytest.approx(1 + 0.1 * 33, rel=0.1)


def test_student_allows_for_few_numbers():
    """The squared ratio of the quantiles, from a table: 2.306 for 8 degrees of freedom, 1.960."""
    assert LAGS == 4
    assert student(0.95) == pytest.approx((2.306 / 1.960) ** 2, rel=1e-3)
