import struct

import numpy as np
import pytest

from simulated_instruments.keithley_2450 import EmulatedKeithley2450
from tests.simulated_instruments.scpi_messages import ask, numbers
from tests.simulated_instruments.stations import CELL

READY = b":SOUR:VOLT:ILIM 1E-3;:OUTP ON"
NO_ERROR = '0,"No error;0;0 0"'


@pytest.fixture
def smu(station):
    emulator = EmulatedKeithley2450(station)
    ask(emulator, READY)
    assert not emulator.errors
    return emulator


def test_a_reading_is_the_cells_current(smu):
    """And the limit clamps it, which TRIPped and the source status tell."""
    amperes = float(ask(smu, b":SOUR:VOLT 0.1;:READ?"))
    expected = 0.1 * smu.station.die.conductance(np.array([CELL]), 0.1)[0]
    assert amperes == pytest.approx(expected, rel=0.05)
    assert ask(smu, b":SOUR:VOLT:ILIM:TRIP?") == "0"

    reply = ask(smu, b':SOUR:VOLT:ILIM 1E-6;:READ? "defbuffer1", READ, SOUR, SOURSTAT')
    amperes, volts, status = numbers(reply)
    assert amperes == pytest.approx(1e-6)
    assert volts < 0.1
    assert int(status) == 128 | 32
    assert ask(smu, b":SOUR:VOLT:ILIM:TRIP?") == "1"


def test_functions(smu):
    """Volts, amperes and ohms of one cell."""
    volts = float(ask(smu, b":SOUR:VOLT 0.1;:MEAS:VOLT?"))
    amperes = float(ask(smu, b":MEAS:CURR?"))
    ohms = float(ask(smu, b":MEAS:RES?"))
    assert volts == pytest.approx(0.1)
    assert ohms == pytest.approx(volts / amperes, rel=0.1)
    assert ask(smu, b":SENS:FUNC?") == '"RES"'
    assert ask(smu, b":SENS:FUNC 'CURR:DC';:SENS:FUNC?") == '"CURR:DC"'


def test_a_current_source_and_its_voltage_limit(smu):
    ask(smu, b':SOUR:FUNC CURR;:SENS:FUNC "VOLT";:SOUR:CURR:VLIM 0.05;:SOUR:CURR 1E-6')
    assert 0 < float(ask(smu, b":READ?")) < 0.05
    assert float(ask(smu, b":SOUR:CURR 1E-3;:READ?")) == pytest.approx(0.05)
    assert ask(smu, b":SOUR:CURR:VLIM:TRIP?;:SOUR:VOLT:ILIM:TRIP?") == "1;0"


def test_with_the_output_off_nothing_flows(smu):
    assert float(ask(smu, b":SOUR:VOLT 0.1;:OUTP OFF;:READ?")) == 0
    assert ask(smu, b"*RST;:OUTP?;:SOUR:VOLT:ILIM?") == "0;1.050000E-04"


def test_ranges_are_chosen_and_stay_chosen(smu):
    """A reading beyond a range that was set overflows; automatic ranges follow the reading."""
    assert ask(smu, b":SENS:CURR:RANG 3E-6;:SENS:CURR:RANG?;RANG:AUTO?") == "1.000000E-05;0"
    assert float(ask(smu, b":SOUR:VOLT 0.1;:READ?")) == 9.9e37
    ask(smu, b":SENS:CURR:RANG:AUTO ON;:READ?")
    assert float(ask(smu, b":SENS:CURR:RANG?")) == pytest.approx(1e-4)
    assert ask(smu, b":SOUR:VOLT:RANG 20;:SOUR:VOLT:RANG?") == "2.000000E+01"


def test_buffers(smu):
    """Counted readings land in the buffer that is named; statistics are of them."""
    assert ask(smu, b":TRAC:MAKE 'mine', 20;:SOUR:VOLT 0.1;:SENS:COUN 5;:TRAC:TRIG 'mine'") == ""
    assert ask(smu, b":TRAC:ACT? 'mine';:TRAC:ACT?;:TRAC:POIN? 'mine'") == "5;0;20"
    found = numbers(ask(smu, b":TRAC:DATA? 1,5,'mine'"))
    assert len(found) == 5
    mean = float(ask(smu, b":TRAC:STAT:AVER? 'mine'"))
    assert mean == pytest.approx(np.mean(found), rel=1e-5)
    assert float(ask(smu, b":TRAC:STAT:PK2P? 'mine'")) == pytest.approx(np.ptp(found), rel=1e-3)
    assert float(ask(smu, b":FETC? 'mine'")) == found[-1]
    assert ask(smu, b":TRAC:CLE 'mine';ACT? 'mine';:TRAC:DEL 'mine';ACT? 'mine'") == "0"
    assert ask(smu, b":SYST:ERR?").startswith("-224,")


def test_a_full_buffer_keeps_the_newest_or_the_oldest(smu):
    ask(smu, b":TRAC:POIN 3;:SENS:COUN 4;:READ?")
    began = numbers(ask(smu, b":TRAC:DATA? 1,3,'defbuffer1',REL"))[0]
    assert began == 0
    newest = ask(smu, b":TRAC:DATA? 1,3")
    ask(smu, b":TRAC:FILL:MODE ONCE;:READ?")
    assert ask(smu, b":TRAC:DATA? 1,3") == newest


