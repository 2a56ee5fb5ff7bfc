import math
import struct

import numpy as np
import pytest

from crossbar.errors import ConfigurationError
from simulated_instruments.keysight_b2900 import EmulatedKeysightB2900
from tests.simulated_instruments.scpi_messages import ask, numbers
from tests.simulated_instruments.stations import CELL

READY = b":OUTP:ON:AUTO OFF;:FORM:ELEM:SENS VOLT,CURR;:SENS:CURR:PROT 1E-3;:OUTP ON"


@pytest.fixture
def smu(station):
    emulator = EmulatedKeysightB2900(station)
    ask(emulator, READY)
    assert not emulator.errors
    return emulator


def test_a_reading_is_the_cells_current(smu):
    """And the compliance clamps it, which TRIPped tells."""
    volts, amperes = numbers(ask(smu, b":SOUR:VOLT 0.1;:MEAS? (@1)"))
    expected = 0.1 * smu.station.die.conductance(np.array([CELL]), 0.1)[0]
    assert volts == pytest.approx(0.1)
    assert amperes == pytest.approx(expected, rel=0.05)
    assert ask(smu, b":SENS:CURR:PROT:TRIP?") == "0"

    volts, amperes = numbers(ask(smu, b":SENS:CURR:PROT 1E-6;:MEAS? (@1)"))
    assert amperes == pytest.approx(1e-6)
    assert volts < 0.1
    assert ask(smu, b":SENS:CURR:PROT:TRIP?") == "1"


def test_outputs_go_on_by_themselves_unless_told_not_to(station):
    """The trap of a B2900 as it comes from the factory."""
    emulator = EmulatedKeysightB2900(station)
    ask(emulator, b":SOUR:VOLT 0.1;:MEAS? (@1)")
    assert ask(emulator, b":OUTP?") == "1"

    ask(emulator, b"*RST;:OUTP:ON:AUTO OFF;:SOUR:VOLT 0.1;:MEAS? (@1)")
    assert ask(emulator, b":OUTP?") == "0"


def test_output_protection_switches_off_in_compliance(smu):
    """At once, and the questionable register says so until the output is on again."""
    ask(smu, b":OUTP:PROT ON;:SENS:CURR:PROT 1E-7;:SOUR:VOLT 0.1")
    assert ask(smu, b":OUTP?;:STAT:QUES:COND?") == "0;4"
    assert ask(smu, b":SOUR:VOLT 0;:OUTP ON;:OUTP?;:STAT:QUES:COND?") == "1;0"


def test_nothing_measured_is_not_a_number(smu):
    """As text, and in binary data."""
    assert ask(smu, b":FETC? (@1)") == "+9.910000E+37,+9.910000E+37"
    reply = ask(smu, b":FORM REAL,64;:SENS:DATA:LAT?").encode("latin-1")
    assert all(map(math.isnan, struct.unpack(">2d", reply[4:])))


@pytest.mark.parametrize(
    ("encoding", "header", "letter", "precision"),
    [(b"REAL,32", b"#18", "f", 1e-7), (b"REAL,64", b"#216", "d", 1e-15), (b"REAL", b"#18", "f", 1)],
)
def test_binary_readings_are_the_same_numbers(smu, encoding, header, letter, precision):
    """Both widths and both byte orders."""
    text = numbers(ask(smu, b":SOUR:VOLT 0.1;:MEAS? (@1);:FORM " + encoding))
    for order, sign in ((b"NORM", ">"), (b"SWAP", "<")):
        reply = ask(smu, b":FORM:BORD " + order + b";:FETC:ARR? (@1)").encode("latin-1")
        assert reply[: len(header)] == header
        found = struct.unpack(f"{sign}2{letter}", reply[len(header) :])
        assert found == pytest.approx(text, rel=1e-6)
        assert found[0] == pytest.approx(0.1, rel=precision)


def test_elements_come_in_their_own_order(smu):
    """Whatever the order in which they were asked for; resistance has to be enabled."""
    ask(smu, b':FORM:ELEM:SENS SOUR,STAT,RES,CURR,VOLT;:SENS:FUNC "RES"')
    assert ask(smu, b":FORM:ELEM:SENS?") == "VOLT,CURR,RES,STAT,SOUR"
    volts, amperes, ohms, status, sourced = numbers(ask(smu, b":SOUR:VOLT 0.1;:MEAS?"))
    assert ohms == pytest.approx(volts / amperes, rel=1e-5)
    assert (status, sourced) == (0, 0.1)

    ask(smu, b":SENS:FUNC:OFF 'VOLTAGE:DC',\"RES\"")
    assert ask(smu, b":SENS:FUNC?;:SENS:FUNC:OFF?") == '"CURR";"VOLT","RES"'
    volts, amperes, ohms, *_ = numbers(ask(smu, b":FETC?"))
    assert volts == ohms == 9.91e37
    assert amperes > 0


