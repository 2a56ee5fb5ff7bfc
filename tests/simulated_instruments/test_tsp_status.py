"""The status model against the reference manual: conditions, events, masks and the status byte."""

import pytest

from simulated_instruments.keithley_2600b import EmulatedKeithley2600B
from tests.simulated_instruments.tsp_messages import numbers

LIMITS = "status.measurement.instrument.smua"


@pytest.fixture
def smu(station) -> EmulatedKeithley2600B:
    return EmulatedKeithley2600B(station)


def test_limit_bits_wait_for_a_measurement(smu):
    """Bit 1 current, bit 0 voltage: updated by a measurement and by reading the compliance."""
    on = "smua.source.limiti = 1e-6 smua.source.levelv = 0.1 smua.source.output = 1"
    condition = f"print({LIMITS}.condition)"

    assert numbers(smu, on, condition) == [0]
    assert numbers(smu, "smua.measure.i()", condition) == [2]
    assert numbers(smu, "smua.source.levelv = 0", condition) == [2]
    assert numbers(smu, "x = smua.source.compliance", condition) == [0]
    current = "smua.source.func = 0 smua.source.limitv = 0.1 smua.source.leveli = 1e-3"
    assert numbers(smu, current, "smua.measure.v()", condition) == [1]


def test_overflow_and_buffer_bits(smu):
    """Bit 7 a reading that overflowed, bit 8 readings in a dedicated buffer."""
    ask = "smua.measure.rangei = 1e-6 smua.source.levelv = 0.1 smua.source.output = 1"
    assert numbers(smu, ask, "smua.measure.i()", f"print({LIMITS}.condition)") == [128]
    filled = "smua.measure.v(smua.nvbuffer1)"
    assert numbers(smu, filled, f"print({LIMITS}.condition)") == [256]
    assert numbers(smu, "smua.nvbuffer1.clear()", f"print({LIMITS}.condition)") == [0]


def test_events_stay_until_they_are_read(smu):
    """What came is an event, with the negative transition filter also what went."""
    clamped = "smua.source.limiti = 1e-6 smua.source.levelv = 0.1 smua.source.output = 1"
    free = "smua.source.levelv = 0 smua.measure.i()"
    event = f"print({LIMITS}.event)"

    assert numbers(smu, clamped, "smua.measure.i()", free, event, event) == [2, 0]
    assert numbers(
        smu, f"{LIMITS}.ntr = 2 {LIMITS}.ptr = 0", clamped, "smua.measure.i()", event
    ) == [0]
    assert numbers(smu, free, event) == [2]
    assert numbers(smu, f"status.reset() print({LIMITS}.ntr, {LIMITS}.ptr)") == [0, 65535]


def test_sweeps_show(smu):
    """Each sweep at least once, however short; as an event until that is read."""
    smu.receive(b"smub.trigger.initiate() waitcomplete()\n")
    condition = "print(status.operation.sweeping.condition, status.operation.condition)"

    assert numbers(smu, condition, condition) == [4, 0, 0, 0]
    event = "print(status.operation.sweeping.event, status.operation.event)"
    assert numbers(smu, event, event) == [4, 8, 0, 0]
    assert numbers(smu, "smua.trigger.initiate()", "*CLS", event) == [0, 0]


def test_measurement_events_are_summed_up(smu):
    """Channel, kind and instrument registers, up to bit 0 of the status byte, as enabled."""
    measurement = "status.measurement"
    smu.receive(b"*CLS\n")
    smu.receive(b"smua.source.limiti = 1e-6 smua.source.levelv = 0.1 smua.source.output = 1\n")
    kinds = f"print({measurement}.current_limit.condition, {measurement}.voltage_limit.condition)"
    assert numbers(smu, "smua.measure.i()", kinds) == [2, 0]
    assert numbers(smu, f"print({measurement}.condition)") == [0]  # nothing is enabled
    smu.receive(f"{measurement}.current_limit.enable = 2 {measurement}.enable = 2\n".encode())
    assert numbers(smu, f"print({measurement}.condition)") == [2]
    assert smu.status_byte() == 0x01
    through = (
        f"{LIMITS}.enable = 2 {measurement}.instrument.enable = 2 print({measurement}.condition)"
    )
    assert numbers(smu, through) == [0x2002]
    assert numbers(smu, f"print({measurement}.instrument.condition)") == [2]
    assert numbers(smu, "status.reset()", "*STB?") == [0]


def test_status_byte(smu):
    """Bits 2 and 4 always show; events of bits 5 and 7 as enabled; bit 6 is what was asked for."""
    smu.receive(b"*CLS\n")
    assert smu.status_byte() == 0
    smu.receive(b"smua.source.limiti = 0 print(1)\n")
    assert smu.status_byte() == 0x04 | 0x10
    smu.receive(b"*ESE 16\n")
    assert smu.status_byte() == 0x04 | 0x10 | 0x20
    smu.receive(b"*SRE 4\n")
    assert smu.status_byte() == 0x04 | 0x10 | 0x20 | 0x40
    assert numbers(smu, "*CLS", "*STB?") == [0]
    assert numbers(smu, "*ESE?", "*SRE?") == [16, 4]
    smu.receive(b"status.operation.enable = 8 smua.trigger.initiate()\n")
    assert smu.status_byte() == 0x80
    assert numbers(smu, "print(status.request_enable, status.standard.enable)") == [4, 16]


def test_masks_out_of_range(smu):
    """*SRE takes a byte, and what is no number is no command."""
    for sent in ("*SRE 256", "*ESE 65536", "*ESE x", "*SRE -1"):
        smu.receive(sent.encode() + b"\n")
        assert len(smu.errors.entries) == 1, sent
        smu.errors.clear()
    assert numbers(smu, "*SRE?") == [0]


@pytest.mark.parametrize("asked", ["*OPC", "opc()"])
def test_completion_is_an_event(smu, asked):
    """Bit 0 of the standard event register, not before the sweep has ended."""
    sweep = "smua.trigger.arm.stimulus = trigger.EVENT_ID smua.trigger.initiate()"
    assert numbers(smu, "*CLS", sweep, asked, "*ESR?") == [0]
    assert numbers(smu, "*TRG", "waitcomplete()", "*ESR?", "*ESR?") == [1, 0]
