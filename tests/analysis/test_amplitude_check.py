import numpy as np
import pytest
from scipy.stats import binomtest

from analysis.amplitude_check import check_amplitudes
from analysis.amplitude_density import AmplitudeForWer
from analysis.amplitude_interval import fit_amplitudes
from crossbar.errors import ConfigurationError
from tests.analysis.switching_counting import count, draw_cells, nothing

VOLTS, WIDTH = np.array([[0.285, 0.45, 0.56]]), np.array([[50e-9, 20e-9, 10e-9]])
DESIGN = np.array([2_000, 3_000, 3_000])
"""Few attempts: the fits leave the rates open by more than the check itself scatters."""


def searched(cells, wer, seed):
    """(truth, quantity, counts, fits) of so many cells."""
    generator, quantity = np.random.default_rng(seed), AmplitudeForWer(wer=wer)
    truth = draw_cells(cells, generator)
    seen = count(truth, VOLTS, WIDTH, DESIGN, generator)
    return truth, quantity, seen, fit_amplitudes(seen, quantity)


def checked(truth, fits, attempts, seed):
    """Counts at the amplitude found and 20 % above."""
    volts = fits.estimate[:, None] * np.array([1.0, 1.2])
    width = np.full(volts.shape, 20e-9)
    return count(truth, volts, width, np.array([attempts]), np.random.default_rng(seed))


@pytest.mark.parametrize("wer", [1e-6, 1e-2])
def test_sound_cells_are_flagged_at_most_at_the_stated_rate(wer):
    """Sixty dies of five cells, any of which makes a false alarm of the die."""
    truth, quantity, seen, fits = searched(300, wer, 5)
    checks, rate = checked(truth, fits, 5_000, 6), 0.1
    alarms = 0
    for die in range(60):
        rows = np.arange(5 * die, 5 * die + 5)
        found = check_amplitudes(
            seen.rows(rows), fits.rows(rows), quantity, checks.rows(rows), rate
        )
        alarms += bool((found.p_value < rate).any())

    assert binomtest(alarms, 60, rate, alternative="greater").pvalue > 0.01


def test_the_rate_at_the_amplitude_found_is_the_wanted_one():
    """And its interval holds the true one as often as it says."""
    truth, quantity, seen, fits = searched(300, 1e-2, 7)
    found = check_amplitudes(seen, fits, quantity, checked(truth, fits, 100, 8), 0.01)

    assert found.predicted[:, 0] == pytest.approx(1e-2, rel=1e-2)
    plenty = checked(truth, fits, 100_000_000, 9)
    true = plenty.errors / plenty.attempts
    held = (found.low <= true) & (true <= found.high)
    for column in (0, 1):
        assert binomtest(int(held[:, column].sum()), 300, 0.95).pvalue > 0.01


def test_errors_that_the_fit_does_not_expect_are_told():
    """One cell fails once in 250 pulses above its amplitude; another fails at every second one."""
    truth, quantity, seen, fits = searched(10, 1e-6, 11)
    checks = checked(truth, fits, 5_000, 12)
    checks.errors[3, 1], checks.errors[6, 0] = 20, 2_500

    found = check_amplitudes(seen, fits, quantity, checks, 0.01)

    assert np.flatnonzero(found.p_value < 0.01).tolist() == [3, 6]


def test_too_few_errors_are_told_as_well():
    """None in 5,000 where fifty were to be expected."""
    truth, quantity, seen, fits = searched(10, 1e-2, 13)
    checks = checked(truth, fits, 5_000, 14)
    checks.errors[2, 0] = 0

    found = check_amplitudes(seen, fits, quantity, checks, 0.01)

    assert np.flatnonzero(found.p_value < 0.01).tolist() == [2]


def test_without_attempts_nothing_is_said():
    """NaN, which is no flag."""
    _, quantity, seen, fits = searched(4, 1e-6, 15)
    empty = count(
        np.ones((4, 3)) * [60, 0.4, 2e-9], VOLTS, WIDTH, 0 * DESIGN, np.random.default_rng(1)
    )

    assert np.isnan(check_amplitudes(seen, fits, quantity, empty, 0.01).p_value).all()
    with pytest.raises(ConfigurationError):
        check_amplitudes(seen, fits, quantity, nothing(4), 1.5)
