import struct

import numpy as np
import pytest

from simulated_instruments.keithley_2400 import EmulatedKeithley2400
from tests.simulated_instruments.scpi_messages import ask, numbers
from tests.simulated_instruments.stations import CELL

READY = b":SENS:CURR:PROT 1E-3;:OUTP ON"
PAIRS = b":FORM:ELEM VOLT,CURR"
COMPLIANCE, RANGE_COMPLIANCE = 1 << 3, 1 << 16
NOT_A_NUMBER = 9.91e37


@pytest.fixture
def smu(station):
    emulator = EmulatedKeithley2400(station)
    ask(emulator, READY)
    assert not emulator.errors
    return emulator


def test_a_reading_has_five_elements(smu):
    """Volts as programmed, amperes as measured, no ohms, seconds, status."""
    volts, amperes, ohms, seconds, status = numbers(ask(smu, b":SOUR:VOLT 0.1;:READ?"))
    expected = 0.1 * smu.station.die.conductance(np.array([CELL]), 0.1)[0]
    assert amperes == pytest.approx(expected, rel=0.05)
    assert (volts, ohms) == (0.1, NOT_A_NUMBER)
    assert seconds > 0
    assert int(status) == 1 << 2 | 1 << 12 | 1 << 14


def test_elements_come_in_their_own_order(smu):
    assert ask(smu, b":FORM:ELEM CURR, VOLT;:FORM:ELEM?") == "VOLT,CURR"
    assert len(numbers(ask(smu, b":READ?"))) == 2


def test_compliance_clamps_and_is_told(smu):
    volts, amperes, status = numbers(
        ask(
            smu,
            b":FORM:ELEM VOLT,CURR,STAT;:SENS:FUNC 'VOLT';:SENS:CURR:PROT 1E-6;:SOUR:VOLT 0.1;"
            b":READ?",
        )
    )
    assert amperes == pytest.approx(1e-6)
    assert volts < 0.1
    assert int(status) & COMPLIANCE
    assert ask(smu, b":SENS:CURR:PROT:TRIP?;:SENS:VOLT:PROT:TRIP?") == "1;0"
    assert int(ask(smu, b":STAT:MEAS?")) & 1 << 14


def test_a_fixed_range_is_a_compliance_of_its_own(smu):
    amperes, status = numbers(
        ask(smu, b":FORM:ELEM CURR,STAT;:SENS:CURR:RANG 1E-6;:SOUR:VOLT 0.1;:READ?")
    )
    assert amperes == pytest.approx(1.05e-6)
    assert int(status) & RANGE_COMPLIANCE
    assert not int(status) & COMPLIANCE


def test_functions_are_measured_together_or_alone(smu):
    ask(smu, b":SOUR:VOLT 0.1;:SENS:FUNC:ALL")
    assert ask(smu, b":SENS:FUNC?") == '"VOLT:DC","CURR:DC","RES"'
    volts, amperes, ohms = numbers(ask(smu, b":READ?"))[:3]
    assert ohms == pytest.approx(volts / amperes, rel=1e-4)
    ask(smu, b":SENS:FUNC:CONC OFF;:SENS:FUNC 'VOLT'")
    assert ask(smu, b":SENS:FUNC?") == '"VOLT:DC"'
    assert numbers(ask(smu, b":READ?"))[1] == NOT_A_NUMBER


def test_a_current_source_and_its_compliance(smu):
    ask(smu, b":SOUR:FUNC CURR;:SENS:FUNC 'VOLT';:SENS:VOLT:RANG 0.2;PROT 0.05;:SOUR:CURR 1E-6")
    assert 0 < numbers(ask(smu, b":READ?"))[0] < 0.05
    assert numbers(ask(smu, b":SOUR:CURR 1E-3;:READ?"))[0] == pytest.approx(0.05)


def test_with_the_output_off_there_is_no_reading(smu):
    """But MEASure switches it on, and automatic output-off does so for each reading."""
    assert ask(smu, b":OUTP OFF;:READ?") == ""
    assert ask(smu, b":SYST:ERR?") == '+803,"Not permitted with OUTPUT off"'
    assert int(ask(smu, b"*ESR?")) & 0x10

    assert numbers(ask(smu, b":SOUR:VOLT 0.1;:MEAS:CURR?"))[1] > 1e-6
    assert ask(smu, b":OUTP?") == "1"
    reply = ask(smu, b":OUTP OFF;:SOUR:CLE:AUTO ON;:READ?;:OUTP?")
    assert numbers(reply.split(";")[0])[1] > 1e-6
    assert reply.split(";")[1] == "0"


