"""HfOx dies left alone: drift, noise with a memory, and what a new writing makes of them."""

from dataclasses import replace

import numpy as np
import pytest

from crossbar.attempts import AttemptPlan
from crossbar.geometry import DieAddress
from crossbar.pulses import Pulse, State
from physics.hfox import HfOxPopulation
from physics.hfox_time import HfOxTimePopulation
from physics.wafer import SimulatedWafer

HERE = DieAddress(0, 0)
CELLS = np.arange(5000)
FORM = Pulse(amplitude=3.3, width=1e-6)
SET, RESET = Pulse(amplitude=2.0, width=1e-6), Pulse(amplitude=-2.0, width=1e-6)


class Hands:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def aged():
    """A die of formed cells, every second one HIGH, its clock, and which cells switch."""
    wafer = SimulatedWafer(
        addresses=[HERE], seed=2, population=HfOxPopulation(), current_limit=lambda: 100e-6
    )
    wafer.clock = clock = Hands()
    die = wafer.die(HERE)
    for pulse in (FORM, SET):
        die.pulse(CELLS, pulse)
    die.pulse(CELLS[1::2], RESET)
    works = CELLS[np.isnan(die.truth.fixed[CELLS]) & die.formed[CELLS]]
    return die, clock, works


def test_cells_drift_apart_by_a_power_of_time(aged):
    """After 10,000 s: mean and spread of ln G in both states, as their populations have them."""
    die, clock, works = aged
    before = die.conductance(works, 0.2)
    clock.now = 1e4
    change = np.log(die.conductance(works, 0.2) / before)
    population, folds = die.truth.population.time, np.log1p(1e4)
    for chosen, drift in (
        (die.low[works], population.low_drift),
        (~die.low[works], population.high_drift),
    ):
        count = chosen.sum()
        error = 4 * drift.spread * folds / np.sqrt(count)
        assert np.mean(change[chosen]) == pytest.approx(-drift.exponent * folds, abs=error)
        assert np.std(change[chosen]) == pytest.approx(drift.spread * folds, rel=0.1)


def test_writing_begins_drift_anew(aged):
    """Written again, a LOW cell has its own conductance again, and another drift."""
    die, clock, works = aged
    low = works[die.low[works]]
    first = np.log(die.conductance(low, 0.2))
    clock.now = 1e6
    drift = np.log(die.conductance(low, 0.2)) - first
    die.pulse(low, RESET)
    die.pulse(low, SET)
    second = np.log(die.conductance(low, 0.2))
    clock.now = 2e6
    again = np.log(die.conductance(low, 0.2)) - second
    assert abs(np.corrcoef(drift, again)[0, 1]) < 0.1
    # medians: a few cells miss the pulses, and stay HIGH
    assert np.median(np.abs(again)) == pytest.approx(np.median(np.abs(drift)), rel=0.15)


def test_readings_at_one_moment_differ_by_white_noise_only(aged):
    """Of HIGH cells: 0.6 % from one reading to the next; ten times that an hour apart."""
    die, clock, works = aged
    high = works[~die.low[works]][:800]
    now, again = die.conduct(high, 0.1), die.conduct(high, 0.1)
    typical = 0.6745 * 0.006 * np.sqrt(2)
    assert np.median(np.abs(np.log(again / now))) == pytest.approx(typical, rel=0.15)
    clock.now = 3600.0
    drift = np.log(die.conductance(high, 0.1))
    clock.now = 0.0
    drift -= np.log(die.conductance(high, 0.1))
    clock.now = 3600.0
    later = np.log(np.maximum(die.conduct(high, 0.1) / now, 1e-3)) - drift
    assert np.median(np.abs(later)) > 0.02


def test_attempts_misread_as_often_as_readings_do(aged):
    """HIGH cells read above a threshold near their own conductance: by attempts that write
    nothing, and by readings at moments far apart, equally often within 4 standard errors.
    """
    die, clock, works = aged
    high = works[~die.low[works]][:60]
    still = replace(HfOxTimePopulation().high_drift, exponent=0.0, spread=0.0)
    still_population = replace(die.truth.population.time, high_drift=still)
    die.time = replace(die.time, population=still_population)
    threshold = 1.02 * die.conductance(high, 0.2)
    readings = []
    for number in range(200):
        clock.now = 1e5 * number
        readings.append(die.conduct(high, 0.2) / 0.2 >= threshold)
    expected = np.mean(readings)
    nothing = Pulse(amplitude=-0.01, width=1e-6)
    plan = AttemptPlan(
        initial=State.HIGH,
        restore=nothing,
        write=Pulse(amplitude=0.01, width=1e-6),
        read_amplitude=0.2,
        threshold=threshold,
        attempts=200,
    )
    counts = die.attempt(high, plan)
    share = counts.rejected.sum() / (200 * len(high))
    assert 0.1 < expected < 0.5
    assert share == pytest.approx(expected, abs=4 * np.sqrt(0.25 / 12_000) + 0.02)


def test_time_goes_on_in_another_process(aged, tmp_path):
    """Saved and loaded, the same moment shows the same noise and drift to the last bit."""
    die, clock, works = aged
    clock.now = 500.0
    state = die.snapshot()
    other = SimulatedWafer(
        addresses=[HERE], seed=2, population=HfOxPopulation(), current_limit=lambda: 100e-6
    )
    other.clock = clock
    other.die(HERE).restore(state)
    assert np.array_equal(other.die(HERE).conduct(works, 0.1), die.conduct(works, 0.1))
