import numpy as np
import pytest
from scipy import stats
from scipy.signal import periodogram

from crossbar.errors import ConfigurationError
from physics.draws import keys
from physics.read_noise import (
    SPACING,
    ReadNoise,
    flicker_memories,
    latest_event,
    left_by_averaging,
)

APERTURE = 1e-3


def noise(cells, white=0.0, flicker=0.0, captured=0.0, share=0.5, period=1.0):
    """The same noise for every cell."""
    values = {"white": white, "flicker": flicker, "captured": captured}
    values |= {"share": share, "period": period}
    return ReadNoise(**{name: np.full(cells, float(value)) for name, value in values.items()})


def cell_keys(cells, seed=1):
    return keys(np.uint64(seed), np.arange(cells))


def test_flicker_has_the_sampled_spectrum_of_one_over_f():
    """Octave by octave, 40 cells of 4,096 readings: level within 5 %, as a sum of Lorentzians has
    it when it is sampled; and far below the sampling rate that is flicker / f within 5 %.
    """
    cells, count, interval, flicker = 40, 4096, 10e-3, 1e-4
    times = np.broadcast_to(np.arange(count) * interval, (cells, count))
    trace = noise(cells, flicker=flicker).slow(cell_keys(cells), times, APERTURE)
    frequency, density = periodogram(trace, fs=1 / interval)
    frequency, density = frequency[1:], density.mean(axis=0)[1:]
    expected = sampled_flicker(frequency, flicker, interval)
    for start in 2 ** np.arange(4, 11):
        octave = slice(start, 2 * start)
        ratio = density[octave].mean() / expected[octave].mean()
        assert ratio == pytest.approx(1, abs=0.05 + 0.3 / np.sqrt(start))
    low = (frequency > 0.1) & (frequency < 1)
    assert np.mean(expected[low] * frequency[low]) == pytest.approx(flicker, rel=0.05)


def sampled_flicker(frequency, flicker, interval):
    """One-sided spectral density of the sampled sum of processes with exponential memory."""
    density = np.zeros_like(frequency)
    for tau in flicker_memories(APERTURE):
        variance = flicker * np.log(SPACING) * left_by_averaging(tau, APERTURE)
        kept = np.exp(-interval / tau)
        turn = np.cos(2 * np.pi * frequency * interval)
        density += 2 * variance * interval * (1 - kept**2) / (1 + kept**2 - 2 * kept * turn)
    return density


def test_readings_at_random_moments_obey_the_stated_distribution():
    """Kolmogorov-Smirnov of 4,000 readings, a day apart from cell to cell, against `below`."""
    cells = 4000
    one = noise(cells, white=0.01, flicker=1e-4, captured=0.1, share=0.3, period=20.0)
    own = cell_keys(cells)
    found = one.at(own, np.arange(cells)[:, None] * 86400.0, keys(own, 7)[:, None], APERTURE)
    single = noise(1, white=0.01, flicker=1e-4, captured=0.1, share=0.3, period=20.0)

    def distribution(deviations):
        return np.array([single.below(np.array([x]), APERTURE)[0] for x in deviations])

    assert stats.kstest(found[:, 0], distribution).pvalue > 0.01
    assert stats.kstest(one.at_random(cell_keys(cells, 2), APERTURE), distribution).pvalue > 0.01


def test_telegraph_dwells_exponentially():
    """Both states' dwell times, from 200,000 looks at one cell: their mean, and exponential."""
    share, period, step = 0.25, 4.0, 0.02
    one = noise(1, captured=0.2, share=share, period=period)
    times = np.arange(200_000)[None, :] * step
    captured = one.slow(cell_keys(1), times)[0] < -0.1
    edges = np.flatnonzero(np.diff(captured.astype(int)))
    dwells = np.diff(edges) * step
    into_captured = captured[edges[:-1] + 1]
    for state, mean in ((True, share * period), (False, (1 - share) * period)):
        of_state = dwells[into_captured == state]
        assert of_state.mean() == pytest.approx(mean, rel=3.5 / np.sqrt(len(of_state)))
        long = of_state[of_state > 10 * step] - 10 * step  # short ones fall between two looks
        assert stats.kstest(long, "expon", args=(0, mean)).pvalue > 0.01


def test_noise_is_a_function_of_cell_and_time():
    """Any order, any subset, any repetition of cells and times gives the same bits."""
    cells = 50
    population = noise(cells, flicker=1e-4, captured=0.1, period=3.0)
    own = cell_keys(cells)
    times = np.random.default_rng(2).uniform(-50, 500, (cells, 6))
    whole = population.slow(own, times)
    order = np.random.default_rng(3).permutation(cells)
    assert np.array_equal(population[order].slow(own[order], times[order]), whole[order])
    assert np.array_equal(population.slow(own, times[:, ::-1]), whole[:, ::-1])
    assert np.array_equal(population[[7]].slow(own[[7]], times[[7], 2:3]), whole[[7], 2:3])


def test_cells_are_independent_and_each_keeps_its_slow_noise_for_a_while():
    """Correlation between two moments: nearly 1 a millisecond apart, 0 a year apart; 0 between
    cells.
    """
    cells = 3000
    own, population = cell_keys(cells), noise(cells, flicker=1e-4)
    found = population.slow(own, np.broadcast_to([0.0, 1e-4, 3e7], (cells, 3)), 1e-2)
    correlation = np.corrcoef(found.T)
    assert correlation[0, 1] > 0.95
    assert abs(correlation[0, 2]) < 0.06
    assert abs(np.corrcoef(found[:-1, 0], found[1:, 0])[0, 1]) < 0.06


def test_the_latest_event_is_one_of_a_poisson_process():
    """Ages of the latest event are exponential."""
    names, tau = cell_keys(20_000)[:, None], np.full((20_000, 1), 2.0)
    at = [latest_event(names, np.full(names.shape, t), tau) for t in (10.0, 10.5)]
    assert np.mean(at[0] == at[1]) == pytest.approx(np.exp(-0.25), abs=0.01)


def test_refuses_times_without_a_row_for_each_cell():
    """One clear message for a wrong shape, for NaN, and for an impossible aperture."""
    population = noise(3, flicker=1e-4)
    for times in (np.zeros(3), np.zeros((2, 1)), np.full((3, 1), np.nan)):
        with pytest.raises(ConfigurationError, match="Give each cell a row of times"):
            population.slow(cell_keys(3), times)
    with pytest.raises(ConfigurationError, match="aperture of 0"):
        population.slow(cell_keys(3), np.zeros((3, 1)), 0)
