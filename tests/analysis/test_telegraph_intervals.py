import numpy as np
import pytest

from analysis.levels_among_noise import SETTLED, levels_among_noise
from analysis.read_noise_spectrum import relative
from analysis.telegraph import find_telegraphs
from analysis.telegraph_intervals import telegraph_estimate, telegraph_intervals
from analysis.two_levels import fit_two_levels
from tests.analysis.read_noise_traces import INTERVAL, traces


def fits(given, seed=1):
    """(cells, 3) low ends, estimates and high ends."""
    deviations = np.array([relative(trace) for trace in given])
    generator = np.random.default_rng(seed)
    levels = fit_two_levels(deviations, SETTLED)
    found = levels_among_noise(deviations, levels, INTERVAL, generator)
    low, high = telegraph_intervals(deviations, found, INTERVAL, generator, 0.95)
    return low, telegraph_estimate(found.levels, INTERVAL), high


def test_ambiguous_readings_do_not_make_steps_large():
    """Levels two standard deviations of white noise apart: the step is right within 4 % in the
    median, and in the intervals of five cells of six. A regression on the probabilities of the
    levels finds it 8 % too large.
    """
    low, estimate, high = fits(traces(6, 768, white=0.05, captured=0.1, period=0.5))
    assert np.median(estimate[:, 0]) == pytest.approx(0.1, rel=0.04)
    assert np.sum((low[:, 0] <= 0.1) & (high[:, 0] >= 0.1)) >= 5
    assert np.all(high[:, 0] < 1.5 * low[:, 0])


def test_a_telegraph_faster_than_the_readings_may_be_as_fast_as_it_likes():
    """Dwell times of 0.5 ms, a reading every 10 ms: low ends of 0, high ends above the truth."""
    low, _, high = fits(traces(3, 256, white=0.005, captured=0.1, period=1e-3))
    assert np.all(low[:, 1:] == 0)
    assert np.all((high[:, 1:] > 0.5e-3) & (high[:, 1:] < 20e-3))


def test_a_single_jump_tells_the_step_and_one_end_of_the_dwell_times():
    """A step of 10 % in the middle of white noise: known to 1 %, and dwell times may be endless."""
    noise = np.random.default_rng(1).normal(0, 0.005, (1, 512))
    low, _, high = fits(1 - 0.1 * (np.arange(512) >= 256) + noise)
    assert low[0, 0] < 0.1 < high[0, 0]
    assert high[0, 0] - low[0, 0] < 0.01
    assert np.all(low[0, 1:] < 2.56)
    assert np.all(high[0, 1:] > 100)


def test_dwell_times_may_be_short_where_readings_cannot_be_told_apart():
    """White noise of 0.7 of the step puts more than 3 % of the readings on the wrong level."""
    low, _, high = fits(traces(2, 256, white=0.07, captured=0.1, period=0.5))
    assert np.all(low[:, 1:] == 0)
    assert np.all(np.isfinite(high))


def test_the_interval_depends_on_the_seed_alone():
    """Same seed, same bits."""
    given = traces(1, 128, white=0.02, captured=0.1, period=0.5)
    assert np.array_equal(fits(given), fits(given))
    assert not np.array_equal(fits(given), fits(given, seed=2))


def test_nothing_is_said_of_traces_without_a_telegraph():
    """White noise: intervals from 0 to infinity."""
    (fit,) = find_telegraphs(traces(1, 256, white=0.01), INTERVAL, np.random.default_rng(1))
    assert not fit.is_telegraph
    assert np.all(fit.low == 0)
    assert np.all(fit.high == np.inf)