def test_spot_measurements_of_one_quantity(smu):
    """Measured whether enabled or not."""
    ask(smu, b":SENS:FUNC:OFF:ALL;:SOUR:VOLT 0.1")
    volts = float(ask(smu, b":MEAS:VOLT? (@1)"))
    amperes = float(ask(smu, b":MEAS:CURR:DC?"))
    ohms = float(ask(smu, b":MEAS:RES? (@1)"))
    assert volts == pytest.approx(0.1)
    assert ohms == pytest.approx(volts / amperes, rel=0.05)


def test_a_current_source_and_its_voltage_compliance(smu):
    """The status says which source it is and whether it is clamped."""
    ask(smu, b":OUTP OFF;:FORM:ELEM:SENS VOLT,CURR,STAT;:SOUR:FUNC:MODE CURR;:SENS:VOLT:PROT 1")
    volts, amperes, status = numbers(ask(smu, b":SOUR:CURR 1E-6;:OUTP ON;:MEAS?"))
    resistance = 1 / smu.station.die.conductance(np.array([CELL]), 0.01)[0]
    assert amperes == pytest.approx(1e-6)
    assert volts == pytest.approx(1e-6 * resistance, rel=0.1)
    assert status == 1

    volts, amperes, status = numbers(ask(smu, b":SENS:VOLT:PROT 3E-3;:SOUR:CURR -1E-6;:MEAS?"))
    assert volts == pytest.approx(-3e-3)
    assert abs(amperes) < 1e-6
    assert status == 1 + 2
    assert ask(smu, b":SENS:VOLT:PROT:TRIP?;:SENS:CURR:PROT:TRIP?") == "1;0"


def test_a_fixed_range_overflows(smu):
    """Infinity, and bit 13 of the status."""
    ask(smu, b":FORM:ELEM:SENS CURR,STAT;:SENS:CURR:RANG:AUTO OFF;:SENS:CURR:RANG 1E-7")
    assert ask(smu, b":SENS:CURR:RANG?") == "+1.000000000E-07"
    assert numbers(ask(smu, b":SOUR:VOLT 0.1;:MEAS?")) == [9.9e37, 8192]
    assert numbers(ask(smu, b":SOUR:VOLT -0.1;:MEAS?")) == [-9.9e37, 8192]
    reply = ask(smu, b":FORM REAL,64;:FETC:CURR?").encode("latin-1")
    assert struct.unpack(">d", reply[3:]) == (-math.inf,)
    assert numbers(ask(smu, b":FORM ASC;:SENS:CURR:RANG 1E-3;:MEAS?"))[1] == 0


def test_integration_time_costs_time(smu):
    """In line cycles or seconds, at 50 or 60 Hz."""
    before = smu.station.clock.now
    ask(smu, b":SENS:CURR:NPLC 10;:MEAS?")
    assert smu.station.clock.now - before == pytest.approx(0.2, abs=1e-3)
    assert float(ask(smu, b":SENS:VOLT:APER?")) == pytest.approx(0.2)
    assert float(ask(smu, b":SYST:LFR 60;:SENS:CURR:APER 0.1;:SENS:CURR:NPLC?")) == pytest.approx(6)
    assert ask(smu, b":SENS:CURR:NPLC:AUTO?") == "0"
    assert float(ask(smu, b":SENS:CURR:NPLC:AUTO ON;:SENS:CURR:NPLC?")) == 0.1


def test_numbers_have_names(smu):
    assert float(ask(smu, b":SOUR:VOLT? MAX")) == 210
    assert float(ask(smu, b":SENS:CURR:PROT DEF;:SENS:CURR:PROT?")) == 1e-4
    assert ask(smu, b":TRIG:ACQ:COUN MAX;:TRIG:ACQ:COUN?") == "100000"
    assert (
        ask(smu, b":TRIG:ACQ:COUN INF;COUN?;COUN 1;COUN 2147483647;COUN?")
        == "2147483647;2147483647"
    )
    assert ask(smu, b":SOUR:VOLT INF;:SYST:ERR?").startswith("-224,")


