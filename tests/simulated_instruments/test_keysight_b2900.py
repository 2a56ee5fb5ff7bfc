import struct

import numpy as np
import pytest

from crossbar.geometry import DieAddress, DieGeometry
from physics.wafer import SimulatedWafer
from simulated_instruments.keysight_b2900 import EmulatedKeysightB2900
from simulated_instruments.probe_station import ProbeStation

DIE = DieAddress(0, 0)
READY = b":OUTP:ON:AUTO OFF;:FORM:ELEM:SENS VOLT,CURR;:SENS:CURR:PROT 1E-3;:OUTP ON"


def make(model="B2902B"):
    wafer = SimulatedWafer(
        addresses=[DIE], geometry=DieGeometry(subarrays=1, rows=5, columns=5), seed=3
    )
    station = ProbeStation(wafer=wafer, die_under_needles=DIE, in_contact=True, measured_cell=12)
    return EmulatedKeysightB2900(station, model)


@pytest.fixture
def smu():
    emulator = make()
    ask(emulator, READY)
    assert not emulator.errors
    return emulator


def ask(emulator, message):
    emulator.receive(message + b"\n")
    reply = b"".join(emulator.replies)
    emulator.replies.clear()
    return reply.decode("latin-1").rstrip("\n")


def numbers(text):
    return [float(field) for field in text.split(",")]


def test_a_reading_is_the_cells_current(smu):
    """And the compliance clamps it, which TRIPped tells."""
    volts, amperes = numbers(ask(smu, b":SOUR:VOLT 0.1;:MEAS? (@1)"))
    expected = 0.1 * smu.station.die.conductance(np.array([12]), 0.1)[0]
    assert volts == pytest.approx(0.1)
    assert amperes == pytest.approx(expected, rel=0.05)
    assert ask(smu, b":SENS:CURR:PROT:TRIP?") == "0"

    volts, amperes = numbers(ask(smu, b":SENS:CURR:PROT 1E-6;:MEAS? (@1)"))
    assert amperes == pytest.approx(1e-6)
    assert volts < 0.1
    assert ask(smu, b":SENS:CURR:PROT:TRIP?") == "1"


def test_outputs_go_on_by_themselves_unless_told_not_to():
    """The trap of a B2900 as it comes from the factory."""
    emulator = make()
    ask(emulator, b":SOUR:VOLT 0.1;:MEAS? (@1)")
    assert ask(emulator, b":OUTP?") == "1"

    ask(emulator, b"*RST;:OUTP:ON:AUTO OFF;:SOUR:VOLT 0.1;:MEAS? (@1)")
    assert ask(emulator, b":OUTP?") == "0"


def test_output_protection_switches_off_in_compliance(smu):
    ask(smu, b":OUTP:PROT ON;:SENS:CURR:PROT 1E-7;:SOUR:VOLT 0.1;:MEAS? (@1)")
    assert ask(smu, b":OUTP?") == "0"


def test_list_and_staircase_sweeps(smu):
    """READ? gives every point; afterwards the immediate level is back."""
    ask(smu, b":SOUR:VOLT:MODE LIST;:SOUR:LIST:VOLT 0.05,-0.05,0.1;:TRIG:COUN 3")
    assert numbers(ask(smu, b":READ?"))[::2] == pytest.approx([0.05, -0.05, 0.1])

    ask(smu, b":SOUR:VOLT:MODE SWE;STAR 0;STOP 0.1;POIN 5;:TRIG:COUN 5;:INIT (@1);*OPC?")
    found = numbers(ask(smu, b":FETC:ARR? (@1)"))
    assert found[::2] == pytest.approx([0, 0.025, 0.05, 0.075, 0.1])
    assert smu.channels[0].level_volts == 0


def test_the_bus_steps_a_sweep_and_opc_waits_for_it(smu):
    ask(smu, b":SOUR:VOLT:MODE LIST;:SOUR:LIST:VOLT 0.05,0.1;:TRIG:COUN 2;:TRIG:SOUR BUS;:INIT")
    assert ask(smu, b"*OPC?") == ""
    ask(smu, b"*TRG")
    assert ask(smu, b"*OPC?") == ""
    ask(smu, b"*TRG")
    assert ask(smu, b"*OPC?") == "1"
    assert len(numbers(ask(smu, b":FETC:ARR?"))) == 4
    assert ask(smu, b"*TRG;:SYST:ERR?").startswith("-211,")


def test_abort_leaves_the_immediate_level(smu):
    ask(smu, b":TRIG:SOUR EXT1;:INIT")
    assert ask(smu, b":ABOR;*OPC?") == "1"


def test_the_timer_sets_the_pace(smu):
    before = smu.station.clock.now
    ask(smu, b":TRIG:SOUR TIM;TIM 0.5;COUN 4;:INIT")
    assert smu.station.clock.now - before == pytest.approx(2.0)


def test_binary_readings_are_the_same_numbers(smu):
    """REAL,64 and its byte order."""
    text = numbers(ask(smu, b":SOUR:VOLT 0.1;:MEAS? (@1);:FORM REAL,64"))
    for order, letter in ((b"NORM", ">"), (b"SWAP", "<")):
        reply = ask(smu, b":FORM:BORD " + order + b";:FETC:ARR? (@1)").encode("latin-1")
        assert reply[:4] == b"#216"
        assert struct.unpack(f"{letter}2d", reply[4:]) == pytest.approx(text, rel=1e-8)


def test_a_pulse_returns_to_its_base(smu):
    """Peak for the width only."""
    before = smu.station.clock.now
    ask(smu, b":FUNC PULS;:SOUR:VOLT:TRIG 0.1;:SOUR:PULS:WIDT 0.01;:INIT")
    assert smu.station.clock.now - before == pytest.approx(0.01)
    assert smu.channels[0].level_volts == 0


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (b":SOUR:VOLT 300", -222),
        (b":SENS:CURR:PROT 0", -222),
        (b":SOUR:VOLT:MODE WAVE", -224),
        (b":MEAS? 1", -104),
        (b":MEAS? (@3)", -222),
        (b":FETC:ARR? (@1)", -230),
        (b":SOUR:NOISE 1", -113),
        (b':SENS:FUNC "CAP"', -224),
    ],
)
def test_refusals(smu, message, error):
    assert ask(smu, message + b";:SYST:ERR?").startswith(f"{error},")


def test_one_channel_models_have_no_second():
    emulator = make("B2901B")
    assert ask(emulator, b":SOUR2:VOLT 0.1;:SYST:ERR?").startswith("-114,")
    assert ask(emulator, b"*IDN?").split(",")[1] == "B2901B"


def test_both_channels_at_once(smu):
    """The second is open."""
    found = numbers(ask(smu, b":SOUR1:VOLT 0.1;:SOUR2:VOLT 0.1;:OUTP2 ON;:MEAS? (@1,2)"))
    assert found[1] > 0
    assert found[3] == 0
