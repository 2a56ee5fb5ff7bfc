import pytest
from pymeasure.test import expected_protocol

from crossbar.errors import InstrumentError, LimitError, ReplyError, ReportedError
from drivers.keysight_b2900 import KeysightB2900
from tests.drivers.smu_page import Page

NO_ERROR = (":SYST:ERR?", '+0,"No error"')
RANGE_ERROR = (":SYST:ERR?", '-222,"Data out of range"')
OFF = (":ABOR;:SOUR1:VOLT 0;:OUTP1 OFF", None)


def preparation(limit="1.000000E-03", automatic="0"):
    return [
        OFF,
        ("*CLS;*RST", None),
        (":OUTP1:ON:AUTO OFF", None),
        (":SOUR1:FUNC:MODE VOLT;:SOUR1:VOLT:MODE FIX", None),
        (":SOUR1:VOLT 0", None),
        (":SENS1:CURR:PROT 0.001", None),
        (':SENS1:FUNC "VOLT","CURR";:FORM ASC;:FORM:ELEM:SENS VOLT,CURR', None),
        (":SENS1:CURR:NPLC 0.1", None),
        NO_ERROR,
        (":SENS1:CURR:PROT?", limit),
        (":OUTP1:ON:AUTO?", automatic),
    ]


PAGE = Page(
    driver=KeysightB2900,
    name="keysight_b2900",
    address="GPIB0::23::INSTR",
    channel=lambda emulator: emulator.channels[0],
    preparation=preparation,
    on=((":OUTP1 ON", None), NO_ERROR),
    # The limit, or the habit of switching on by itself.
    did_not_take=(("1.0E-04", "0"), ("1.0E-03", "1")),
    measuring=(
        ":SOUR1:VOLT 0.1;:MEAS? (@1);:SENS1:CURR:PROT:TRIP?;:SOUR1:VOLT 0;:OUTP1?;:SYST:ERR:COUN?"
    ),
    readings=(
        ("+1.0E-01,+2.0E-05;0;1;0", (2e-5, False)),
        ("+5.0E-02,-1.0E-03;1;1;0", (-1e-3, True)),
        ("+1.0E-01,+9.9E+37;1;1;0", (1e-3, True)),
    ),
    distrusted=(
        ("+1.0E-01,+9.9E+37;0;1;0", (), ReplyError, "overflow"),
        ("+1.0E-01;0;1;0", (), ReplyError, "where 2 numbers were expected"),
        ("+1.0E-01,x;0;1;0", (), ReplyError, "where 2 numbers were expected"),
        ("+1.0E-01,+2.0E-05;0;0;0", (), InstrumentError, "went off by itself"),
        ("1", (OFF, RANGE_ERROR, NO_ERROR), ReportedError, "-222"),
    ),
    strict=(("current_limit", 3.0), ("level", 30.0), ("nplc", 101.0)),
    nine_digits=("level", 0.123456789, ":SOUR1:VOLT 0.123456789"),
    stranger=("KEITHLEY,MODEL 2450,1,1.0", "MODEL 2450"),
)


SWEEP = [
    (":SOUR1:LIST:VOLT 0.1,-0.1,0.2", None),
    (":SOUR1:VOLT:MODE LIST;:TRIG1:ALL:SOUR AINT;COUN 3", None),
    NO_ERROR,
    (":INIT (@1)", None),
    ("*OPC?", "1"),
]


@pytest.mark.parametrize("voltages", [[], [99.0]])
def test_a_sweep_that_it_cannot_do_sends_nothing(voltages):
    with expected_protocol(KeysightB2900, []) as smu:
        with pytest.raises(InstrumentError, match="prepare"):
            smu.sweep([0.1])
        smu.current_limit_set = 1e-3
        with pytest.raises(LimitError):
            smu.sweep(voltages)


def test_a_sweep_takes_compliance_from_the_status():
    """Any of the codes in bits 1 and 2; bit 13 is a range that overflowed."""
    protocol = [
        *SWEEP,
        (":FETC:ARR:CURR? (@1)", "+2.000000E-05,-9.900000E+37,+9.990000E-04"),
        (":FETC:ARR:STAT? (@1)", "+0.000000E+00,+8.196000E+03,+1.000000E+00"),
        (":SOUR1:VOLT:MODE FIX;:SOUR1:VOLT 0", None),
        NO_ERROR,
    ]
    with expected_protocol(KeysightB2900, protocol) as smu:
        smu.current_limit_set = 1e-3
        assert smu.sweep([0.1, -0.1, 0.2]) == [(2e-5, False), (-1e-3, True), (9.99e-4, False)]


def test_a_sweep_without_an_answer_switches_off():
    protocol = [*SWEEP, (":FETC:ARR:CURR? (@1)", "+2.000000E-05"), OFF]
    with expected_protocol(KeysightB2900, protocol) as smu:
        smu.current_limit_set = 1e-3
        with pytest.raises(ReplyError, match="3 numbers"):
            smu.sweep([0.1, -0.1, 0.2])
        assert smu.current_limit_set is None


@pytest.mark.parametrize("model", ["B2901A", "B2902B", "B2911BL", "B2912B"])
def test_the_models_it_knows(model):
    reply = f"Keysight Technologies,{model},MY00000000,5.0.0"
    with expected_protocol(KeysightB2900, [("*IDN?", reply)]) as smu:
        smu.check_identity()


def test_a_sweep_gives_what_single_readings_give(opened):
    """And says which points were clamped."""
    smu, bench = opened(PAGE)
    smu.prepare(1e-3)
    swept = smu.sweep([0.05, 0.1, -0.1])
    assert [c for c, _ in swept] == pytest.approx(
        [smu.measure(v)[0] for v in (0.05, 0.1, -0.1)], rel=0.05
    )
    assert not any(clamped for _, clamped in swept)
    assert bench.emulators[PAGE.address].channels[0].level_volts == 0

    smu.prepare(1e-6)
    assert smu.sweep([0.0, 0.1, -0.1]) == [
        (pytest.approx(0.0, abs=1e-8), False),
        (1e-6, True),
        (-1e-6, True),
    ]
