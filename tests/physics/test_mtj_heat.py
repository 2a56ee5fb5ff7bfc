"""Magnetic tunnel junctions left alone: heat flips the unstable ones."""

import numpy as np
import pytest

from crossbar.pulses import Pulse, State
from physics.retention import flip_time, flipped

CELLS = np.arange(5000)
LOW = Pulse.writing(State.LOW, 1.0, 100e-9)


class Hands:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.mark.parametrize("looks", [1, 7])
def test_unstable_cells_flip_as_brown_has_it(uniform_die, looks):
    """Delta 25, 0.3 mean times of waiting, looked at once or seven times: the flipped fraction."""
    die = uniform_die(delta=25.0)
    die.clock = clock = Hands()
    die.pulse(CELLS, LOW)
    assert die.low.all()
    mean = flip_time(np.array([25.0]), die.truth.cells.tau_d[:1])
    for look in range(looks):
        clock.now = 0.3 * mean[0] * (look + 1) / looks
        die.conductance(CELLS, 0.1)
    expected = flipped(0.3 * mean, mean)[0]
    assert 0.2 < expected < 0.25
    assert np.mean(~die.low) == pytest.approx(expected, abs=4 * np.sqrt(0.25 / len(CELLS)))


def test_stable_cells_draw_nothing_in_a_day(uniform_die):
    """Delta 60: the same bits as if no time had passed, so interrupted runs stay the same."""
    still, waited = uniform_die(), uniform_die()
    waited.clock = clock = Hands()
    for die in (still, waited):
        die.pulse(CELLS, LOW)
    clock.now = 86400.0
    assert np.array_equal(still.conduct(CELLS, 0.1), waited.conduct(CELLS, 0.1))
    assert np.array_equal(waited.looked_at, np.zeros(len(CELLS)))


def test_time_that_passed_counts_in_the_next_process(uniform_die):
    """A die that was saved before the wait flips after it, as often."""
    first, second = uniform_die(delta=25.0), uniform_die(delta=25.0)
    first.pulse(CELLS, LOW)
    second.clock = clock = Hands()
    second.restore(first.snapshot())
    clock.now = 1e9
    second.conductance(CELLS, 0.1)
    assert np.mean(second.low) == pytest.approx(0.5, abs=0.04)
