import numpy as np
import pytest

from analysis.levels_among_noise import SETTLED, density_of, levels_among_noise
from analysis.read_noise_spectrum import relative
from analysis.telegraph_intervals import telegraph_estimate
from analysis.two_levels import fit_two_levels
from tests.analysis.read_noise_traces import INTERVAL, traces

NOISY = {"white": 0.015, "flicker": 1.5e-4, "captured": 0.1, "share": 0.5, "period": 0.04}


def found(given):
    """The fit that takes noise as white, and the one that goes on from it."""
    deviations = np.array([relative(trace) for trace in given])
    plain = fit_two_levels(deviations, SETTLED)
    return plain, levels_among_noise(deviations, plain, INTERVAL, np.random.default_rng(1))


def test_levels_do_not_follow_slow_noise():
    """Eight telegraphs of 20 ms among strong 1/f noise: taken as white, it makes dwell times 25 %
    too long in the median; taken off, they are right within 10 %.
    """
    plain, among = found(traces(8, 1024, **NOISY))
    before, after = (
        np.median(telegraph_estimate(levels, INTERVAL)[:, 1:]) for levels in (plain, among.levels)
    )
    assert before > 1.15 * 0.02
    assert after == pytest.approx(0.02, rel=0.1)


def test_what_is_left_beside_the_levels_has_the_cells_noise():
    """Of levels that are seen, white noise with what of 1/f noise is faster than the readings
    within 25 %, the density at 1 Hz within a factor of two.
    """
    given = traces(4, 1024, white=0.003, flicker=1e-6, captured=0.1, period=0.2)
    _, among = found(given)
    white, flicker, _ = np.median([noise.estimate for noise in among.noise], axis=0)
    assert white == pytest.approx(0.003, rel=0.25)
    assert 0.5e-6 < flicker < 2e-6
    (density,) = density_of(among.noise[0], np.array([40.0]))
    assert density > 2 * among.noise[0].estimate[0] ** 2 * INTERVAL


def test_refitting_a_trace_gives_its_own_fit():
    """By the filter that was found, within 3 % of the step."""
    given = traces(2, 1024, **NOISY)
    _, among = found(given)
    again = among.refit(np.array([relative(trace) for trace in given])[:, None])
    steps = [levels.high - levels.low for levels in (again, among.levels)]
    assert steps[0] == pytest.approx(steps[1], rel=0.03)


def test_a_telegraph_without_noise_is_left_as_it_is():
    """Two values only: levels where they are, nothing that is not finite."""
    trace = np.tile([1.0] * 20 + [1.1] * 20, 4)[None]
    _, among = found(trace)
    assert telegraph_estimate(among.levels, INTERVAL)[0, 0] == pytest.approx(0.1 / 1.1, rel=1e-6)
    assert np.isfinite(among.noise[0].estimate).all()
