import itertools

import numpy as np
import pytest
from scipy.stats import norm

from analysis.two_levels import fit_two_levels


@pytest.fixture
def noisy_levels():
    """Two traces of 300 readings that jump between 0 and 1, with a third of that as noise."""
    generator = np.random.default_rng(4)
    states = np.cumsum(generator.uniform(size=(2, 300)) < 0.08, axis=1) % 2
    return states, states + generator.normal(0, 0.33, states.shape)


def test_the_gain_is_the_likelihood_summed_over_all_paths():
    """Nine readings: the recursion against the sum over all 512 ways through the levels."""
    trace = np.array([[0.1, -0.2, 0.9, 1.2, 0.8, 0.0, 0.3, 1.1, 0.7]])
    before, after = (fit_two_levels(trace, rounds) for rounds in (3, 4))
    low, high, sd = before.low[0], before.high[0], np.sqrt(before.variance[0])
    up, down = before.up[0], before.down[0]
    chances = np.array([[1 - up, up], [down, 1 - down]])
    total = 0.0
    for path in itertools.product((0, 1), repeat=9):
        probability = np.array([down, up])[path[0]] / (up + down)
        probability *= np.prod([chances[pair] for pair in itertools.pairwise(path)])
        total += probability * np.prod(norm.pdf(trace[0], np.where(path, high, low), sd))
    single = np.sum(norm.logpdf(trace[0], trace.mean(), trace.std()))
    assert after.gain[0] == pytest.approx(np.log(total) - single, rel=1e-9)


def test_more_rounds_never_lower_the_likelihood(noisy_levels):
    """What expectation maximization promises, but for the first reading's share in the chances."""
    _, traces = noisy_levels
    gains = [fit_two_levels(traces, rounds).gain for rounds in (1, 2, 3, 4, 6, 10, 20)]
    assert np.all(np.diff(gains, axis=0) > -1e-3)


def test_finds_levels_and_states(noisy_levels):
    """Levels within 0.1, nine readings of ten on the right one, chances within a factor of two."""
    states, traces = noisy_levels
    found = fit_two_levels(traces, 40)
    assert found.low == pytest.approx([0, 0], abs=0.1)
    assert found.high == pytest.approx([1, 1], abs=0.1)
    assert np.mean((found.in_high > 0.5) == states) > 0.9
    assert np.all((found.up > 0.04) & (found.up < 0.16))


def test_a_trace_does_not_depend_on_its_neighbours(noisy_levels):
    """Alone or together, the same bits."""
    _, traces = noisy_levels
    together, alone = fit_two_levels(traces), fit_two_levels(traces[1:])
    assert together.gain[1] == alone.gain[0]


def test_levels_far_apart_do_not_overflow():
    """A noiseless telegraph: a finite gain, sharp states."""
    trace = np.tile([0.0] * 20 + [1.0] * 20, 4)[None, :] + 1e-9 * np.sin(np.arange(160))
    found = fit_two_levels(trace)
    assert np.isfinite(found.gain).all()
    assert np.array_equal(found.in_high[0] > 0.5, trace[0] > 0.5)
