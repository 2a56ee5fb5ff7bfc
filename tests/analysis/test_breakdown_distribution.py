import numpy as np
import pytest
from scipy.stats import t as student

from analysis.breakdown_distribution import breakdown_fit, censored
from crossbar.errors import DataError
from crossbar.records import PulseTrain

RAMP = np.arange(1.0, 1.85, 0.05)


def ramps(breakdown, stop=1.8, steps=RAMP):
    """The records that ramps to ``stop`` leave of cells that break at these amplitudes."""
    found = []
    for cell, volts in enumerate(breakdown):
        ramp = steps[stop + 1e-9 >= steps]
        broken = volts <= ramp[-1]
        given = ramp[: np.searchsorted(ramp, volts) + 1] if broken else ramp
        found.append(
            PulseTrain(
                cell=cell,
                part=0,
                amplitude=np.concatenate([[np.nan], -given]),
                width=np.full(len(given) + 1, 1e-7),
                pulses=np.array([0] + [1] * len(given)),
                conductance=np.concatenate([[200e-6], np.full(len(given), 100e-6)]),
                read_amplitude=0.1,
                outcome="broken" if broken else "survived",
            )
        )
    return found


@pytest.mark.parametrize(("distribution", "stop"), [("log-normal", 1.8), ("Weibull", 1.55)])
def test_intervals_hold_the_truth_as_often_as_stated(distribution, stop):
    """60 lots of 40 cells, half of them survivors in the second case: most intervals hold."""
    generator = np.random.default_rng(4)
    held = []
    for _ in range(60):
        if distribution == "Weibull":
            scale = 0.05 * 6**0.5 / np.pi
            logs = scale * (np.log(generator.exponential(size=40)) - np.log(np.log(2)))
        else:
            logs = 0.05 * generator.standard_normal(40)
        fit = breakdown_fit(ramps(1.55 * np.exp(logs), stop), distribution)
        held.append(
            [fit.median.low <= 1.55 <= fit.median.high, fit.spread.low <= 0.05 <= fit.spread.high]
        )
    assert np.all(np.mean(held, axis=0) >= 0.87)
    assert np.mean(held) < 1


def test_in_fine_steps_the_median_has_students_interval():
    """Of ten log-normal amplitudes known to 0.05 %: mean of the logarithms +- t s / root 10."""
    logs = np.random.default_rng(6).normal(np.log(1.4), 0.05, 10)
    fit = breakdown_fit(ramps(np.exp(logs), steps=np.arange(1.0, 1.85, 0.0005)))
    low, high = student.interval(0.95, 9, np.mean(logs), np.std(logs, ddof=1) / 10**0.5)

    assert (fit.median.low, fit.median.high) == pytest.approx(np.exp([low, high]), abs=0.0006)


def test_what_a_ramp_says_is_an_interval_or_an_end():
    """Broken between two steps, or in the first, or not at all."""
    below, above = censored(ramps([1.32, 0.9, 2.5]))

    assert np.exp(below) == pytest.approx([1.3, 0, 1.8])
    assert np.exp(above) == pytest.approx([1.35, 1.0, np.inf])


def test_shorts_and_opens_are_left_out():
    """A cell that conducts three times the median in LOW was no junction to begin with."""
    trains = ramps([1.3, 1.4, 1.5, 1.6])
    trains[0].conductance[0] = 600e-6

    assert len(censored(trains)[0]) == 3


def test_one_step_tells_no_distribution():
    """All survived, or all broke in the same step: the message says how to ramp."""
    with pytest.raises(DataError, match="0 of 3 cells broke"):
        breakdown_fit(ramps([2.0, 2.1, 2.2]))
    with pytest.raises(DataError, match="smaller steps"):
        breakdown_fit(ramps([1.31, 1.32, 1.33]))