def test_staircases(smu):
    ask(smu, PAIRS + b";:SOUR:VOLT:MODE SWE;:SOUR:VOLT:STAR 0;STOP 0.1;:SOUR:SWE:POIN 5")
    found = numbers(ask(smu, b":TRIG:COUN 5;:READ?"))
    assert found[::2] == pytest.approx([0, 0.025, 0.05, 0.075, 0.1])
    assert np.all(np.diff(found[1::2]) > 0)
    ask(smu, b":SOUR:VOLT:STEP 0.05;:SOUR:SWE:DIR DOWN")
    assert ask(smu, b":SOUR:SWE:POIN?") == "3"
    assert numbers(ask(smu, b":TRIG:COUN 3;:READ?"))[::2] == pytest.approx([0.1, 0.05, 0])
    ask(smu, b":SOUR:SWE:DIR UP;SPAC LOG;:SOUR:VOLT:STAR 1E-3")
    assert numbers(ask(smu, b":READ?"))[::2] == pytest.approx([0.001, 0.01, 0.1])


def test_lists(smu):
    ask(smu, PAIRS + b";:SOUR:VOLT:MODE LIST;:SOUR:LIST:VOLT 0.05,-0.05;:SOUR:LIST:VOLT:APP 0.1")
    assert ask(smu, b":SOUR:LIST:VOLT:POIN?") == "3"
    found = numbers(ask(smu, b":ARM:COUN 2;:TRIG:COUN 3;:READ?"))
    assert found[::2] == pytest.approx([0.05, -0.05, 0.1] * 2)
    assert numbers(ask(smu, b":FETC?")) == found
    assert numbers(ask(smu, b":DATA?")) == found[-2:]


def test_compliance_ends_a_sweep_if_told_to(smu):
    ask(smu, PAIRS + b";:SOUR:VOLT:MODE SWE;:SOUR:VOLT:STOP 0.1;:SOUR:SWE:POIN 11;:TRIG:COUN 11")
    assert len(numbers(ask(smu, b":SENS:CURR:PROT 1E-6;:READ?"))) == 22
    assert len(numbers(ask(smu, b":SOUR:SWE:CAB EARL;:READ?"))) < 22


def test_the_bus_starts_each_arm(smu):
    """The reply to READ? comes when all points are there."""
    ask(smu, b":FORM:ELEM CURR;:ARM:SOUR BUS;COUN 2;:TRIG:COUN 3")
    assert ask(smu, b":READ?") == ""
    assert ask(smu, b"*OPC?;:STAT:OPER:COND?") == "0"
    assert ask(smu, b"*TRG") == ""
    assert len(numbers(ask(smu, b"*TRG"))) == 6
    assert ask(smu, b"*OPC?;:STAT:OPER:COND?") == "1;1024"
    assert ask(smu, b"*TRG;:SYST:ERR?").startswith("-211,")


def test_the_trigger_link_steps_points(smu):
    ask(smu, b":TRIG:SOUR TLIN;COUN 2;:INIT")
    assert ask(smu, b":INIT;:SYST:ERR?").startswith("-213,")
    smu.external_trigger()
    smu.external_trigger()
    assert len(numbers(ask(smu, b":FETC?"))) == 10


@pytest.mark.parametrize("end", [b":ABOR", b":OUTP OFF"])
def test_waiting_ends(smu, end):
    assert ask(smu, b":ARM:SOUR BUS;:READ?") == ""
    assert ask(smu, end + b";*OPC?") == "1"
    assert ask(smu, b"*TRG;:SYST:ERR?").startswith("-211,")


def test_the_arm_timer_sets_the_pace(smu):
    before = smu.station.clock.now
    ask(smu, b":ARM:SOUR TIM;TIM 0.5;COUN 4;:INIT")
    assert smu.station.clock.now - before == pytest.approx(2.0)


