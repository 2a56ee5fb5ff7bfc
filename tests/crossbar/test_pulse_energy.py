"""Energy of pulses, by what the cells read before them."""

import numpy as np
import pytest

from crossbar.attempts import AttemptPlan
from crossbar.ports import Readings
from crossbar.pulse_energy import PulseEnergy
from crossbar.pulses import Pulse, State

UP, DOWN = Pulse(amplitude=1.0, width=1e-7), Pulse(amplitude=-2.0, width=1e-7)
TYPICAL = 1e3
BOTH = np.array([0, 1])


def readings(*conductance, clamped=False):
    current = 0.1 * np.array(conductance)
    return Readings(voltage=0.1, current=current, in_compliance=np.full(len(current), clamped))


def test_the_last_reading_counts_until_the_next_pulse():
    """1 V for 100 ns: 0.1 nJ into the typical 1 kOhm, less into 5 and 10 kOhm."""
    energy = PulseEnergy(cells=3)
    energy.read(BOTH, readings(2e-4, 1e-4))

    energy.write(np.arange(3), UP, TYPICAL)
    assert energy.total == pytest.approx(1e-7 * (3e-4 + 1e-3))
    assert energy.typical == pytest.approx(1e-10)

    energy.write(BOTH, UP, TYPICAL)  # what the first pulse made of them, nobody has read
    assert energy.typical == pytest.approx(3e-10)


def test_a_state_read_once_is_known_again_after_the_same_polarity():
    """Each pulse meets what the other one left when that was looked at."""
    energy = PulseEnergy(cells=2)
    for pulse, found in ((UP, 2e-4), (DOWN, 1e-4)):
        energy.write(BOTH, pulse, TYPICAL)
        energy.read(BOTH, readings(found, found))
    before = energy.total

    energy.write(BOTH, UP, TYPICAL)
    assert energy.total - before == pytest.approx(2 * 1e-7 * 1e-4)
    energy.write(BOTH, DOWN, TYPICAL, times=3)
    assert energy.total - before == pytest.approx(2e-7 * (1e-4 + 4 * (2e-4 + 1e-4 + 1e-4)))


def test_attempts_go_to_and_fro():
    """Ten attempts: every write meets the restored state, every restore the written one."""
    plan = AttemptPlan(
        initial=State.LOW,
        restore=UP,
        write=DOWN,
        read_amplitude=0.1,
        threshold=np.full(2, 1.5e-4),
        attempts=10,
    )
    unknown, known = PulseEnergy(cells=2), PulseEnergy(cells=2)
    for pulse, found in ((UP, 2e-4), (DOWN, 1e-4)):
        known.write(BOTH, pulse, TYPICAL)
        known.read(BOTH, readings(found, found))
    before = known.total

    unknown.attempt(BOTH, plan, TYPICAL)
    known.attempt(BOTH, plan, TYPICAL)

    assert unknown.total == unknown.typical == pytest.approx(2 * 10 * 5e-7 * 1e-3)
    assert known.total - before == pytest.approx(2 * 10 * 1e-7 * (1e-4 + 4 * 2e-4))


def test_a_clamped_or_negative_reading_tells_nothing():
    """Neither is a conductance."""
    energy = PulseEnergy(cells=2)
    energy.read(BOTH, readings(1.0, 1.0, clamped=True))
    energy.read(BOTH, readings(-1e-9, -1e-9))

    energy.write(BOTH, UP, TYPICAL)

    assert energy.total == energy.typical == pytest.approx(2e-10)


def test_without_a_typical_resistance_the_unknown_part_is_0():
    """As where the bench file names none."""
    energy = PulseEnergy(cells=2)
    energy.read(np.array([0]), readings(1e-4))

    energy.write(BOTH, UP, np.inf)

    assert (energy.total, energy.typical) == (pytest.approx(1e-11), 0.0)
