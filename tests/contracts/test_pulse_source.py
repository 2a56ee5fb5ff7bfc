"""What every instrument that sends pulses must do; a new one in the catalog is covered as well."""

import numpy as np
import pytest

from crossbar.errors import LimitError
from crossbar.pulses import Pulse

ROLES = ("pulse_generator", "pulse_measure_unit")


def prepare(rig):
    """Ready to send what the cell bears."""
    highest = max(1.5, rig.driver.reach.smallest)
    if rig.role == "pulse_measure_unit":
        rig.driver.prepare(highest, 1e-3)
    else:
        rig.driver.prepare(highest)


def pulses_of(rig):
    """One of each sign that the source can send."""
    reach = rig.driver.reach
    amplitude = reach.nearest(max(1.0, reach.smallest))
    width = min(max(100e-9, reach.shortest), reach.longest)
    return [Pulse(amplitude=sign * amplitude, width=width) for sign in reach.signs]


def test_one_apply_is_one_pulse_on_one_cell(rig):
    """Neither none nor two, and no other cell."""
    prepare(rig)
    for count, pulse in enumerate(pulses_of(rig) * 2, 1):
        rig.driver.apply(pulse)
        assert rig.die.pulses_given[rig.cell] == count
    assert np.flatnonzero(rig.die.pulses_given).tolist() == [rig.cell]
    rig.driver.check_errors()


def test_preparing_and_switching_off_pulse_nothing(rig):
    rig.driver.off()
    prepare(rig)
    rig.driver.off()
    rig.driver.off()
    assert not rig.die.pulses_given.any()


def test_what_it_cannot_do_is_refused_and_not_sent(rig):
    """Strictly, not clipped."""
    prepare(rig)
    fair, reach = pulses_of(rig)[0], rig.driver.reach
    wrong = [
        Pulse(amplitude=fair.amplitude, width=reach.shortest / 2),
        Pulse(amplitude=fair.amplitude, width=reach.longest * 2),
        Pulse(amplitude=reach.signs[0] * reach.largest * 1.1, width=fair.width),
        Pulse(amplitude=reach.signs[0] * reach.smallest * 0.9, width=fair.width),
    ]
    if len(reach.signs) == 1:
        wrong.append(Pulse(amplitude=-fair.amplitude, width=fair.width))
    for pulse in wrong:
        with pytest.raises(LimitError):
            rig.driver.apply(pulse)
    assert not rig.die.pulses_given.any()


def test_an_armed_source_sends_one_pulse_a_trigger_until_off(rig):
    """Where there is a trigger input."""
    if not hasattr(rig.driver, "arm_external"):
        assert not hasattr(rig.emulator, "trigger_input")
        return
    prepare(rig)
    rig.driver.arm_external(pulses_of(rig)[-1])
    assert not rig.die.pulses_given.any()
    for count in (1, 2):
        rig.emulator.external_trigger()
        assert rig.die.pulses_given[rig.cell] == count
    rig.driver.off()
    rig.emulator.external_trigger()
    assert rig.die.pulses_given[rig.cell] == 2


def test_its_own_limits_hold_what_it_was_told(rig):
    """Where the instrument has limits of its own, they are in force and read back."""
    prepare(rig)
    highest = max(1.5, rig.driver.reach.smallest)
    for protection in rig.driver.protections():
        assert protection.in_force, protection
        if protection.unit == "V":
            assert abs(protection.value) <= highest * 1.01
