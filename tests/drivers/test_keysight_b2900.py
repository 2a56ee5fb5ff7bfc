"""The driver against the manual, and against the emulator."""

import pytest
from pymeasure.test import expected_protocol

from crossbar.errors import (
    InstrumentError,
    LimitError,
    ReplyError,
    ReportedError,
    WrongInstrumentError,
)
from crossbar.geometry import DieAddress, DieGeometry
from drivers.keysight_b2900 import KeysightB2900
from drivers.visa import connect
from physics.wafer import SimulatedWafer
from simulated_instruments.bench import SimulatedBench

DIE = DieAddress(0, 0)
ADDRESS = "GPIB0::23::INSTR"
NO_ERROR = (":SYST:ERR?", '+0,"No error"')
OFF = (":ABOR;:SOUR1:VOLT 0;:OUTP1 OFF", None)
MEASURE = ":SOUR1:VOLT 0.1;:MEAS? (@1);:SENS1:CURR:PROT:TRIP?;:SOUR1:VOLT 0;:OUTP1?;:SYST:ERR:COUN?"


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


def test_prepare_reads_the_limit_back_before_switching_on():
    """And ends the habit of switching on by itself."""
    protocol = [*preparation(), (":OUTP1 ON", None), NO_ERROR]
    with expected_protocol(KeysightB2900, protocol) as smu:
        smu.prepare(1e-3)
        assert smu.current_limit_set == 1e-3


@pytest.mark.parametrize("read_back", [("1.0E-04", "0"), ("1.0E-03", "1")])
def test_prepare_leaves_the_output_off_if_a_setting_did_not_take(read_back):
    with (
        expected_protocol(KeysightB2900, preparation(*read_back)) as smu,
        pytest.raises(InstrumentError, match="stays off"),
    ):
        smu.prepare(1e-3)


@pytest.mark.parametrize("limit", [0.0, -1e-3, 2.0, float("nan")])
def test_an_impossible_limit_sends_nothing(limit):
    with expected_protocol(KeysightB2900, []) as smu, pytest.raises(LimitError):
        smu.prepare(limit)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("+1.0E-01,+2.0E-05;0;1;0", (2e-5, False)),
        ("+5.0E-02,-1.0E-03;1;1;0", (-1e-3, True)),
        ("+1.0E-01,+9.9E+37;1;1;0", (1e-3, True)),
    ],
)
def test_measure_is_one_round_trip(reply, expected):
    with expected_protocol(KeysightB2900, [(MEASURE, reply)]) as smu:
        smu.current_limit_set = 1e-3
        assert smu.measure(0.1) == expected


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        ("+1.0E-01,+9.9E+37;0;1;0", ReplyError),
        ("+1.0E-01;0;1;0", ReplyError),
        ("+1.0E-01,x;0;1;0", ReplyError),
        ("+1.0E-01,+2.0E-05;0;0;0", InstrumentError),
    ],
)
def test_measure_distrusts_replies(reply, error):
    with expected_protocol(KeysightB2900, [(MEASURE, reply)]) as smu:
        smu.current_limit_set = 1e-3
        with pytest.raises(error):
            smu.measure(0.1)


def test_a_refused_measurement_switches_off():
    """The return to 0 V was skipped with the rest of the message."""
    protocol = [(MEASURE, "1"), OFF, (":SYST:ERR?", '-222,"Data out of range"'), NO_ERROR]
    with expected_protocol(KeysightB2900, protocol) as smu:
        smu.current_limit_set = 1e-3
        with pytest.raises(ReportedError, match="-222"):
            smu.measure(0.1)


def test_unprepared_or_out_of_range_sends_nothing():
    with expected_protocol(KeysightB2900, []) as smu:
        with pytest.raises(InstrumentError, match="prepare"):
            smu.measure(0.1)
        smu.current_limit_set = 1e-3
        for ask in (lambda: smu.measure(22.0), lambda: smu.sweep([]), lambda: smu.sweep([99.0])):
            with pytest.raises(LimitError):
                ask()


SWEEP = [
    (":SOUR1:LIST:VOLT 0.1,-0.1,0.2", None),
    (":SOUR1:VOLT:MODE LIST;:TRIG1:ALL:SOUR AINT;COUN 3", None),
    NO_ERROR,
    (":INIT (@1)", None),
    ("*OPC?", "1"),
]


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


def test_wrong_instrument():
    with (
        expected_protocol(KeysightB2900, [("*IDN?", "KEITHLEY,MODEL 2450,1,1.0")]) as smu,
        pytest.raises(WrongInstrumentError, match="MODEL 2450"),
    ):
        smu.check_identity()


@pytest.fixture
def bench():
    wafer = SimulatedWafer(
        addresses=[DIE], geometry=DieGeometry(subarrays=1, rows=5, columns=5), seed=3
    )
    bench = SimulatedBench(wafer, {ADDRESS: "keysight_b2900"})
    bench.station.die_under_needles, bench.station.in_contact = DIE, True
    bench.station.route(12)
    return bench


@pytest.fixture
def smu(bench):
    driver = KeysightB2900(connect(ADDRESS, role="smu", visa_library=bench.visa_library))
    driver.check_identity()
    return driver


def test_the_output_follows_prepare_and_off(smu, bench):
    states = []
    for action in (lambda: smu.prepare(1e-3), smu.off, lambda: smu.prepare(1e-3), smu.shutdown):
        action()
        states.append(bench.emulators[ADDRESS].channels[0].output)
    assert states == [True, False, True, False]


def test_a_sweep_gives_what_single_readings_give(smu, bench):
    """And says which points were clamped."""
    smu.prepare(1e-3)
    swept = smu.sweep([0.05, 0.1, -0.1])
    assert [c for c, _ in swept] == pytest.approx(
        [smu.measure(v)[0] for v in (0.05, 0.1, -0.1)], rel=0.05
    )
    assert not any(clamped for _, clamped in swept)
    assert bench.emulators[ADDRESS].channels[0].level_volts == 0

    smu.prepare(1e-6)
    assert smu.sweep([0.0, 0.1, -0.1]) == [
        (pytest.approx(0.0, abs=1e-8), False),
        (1e-6, True),
        (-1e-6, True),
    ]
