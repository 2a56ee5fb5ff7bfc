import numpy as np
import pytest

from analysis.noise_surrogates import surrogates
from analysis.read_noise import fit_read_noise, reading_interval
from analysis.telegraph import SURROGATES, find_telegraphs, without_telegraph
from crossbar.errors import DataError
from tests.analysis.read_noise_traces import APERTURE, CONDUCTANCE, INTERVAL, traces


def test_finds_telegraphs_and_their_parameters():
    """Eight cells with steps of 8 % among 1/f noise: found, and intervals that hold the truth."""
    given = traces(8, 768, white=0.004, flicker=1e-5, captured=0.08, share=0.3, period=0.5)
    fits = find_telegraphs(given, INTERVAL, np.random.default_rng(1))
    assert sum(fit.is_telegraph for fit in fits) >= 7
    truth = np.array([0.08, 0.35, 0.15])
    covered = [(fit.low <= truth) & (truth <= fit.high) for fit in fits]
    assert np.all(np.sum(covered, axis=0) >= 6)
    assert np.median([fit.estimate for fit in fits], axis=0) == pytest.approx(truth, rel=0.2)


def test_flicker_noise_alone_is_no_telegraph():
    """Of 16 traces of strong 1/f noise none or one is called a telegraph at one in a hundred."""
    fits = find_telegraphs(traces(16, 512, flicker=1e-4), INTERVAL, np.random.default_rng(1))
    assert sum(fit.is_telegraph for fit in fits) <= 1
    p_values = [fit.p_value for fit in fits]
    assert min(p_values) >= 1 / (SURROGATES + 1)
    assert 0.2 < np.mean(p_values) < 0.8


@pytest.mark.parametrize("codes", [1.5, 3.0, 6.0])
def test_a_coarse_converter_makes_no_telegraphs(codes):
    """White noise of a fraction of a code, rounded to two or three codes: one of 20 at most."""
    rounded = np.round(np.random.default_rng(2).normal(0.2, 1 / codes, (20, 256)))
    fits = find_telegraphs(
        100 + rounded[np.ptp(rounded, axis=1) > 0], 1.0, np.random.default_rng(1)
    )
    assert sum(fit.is_telegraph for fit in fits) <= 1


def test_surrogates_have_the_traces_spectrum():
    """Standard deviation of increments over 1 and 16 readings, within 15 %."""
    trace = traces(1, 2048, white=0.005, flicker=1e-5)[0] / CONDUCTANCE - 1
    made = surrogates(trace, INTERVAL, np.random.default_rng(1), SURROGATES)
    for lag in (1, 16):
        expected = np.std(trace[lag:] - trace[:-lag])
        assert np.std(made[:, lag:] - made[:, :-lag]) == pytest.approx(expected, rel=0.15)


def test_what_is_left_without_the_telegraph_is_quiet():
    """A noisy telegraph of 20 % leaves its white noise of 0.5 % behind, fitted as such."""
    given = traces(1, 1024, white=0.005, captured=0.2, period=0.5)
    (fit,) = fit_read_noise(given, INTERVAL, APERTURE, generator=np.random.default_rng(1))
    assert fit.telegraph.is_telegraph
    quiet = without_telegraph(given[0], fit.telegraph)
    assert np.std(quiet) / CONDUCTANCE == pytest.approx(0.005, rel=0.1)
    assert fit.spectrum.low[0] <= 0.005 <= fit.spectrum.high[0]


def test_a_cell_that_does_not_conduct_is_refused():
    """One message that says what is missing."""
    with pytest.raises(DataError, match="no noise spectrum"):
        find_telegraphs(np.zeros((1, 200)), INTERVAL, np.random.default_rng(1))


def test_the_reading_interval_is_the_median():
    """A late reading does not count; without times, one."""
    assert reading_interval(np.full(5, np.nan)) == 1.0
    assert reading_interval(np.array([0.0, 1.0, 2.0, 9.0, 10.0])) == 1.0