def test_the_store_fills_and_tells(smu):
    ask(smu, b":STAT:PRES;*CLS;*SRE 1;:STAT:MEAS:ENAB 512;:TRAC:CLE;:TRAC:POIN 4")
    ask(smu, b":SOUR:VOLT 0.1;:TRAC:FEED SENS;:TRAC:FEED:CONT NEXT;:TRIG:COUN 3;:INIT")
    assert ask(smu, b"*STB?;:TRAC:POIN:ACT?;:TRAC:FEED:CONT?") == "0;3;NEXT"
    assert ask(smu, b":TRAC:FEED CALC;:SYST:ERR?").startswith("+800,")
    ask(smu, b":INIT")
    assert int(ask(smu, b"*STB?")) & 65 == 65
    assert ask(smu, b":TRAC:POIN:ACT?;:TRAC:FEED:CONT?") == "4;NEV"

    rows = np.array(numbers(ask(smu, b":TRAC:DATA?"))).reshape(4, 5)
    assert rows[0, 3] == 0
    assert np.all(np.diff(rows[:, 3]) > 0)
    for name, expected in ((b"MEAN", np.mean), (b"MAX", np.max), (b"PKPK", np.ptp)):
        found = numbers(ask(smu, b":CALC3:FORM " + name + b";:CALC3:DATA?"))
        assert found[1] == pytest.approx(expected(rows[:, 1]), rel=1e-3)
    deltas = np.array(numbers(ask(smu, b":TRAC:TST:FORM DELT;:TRAC:DATA?"))).reshape(4, 5)[:, 3]
    assert deltas[1:] == pytest.approx(np.diff(rows[:, 3]), rel=1e-3)


def test_reset_leaves_the_store_alone(smu):
    ask(smu, b":TRAC:POIN 2;:TRAC:FEED:CONT NEXT;:TRIG:COUN 2;:INIT;*RST")
    assert ask(smu, b":TRAC:POIN:ACT?;:OUTP?;:SENS:CURR:PROT?") == "2;0;+1.050000E-04"


def test_integration_time_is_one_for_all(smu):
    assert float(ask(smu, b":SENS:CURR:NPLC 0.1;:SENS:VOLT:NPLC?")) == 0.1


def test_a_delay_ends_the_automatic_one(smu):
    assert ask(smu, b":SOUR:DEL 0.2;:SOUR:DEL:AUTO?") == "0"
    before = smu.station.clock.now
    ask(smu, b":READ?")
    assert smu.station.clock.now - before > 0.2


def test_binary_readings_are_the_same_numbers(smu):
    text = numbers(ask(smu, b":FORM:ELEM CURR;:SOUR:VOLT 0.1;:TRIG:COUN 3;:READ?"))
    for order, sign in ((b"NORM", ">"), (b"SWAP", "<")):
        reply = ask(smu, b":FORM REAL,32;:FORM:BORD " + order + b";:FETC?")
        assert reply[:2] == "#0"
        assert struct.unpack(f"{sign}3f", reply[2:].encode("latin-1")) == pytest.approx(text)


def test_ten_errors_are_kept(smu):
    for _ in range(12):
        ask(smu, b":NONSENSE")
    codes = [ask(smu, b":STAT:QUE?").split(",")[0] for _ in range(11)]
    assert codes == ["-113"] * 9 + ["-350", "0"]


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (b":SOUR:VOLT 211", "-222"),
        (b":SENS:CURR:PROT 1.2", "-222"),
        (b":SENS:CURR:PROT 0", "+822"),
        (b":SENS:CURR:PROT 1E-9", "+822"),
        (b":SENS:CURR:RANG 1", "+824"),
        (b":SENS:CURR:PROT 1;:SOUR:VOLT 30", "+826"),
        (b":SOUR:VOLT:MODE WAVE", "-224"),
        (b":SOUR:VOLT:STEP 0", "-221"),
        (b":SENS:FUNC 'CAP'", "-224"),
        (b":TRIG:COUN 2500;:ARM:COUN 2", "-221"),
        (b":TRIG:COUN 0", "-222"),
        (b":FETC?", "-230"),
        (b":TRAC:DATA?", "-230"),
        (b":CALC3:DATA?", "-230"),
        (b":SOUR:VOLT:ILIM 1E-3", "-113"),
    ],
)
def test_refusals(smu, message, error):
    assert ask(smu, message + b";:SYST:ERR?").startswith(f"{error},")


def test_a_sweep_beyond_the_power_limit_is_not_begun(smu):
    ask(smu, b":SENS:CURR:PROT 1;:SOUR:VOLT:MODE LIST;:SOUR:LIST:VOLT 0.1,100")
    assert ask(smu, b":INIT;:SYST:ERR?").startswith("+826,")
    assert smu.channel.level_volts == 0
