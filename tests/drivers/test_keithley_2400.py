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
from drivers.keithley_2400 import Keithley2400
from drivers.visa import connect
from physics.wafer import SimulatedWafer
from simulated_instruments.bench import SimulatedBench

DIE = DieAddress(0, 0)
ADDRESS = "GPIB0::24::INSTR"
NO_ERROR = (":SYST:ERR?", '0,"No error"')
OUTPUT_ERROR = (":SYST:ERR?", '+803,"Not permitted with OUTPUT off"')
OFF = (":ABOR;:SOUR:VOLT 0;:OUTP OFF", None)
MEASURE = ":SOUR:VOLT 0.1;:READ?;:SOUR:VOLT 0;:OUTP?;:SYST:ERR:COUN?"


def preparation(limit="+1.000000E-03"):
    return [
        OFF,
        ("*CLS;*RST", None),
        (':SOUR:FUNC VOLT;:SOUR:VOLT:MODE FIX;:SENS:FUNC "CURR";:FORM:ELEM CURR,STAT', None),
        (":SOUR:VOLT 0", None),
        (":SENS:CURR:RANG 1e-06", None),
        (":SENS:CURR:PROT 0.001", None),
        (":SENS:CURR:RANG:AUTO ON", None),
        (":SENS:CURR:NPLC 0.1", None),
        NO_ERROR,
        (":SENS:CURR:PROT?", limit),
    ]


def test_construction_sends_nothing_and_prepare_reads_the_limit_back():
    """PyMeasure's own driver sends a data format when it is made."""
    with expected_protocol(Keithley2400, [*preparation(), ("OUTPUT 1", None), NO_ERROR]) as smu:
        smu.prepare(1e-3)
        assert smu.current_limit_set == 1e-3


def test_prepare_leaves_the_output_off_if_the_limit_did_not_take():
    with (
        expected_protocol(Keithley2400, preparation("+1.050000E-04")) as smu,
        pytest.raises(InstrumentError, match="stays off"),
    ):
        smu.prepare(1e-3)


@pytest.mark.parametrize("limit", [0.0, -1e-3, 2.0, float("nan")])
def test_an_impossible_limit_sends_nothing(limit):
    with expected_protocol(Keithley2400, []) as smu, pytest.raises(LimitError):
        smu.prepare(limit)


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("compliance_current", 3.0), ("source_voltage", 30.0), ("current_nplc", 11.0)],
)
def test_settings_are_strict(attribute, value):
    with expected_protocol(Keithley2400, []) as smu, pytest.raises(LimitError):
        setattr(smu, attribute, value)


def test_nine_digits_are_sent():
    with expected_protocol(Keithley2400, [(":SENS:CURR:PROT 0.000123456789", None)]) as smu:
        smu.compliance_current = 1.23456789e-4


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("+2.000000E-05,+2.048400E+04;1;0", (2e-5, False)),
        ("-1.000000E-03,+2.049200E+04;1;0", (-1e-3, True)),
        ("+1.000000E-03,+8.602000E+04;1;0", (1e-3, True)),
        ("+9.900000E+37,+2.049200E+04;1;0", (1e-3, True)),
    ],
)
def test_measure_is_one_round_trip(reply, expected):
    """Status bits 3 and 16 mean compliance."""
    with expected_protocol(Keithley2400, [(MEASURE, reply)]) as smu:
        smu.current_limit_set = 1e-3
        assert smu.measure(0.1) == expected


@pytest.mark.parametrize(
    ("protocol", "error"),
    [
        ([(MEASURE, "+9.9E+37,+2.048400E+04;1;0")], ReplyError),
        ([(MEASURE, "+1.0E-05,+2.048400E+04;0;0")], InstrumentError),
        ([(MEASURE, "+1.0E-05;1;0"), OFF, NO_ERROR], ReplyError),
        ([(MEASURE, "+1.0E-05,x;1;0"), OFF, NO_ERROR], ReplyError),
        ([(MEASURE, "+1.0E-05,+2.0E+04,1;0"), OFF, NO_ERROR], ReplyError),
        ([(MEASURE, "nan,0;1;0"), OFF, NO_ERROR], ReplyError),
        ([(MEASURE, "1"), OFF, OUTPUT_ERROR, NO_ERROR], ReportedError),
        ([(MEASURE, "+1.0E-05,+2.0E+04;1;1"), OFF, OUTPUT_ERROR, NO_ERROR], ReportedError),
    ],
)
def test_measure_distrusts_replies(protocol, error):
    with expected_protocol(Keithley2400, protocol) as smu:
        smu.current_limit_set = 1e-3
        with pytest.raises(error):
            smu.measure(0.1)


def test_unprepared_or_out_of_range_sends_nothing():
    with expected_protocol(Keithley2400, []) as smu:
        with pytest.raises(InstrumentError, match="prepare"):
            smu.measure(0.1)
        smu.current_limit_set = 1e-3
        with pytest.raises(LimitError):
            smu.measure(-22.0)


def test_wrong_instrument():
    with (
        expected_protocol(
            Keithley2400, [("*IDN?", "KEITHLEY INSTRUMENTS,MODEL 2450,1,1.0")]
        ) as smu,
        pytest.raises(WrongInstrumentError, match="MODEL 2450"),
    ):
        smu.check_identity()


@pytest.fixture
def bench():
    wafer = SimulatedWafer(
        addresses=[DIE], geometry=DieGeometry(subarrays=1, rows=5, columns=5), seed=3
    )
    bench = SimulatedBench(wafer, {ADDRESS: "keithley_2400"})
    bench.station.die_under_needles, bench.station.in_contact = DIE, True
    bench.station.route(12)
    return bench


@pytest.fixture
def smu(bench):
    driver = Keithley2400(connect(ADDRESS, role="smu", visa_library=bench.visa_library))
    driver.check_identity()
    return driver


def test_the_output_follows_prepare_and_off(smu, bench):
    states = []
    for action in (lambda: smu.prepare(1e-3), smu.off, lambda: smu.prepare(1e-3), smu.shutdown):
        action()
        states.append(bench.emulators[ADDRESS].channel.output)
    assert states == [True, False, True, False]


@pytest.mark.parametrize("limit", [1e-8, 1e-7, 1e-6, 1e-3, 1.05])
def test_every_limit_holds(smu, bench, limit):
    """Whatever range a reading left behind."""
    smu.prepare(1e-2)
    smu.measure(0.1)
    smu.prepare(limit)
    current, clamped = smu.measure(0.1)
    assert clamped is (limit < 1e-5)
    assert abs(current) <= limit
    assert bench.emulators[ADDRESS].channel.level_volts == 0


def test_protection_says_when_it_is_not_in_force(smu):
    smu.prepare(2e-4)
    assert [str(p) for p in smu.protections()] == ["current limit 200 µA"]
    smu.source_mode = "current"
    assert not smu.protections()[0].in_force


def test_what_pymeasure_brings_still_works(smu):
    """After the data format that its constructor would have sent."""
    smu.reset_data_format()
    smu.source_mode = "current"
    smu.compliance_voltage = 1.0
    smu.source_current = 1e-6
    assert 0 < smu.voltage < 0.1
    assert smu.measure_all()["resistance"] > 1000
    smu.check_errors()
