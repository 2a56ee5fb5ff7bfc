import numpy as np
import pytest

from analysis.anomalies import rising_errors
from analysis.intervals import clopper_pearson
from analysis.switching_counts import SwitchingCounts
from crossbar.errors import ConfigurationError
from crossbar.pulses import State

AMPLITUDES = (0.3, 0.5, 0.7, 0.9)
WIDTHS = (5e-9, 20e-9)
PULSES = np.array([(volts, width) for width in WIDTHS for volts in AMPLITUDES])
FALLING = np.array([0.5, 0.1, 1e-3, 1e-5])


def counted(rates, attempts=10_000, cells=1, seed=1):
    """Counts of cells whose rates at the eight pulses are given."""
    amplitude, width = (np.tile(column, (cells, 1)) for column in PULSES.T)
    tried = np.full(amplitude.shape, attempts)
    return SwitchingCounts(
        cells=np.arange(cells),
        targets=(State.LOW,) * cells,
        amplitude=amplitude,
        width=width,
        attempts=tried,
        errors=np.random.default_rng(seed).binomial(tried, np.tile(rates, (cells, 1))),
    )


def test_errors_that_return_at_the_largest_amplitude_are_back_hopping():
    """A hundred-fold rise at the top of one width, seen beside a sound width."""
    rates = np.concatenate([FALLING, [0.1, 1e-3, 1e-4, 1e-2]])
    found = rising_errors(counted(rates))

    assert found.back_hopping[0] < 1e-6
    assert found.non_monotonic[0] == 1
    assert found.flagged[0]


def test_errors_that_rise_and_fall_again_are_not_back_hopping():
    """A hump in the middle of a width is called non-monotonic."""
    rates = np.concatenate([[0.5, 1e-3, 1e-2, 1e-4], FALLING])
    found = rising_errors(counted(rates))

    assert found.non_monotonic[0] < 1e-6
    assert found.back_hopping[0] == 1


@pytest.mark.parametrize("attempts", [50, 10_000])
def test_cells_without_any_fall_are_flagged_no_more_often_than_stated(attempts):
    """4,000 cells whose rate is the same everywhere, the hardest sound ones: at most 5 % at 5 %."""
    found = rising_errors(counted(np.full(8, 0.02), attempts, cells=4000), 0.05)

    assert clopper_pearson(found.flagged.sum(), 4000, 0.99)[0] <= 0.05


def test_falling_errors_are_never_flagged():
    """2,000 cells as they should be, at the default rate of one in a hundred: none."""
    rates = np.concatenate([FALLING, FALLING / 10])

    assert not rising_errors(counted(rates, cells=2000)).flagged.any()


def test_one_amplitude_says_nothing():
    """Nothing to compare: p-values of 1."""
    few = counted(np.full(8, 0.5))
    alone = SwitchingCounts(
        cells=few.cells,
        targets=few.targets,
        amplitude=few.amplitude[:, :1],
        width=few.width[:, :1],
        attempts=few.attempts[:, :1],
        errors=few.errors[:, :1],
    )
    assert rising_errors(alone).back_hopping[0] == 1


def test_an_impossible_rate_is_refused():
    """A false-alarm rate is a fraction."""
    with pytest.raises(ConfigurationError, match="between 0 and 1"):
        rising_errors(counted(np.full(8, 0.5)), 1.5)