@pytest.mark.parametrize(
    ("model", "message", "error"),
    [
        ("B2901B", b":SOUR:VOLT 210;:SOUR:VOLT 0;:SENS:CURR:PROT 1E-8", "+0"),
        ("B2901B", b":SENS:CURR:PROT 1E-9", "-222"),
        ("B2912B", b":SENS:CURR:PROT 1E-9", "+0"),
        ("B2902B", b":TRIG:TIM 1E-5", "-222"),
        ("B2912B", b":TRIG:TIM 1E-5", "+0"),
        ("B2902B", b":SENS:CURR:PROT 1.515;:SOUR:VOLT 21", "+0"),
        ("B2902B", b":SENS:CURR:PROT 3.03;:SOUR:VOLT 6", "+0"),
        ("B2902B", b":SENS:CURR:PROT 3.03;:SOUR:VOLT 7", "-221"),
        ("B2902B", b":SENS:CURR:PROT 0.2;:SOUR:VOLT 22", "-221"),
        ("B2902B", b":SOUR:VOLT 200;:SENS:CURR:PROT 0.2", "-221"),
        ("B2902B", b":SOUR:CURR 5", "-222"),
        ("B2902B", b":FUNC PULS;:PULS:WIDT 1E-3;:SENS:CURR:PROT 10.5;:SOUR:VOLT 6", "+0"),
        ("B2902B", b":FUNC PULS;:PULS:WIDT 2E-3;:SENS:CURR:PROT 10.5", "-221"),
        ("B2902B", b":SOUR:VOLT:RANG:AUTO OFF;:SOUR:VOLT:RANG 2;:SOUR:VOLT 2.1", "+0"),
        ("B2902B", b":SOUR:VOLT:RANG:AUTO OFF;:SOUR:VOLT:RANG 2;:SOUR:VOLT 2.2", "-221"),
    ],
)
def test_what_the_models_reach(station, model, message, error):
    """A refused setting stays as it was."""
    smu = EmulatedKeysightB2900(station, model)
    assert ask(smu, message + b";:SYST:ERR?").startswith(error + ",")


def test_the_most_sensitive_range_is_the_models(station):
    ranges = [
        float(ask(EmulatedKeysightB2900(station, model), b":SENS:CURR:RANG 1E-9;:SENS:CURR:RANG?"))
        for model in ("B2901B", "B2902B", "B2911B", "B2912B")
    ]
    assert ranges == [1e-7, 1e-7, 1e-8, 1e-8]


def test_an_unknown_model_is_a_wrong_configuration(station):
    with pytest.raises(ConfigurationError, match="B2904B"):
        EmulatedKeysightB2900(station, "B2904B")


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (b":SOUR:VOLT 300", -222),
        (b":SENS:CURR:PROT 0", -222),
        (b":SOUR:VOLT:MODE WAVE", -224),
        (b":MEAS? 1", -104),
        (b":MEAS? (@3)", -222),
        (b":MEAS? (@1,3)", -222),
        (b":SENS:FUNC CURR", -104),
        (b":SENS:CURR:PROT 1E-12", -222),
        (b":FORM REAL,48", -224),
        (b":TRIG:COUN 1.5", -104),
        (b":TRIG:COUN 0", -222),
        (b":TRIG:SOUR EXT15", -224),
        (b":SOUR:PULS:WIDT 1E-6", -222),
        (b":SOUR3:VOLT 1", -114),
        (b":SOUR:NOISE 1", -113),
        (b':SENS:FUNC "CAP"', -224),
    ],
)
def test_refusals(smu, message, error):
    assert ask(smu, message + b";:SYST:ERR?").startswith(f"{error},")


def test_one_channel_models_have_no_second(station):
    emulator = EmulatedKeysightB2900(station, "B2901B")
    assert ask(emulator, b":SOUR2:VOLT 0.1;:SYST:ERR?").startswith("-114,")
    assert ask(emulator, b"*IDN?").split(",")[1] == "B2901B"


def test_both_channels_at_once(smu):
    """The second is open."""
    found = numbers(ask(smu, b":SOUR1:VOLT 0.1;:SOUR2:VOLT 0.2;:OUTP2 ON;:MEAS? (@2,1)"))
    assert found[1] > 0
    assert found[2:] == [0.2, 0]
    assert ask(smu, b":MEAS:VOLT? (@2)") == "+2.000000E-01"
    assert ask(smu, b":SENS2:DATA:LAT?") == "+2.000000E-01,+0.000000E+00"
    assert numbers(ask(smu, b":FETC? (@1:2)"))[:2] == found[:2]
    assert not smu.errors