def test_elements_with_text(smu):
    reply = ask(smu, b":SOUR:VOLT 0.1;:READ? 'defbuffer1', DATE, TIME, UNIT, SOURUNIT, SOURFORM")
    assert reply.split(",") == ["01/01/2026", "00:00:00.020100", "Amp DC", "Volt DC", "0.1 Volt"]


def test_a_linear_sweep_fills_the_buffer_and_ends_with_the_output_off(smu):
    ask(smu, b":SOUR:VOLT:DEL 0.25;:SENS:CURR:NPLC 0.01")
    ask(smu, b":SOUR:SWE:VOLT:LIN 0, 0.1, 5, 0.5, 2, AUTO, OFF, ON, 'defbuffer2'")
    before = smu.station.clock.now
    ask(smu, b":INIT;*WAI")
    assert smu.station.clock.now - before == pytest.approx(20 * 0.75, rel=0.01)
    volts = numbers(ask(smu, b":TRAC:DATA? 1, 20, 'defbuffer2', SOUR"))
    up = [0, 0.025, 0.05, 0.075, 0.1]
    assert volts == pytest.approx((up + up[::-1]) * 2)
    assert ask(smu, b":OUTP?") == "0"


@pytest.mark.parametrize(
    ("message", "levels"),
    [
        (b":SOUR:SWE:VOLT:LIN:STEP 0.1, 0, -0.05", [0.1, 0.05, 0]),
        (b":SOUR:SWE:VOLT:LOG 0.001, 0.1, 3", [0.001, 0.01, 0.1]),
        (b":SOUR:LIST:VOLT 0.1,-0.1,0.05;:SOUR:SWE:VOLT:LIST 2", [-0.1, 0.05]),
    ],
)
def test_other_sweeps(smu, message, levels):
    ask(smu, message + b";:INIT")
    end = str(len(levels)).encode()
    assert numbers(ask(smu, b":TRAC:DATA? 1," + end + b",'defbuffer1',SOUR")) == pytest.approx(
        levels
    )


def test_a_limit_ends_a_sweep(smu):
    """Unless told not to."""
    ask(smu, b":SOUR:VOLT:ILIM 1E-6;:SOUR:SWE:VOLT:LIN 0,0.1,11;:INIT")
    assert int(ask(smu, b":TRAC:ACT?")) < 11
    ask(smu, b":TRAC:CLE;:SOUR:SWE:VOLT:LIN 0,0.1,11,0,1,BEST,OFF;:INIT")
    assert ask(smu, b":TRAC:ACT?") == "11"


@pytest.mark.parametrize(("encoding", "letter"), [(b"REAL", "d"), (b"SRE", "f")])
def test_binary_readings_are_the_same_numbers(smu, encoding, letter):
    text = numbers(ask(smu, b":SOUR:VOLT 0.1;:SENS:COUN 3;:READ?;:TRAC:DATA? 1,3").split(";")[1])
    for order, sign in ((b"NORM", ">"), (b"SWAP", "<")):
        reply = ask(smu, b":FORM " + encoding + b";:FORM:BORD " + order + b";:TRAC:DATA? 1,3")
        assert reply[:2] == "#0"
        found = struct.unpack(f"{sign}3{letter}", reply[2:].encode("latin-1"))
        assert found == pytest.approx(text, rel=1e-6)


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (b":SOUR:VOLT 211", -222),
        (b":SOUR:VOLT:ILIM 0", -222),
        (b":SOUR:VOLT:ILIM 2", -222),
        (b":SOUR:VOLT:ILIM 1;:SOUR:VOLT 30", -221),
        (b":SOUR:VOLT:ILIM 1;:SOUR:SWE:VOLT:LIN 0,30,5", -221),
        (b":SENS:CURR:RANG 1", -221),
        (b":SENS:FUNC 'CAP'", -224),
        (b":SENS:FUNC CURR", -104),
        (b":INIT", -200),
        (b":TRAC:DATA? 1,2", -222),
        (b":READ? 'nobody'", -224),
        (b":TRAC:DEL 'defbuffer1'", -224),
        (b":TRAC:FEED SENSE", -113),
        (b":SOUR:SWE:VOLT:LIN 0,1,100000", -221),
        (b":SOUR:SWE:VOLT:LIN:STEP 0,1,-0.1", -222),
        (b":SOUR:SWE:CURR:LIN 0,1E-6,5;:INIT", -221),
        (b":SENS:COUN 300000;:READ?", -221),
    ],
)
def test_refusals(smu, message, error):
    assert ask(smu, message + b";:SYST:ERR?").startswith(f"{error},")
    assert ask(smu, b":SYST:ERR?") == NO_ERROR


def test_a_refused_range_leaves_autorange_on(smu):
    ask(smu, b":SENS:CURR:RANG 1")
    assert ask(smu, b":SENS:CURR:RANG:AUTO?") == "1"


def test_limits_of_a_setting_can_be_asked_for(smu):
    assert ask(smu, b":SOUR:VOLT:ILIM? MIN;ILIM? MAX;ILIM? DEF").split(";") == [
        "1.000000E-09",
        "1.050000E+00",
        "1.050000E-04",
    ]
    assert ask(smu, b":SOUR:VOLT:ILIM DEF;ILIM?") == "1.050000E-04"


def test_sourcing_writes_the_cell(smu):
    """A held level is a pulse."""
    die = smu.station.die
    before = die.pulses_given[CELL]
    ask(smu, b":SOUR:VOLT 1;:READ?;:OUTP OFF")
    assert die.pulses_given[CELL] > before
