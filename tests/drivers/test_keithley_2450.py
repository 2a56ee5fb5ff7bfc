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
from drivers.keithley_2450 import Keithley2450
from drivers.visa import connect
from physics.wafer import SimulatedWafer
from simulated_instruments.bench import SimulatedBench

DIE = DieAddress(0, 0)
ADDRESS = "GPIB0::18::INSTR"
NO_ERROR = (":SYST:ERR?", '0,"No error;0;0 0"')
RANGE_ERROR = (":SYST:ERR?", '-222,"Parameter data out of range;1;2026/01/01 00:00:00.000"')
OFF = (":ABOR;:SOUR:VOLT 0;:OUTP OFF", None)
MEASURE = ":SOUR:VOLT 0.1;:READ?;:SOUR:VOLT:ILIM:TRIP?;:SOUR:VOLT 0;:OUTP?;:SYST:ERR:COUN?"


def preparation(limit="1.000000E-03"):
    return [
        ("*LANG?", "SCPI"),
        OFF,
        ("*CLS;*RST", None),
        (':SOUR:FUNC VOLT;:SENS:FUNC "CURR"', None),
        (":SOUR:VOLT 0", None),
        (":SENS:CURR:RANG:AUTO ON", None),
        (":SOUR:VOLT:ILIM 0.001", None),
        (":SENS:CURR:NPLC 0.1", None),
        NO_ERROR,
        (":SOUR:VOLT:ILIM?", limit),
    ]


def test_prepare_reads_the_limit_back_before_switching_on():
    with expected_protocol(Keithley2450, [*preparation(), ("OUTPUT ON", None), NO_ERROR]) as smu:
        smu.prepare(1e-3)
        assert smu.current_limit_set == 1e-3


def test_prepare_leaves_the_output_off_if_the_limit_did_not_take():
    with (
        expected_protocol(Keithley2450, preparation("1.05E-04")) as smu,
        pytest.raises(InstrumentError, match="stays off"),
    ):
        smu.prepare(1e-3)


def test_another_command_set_is_told_and_nothing_set():
    with (
        expected_protocol(Keithley2450, [("*LANG?", "TSP")]) as smu,
        pytest.raises(InstrumentError, match=r"\*LANG SCPI"),
    ):
        smu.prepare(1e-3)


@pytest.mark.parametrize("limit", [0.0, -1e-3, 2.0, float("nan")])
def test_an_impossible_limit_sends_nothing(limit):
    """PyMeasure's own driver would clip it."""
    with expected_protocol(Keithley2450, []) as smu, pytest.raises(LimitError):
        smu.prepare(limit)


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("compliance_current", 3.0), ("source_voltage", 30.0), ("current_nplc", 11.0)],
)
def test_settings_are_strict(attribute, value):
    with expected_protocol(Keithley2450, []) as smu, pytest.raises(LimitError):
        setattr(smu, attribute, value)


def test_nine_digits_are_sent():
    with expected_protocol(Keithley2450, [(":SOUR:VOLT 0.123456789", None)]) as smu:
        smu.source_voltage = 0.123456789


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("2.0E-05;0;1;0", (2e-5, False)),
        ("-1.0E-03;1;1;0", (-1e-3, True)),
        ("9.9E+37;1;1;0", (1e-3, True)),
    ],
)
def test_measure_is_one_round_trip(reply, expected):
    with expected_protocol(Keithley2450, [(MEASURE, reply)]) as smu:
        smu.current_limit_set = 1e-3
        assert smu.measure(0.1) == expected


@pytest.mark.parametrize(
    ("protocol", "error"),
    [
        ([(MEASURE, "9.9E+37;0;1;0")], ReplyError),
        ([(MEASURE, "1.0E-05;0;0;0")], InstrumentError),
        ([(MEASURE, "1.0E-05;0;1"), OFF, NO_ERROR], ReplyError),
        ([(MEASURE, "x;0;1;0"), OFF, NO_ERROR], ReplyError),
        ([(MEASURE, "nan;0;1;0"), OFF, NO_ERROR], ReplyError),
        ([(MEASURE, "1"), OFF, RANGE_ERROR, NO_ERROR], ReportedError),
        ([(MEASURE, "1.0E-05;0;1;1"), OFF, RANGE_ERROR, NO_ERROR], ReportedError),
    ],
)
def test_measure_distrusts_replies(protocol, error):
    with expected_protocol(Keithley2450, protocol) as smu:
        smu.current_limit_set = 1e-3
        with pytest.raises(error):
            smu.measure(0.1)


def test_unprepared_or_out_of_range_sends_nothing():
    with expected_protocol(Keithley2450, []) as smu:
        with pytest.raises(InstrumentError, match="prepare"):
            smu.measure(0.1)
        smu.current_limit_set = 1e-3
        with pytest.raises(LimitError):
            smu.measure(22.0)


def test_wrong_instrument():
    """Such as a 2450 that plays a 2400."""
    with (
        expected_protocol(
            Keithley2450, [("*IDN?", "KEITHLEY INSTRUMENTS INC.,MODEL 2400,1,C34")]
        ) as smu,
        pytest.raises(WrongInstrumentError, match="SCPI 2400"),
    ):
        smu.check_identity()


@pytest.fixture
def bench():
    wafer = SimulatedWafer(
        addresses=[DIE], geometry=DieGeometry(subarrays=1, rows=5, columns=5), seed=3
    )
    bench = SimulatedBench(wafer, {ADDRESS: "keithley_2450"})
    bench.station.die_under_needles, bench.station.in_contact = DIE, True
    bench.station.route(12)
    return bench


@pytest.fixture
def smu(bench):
    driver = Keithley2450(connect(ADDRESS, role="smu", visa_library=bench.visa_library))
    driver.check_identity()
    return driver


def test_the_output_follows_prepare_and_off(smu, bench):
    states = []
    for action in (lambda: smu.prepare(1e-3), smu.off, lambda: smu.prepare(1e-3), smu.shutdown):
        action()
        states.append(bench.emulators[ADDRESS].channel.output)
    assert states == [True, False, True, False]


def test_readings_and_clamping(smu, bench):
    smu.prepare(1e-3)
    current, clamped = smu.measure(-0.1)
    assert -1e-4 < current < -1e-6
    assert not clamped
    assert bench.emulators[ADDRESS].channel.level_volts == 0

    smu.prepare(1e-7)
    assert smu.measure(0.1) == (pytest.approx(1e-7), True)


def test_protection_says_when_it_is_not_in_force(smu):
    smu.prepare(2e-4)
    assert [str(p) for p in smu.protections()] == ["current limit 200 µA"]
    smu.source_mode = "current"
    assert not smu.protections()[0].in_force


def test_what_pymeasure_brings_still_works(smu):
    """Current source, ramps, PyMeasure's own measurement methods."""
    smu.apply_current(compliance_voltage=1.0)
    smu.measure_voltage()
    smu.enable_source()
    smu.ramp_to_current(1e-6, steps=3, pause=0)
    assert 0 < smu.voltage < 0.1
    smu.check_errors()
