import pytest
from pymeasure.test import expected_protocol

from crossbar.errors import InstrumentError, ReplyError, ReportedError
from drivers.keithley_2450 import Keithley2450
from tests.drivers.smu_page import Page

NO_ERROR = (":SYST:ERR?", '0,"No error;0;0 0"')
RANGE_ERROR = (":SYST:ERR?", '-222,"Parameter data out of range;1;2026/01/01 00:00:00.000"')
OFF = (":ABOR;:SOUR:VOLT 0;:OUTP OFF", None)


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


PAGE = Page(
    driver=Keithley2450,
    name="keithley_2450",
    address="GPIB0::18::INSTR",
    channel=lambda emulator: emulator.channel,
    preparation=preparation,
    on=(("OUTPUT ON", None), NO_ERROR),
    did_not_take=(("1.05E-04",),),
    measuring=":SOUR:VOLT 0.1;:READ?;:SOUR:VOLT:ILIM:TRIP?;:SOUR:VOLT 0;:OUTP?;:SYST:ERR:COUN?",
    readings=(
        ("2.0E-05;0;1;0", (2e-5, False)),
        ("-1.0E-03;1;1;0", (-1e-3, True)),
        ("9.9E+37;1;1;0", (1e-3, True)),
    ),
    distrusted=(
        ("9.9E+37;0;1;0", (), ReplyError, "overflow"),
        ("1.0E-05;0;0;0", (), InstrumentError, "went off by itself"),
        ("1.0E-05;0;1", (OFF, NO_ERROR), ReplyError, "not four numbers"),
        ("x;0;1;0", (OFF, NO_ERROR), ReplyError, "not four numbers"),
        ("nan;0;1;0", (OFF, NO_ERROR), ReplyError, "not four numbers"),
        ("1", (OFF, RANGE_ERROR, NO_ERROR), ReportedError, "-222"),
        ("1.0E-05;0;1;1", (OFF, RANGE_ERROR, NO_ERROR), ReportedError, "-222"),
    ),
    strict=(("compliance_current", 3.0), ("source_voltage", 30.0), ("current_nplc", 11.0)),
    nine_digits=("source_voltage", 0.123456789, ":SOUR:VOLT 0.123456789"),
    # A 2450 that plays a 2400.
    stranger=("KEITHLEY INSTRUMENTS INC.,MODEL 2400,1,C34", "MODEL 2400.*SCPI 2400"),
)


def test_another_command_set_is_told_and_nothing_set():
    with (
        expected_protocol(Keithley2450, [("*LANG?", "TSP")]) as smu,
        pytest.raises(InstrumentError, match=r"\*LANG SCPI"),
    ):
        smu.prepare(1e-3)


def test_what_pymeasure_brings_still_works(opened):
    """Current source, ramps, PyMeasure's own measurement methods."""
    smu, _ = opened(PAGE)
    smu.apply_current(compliance_voltage=1.0)
    smu.measure_voltage()
    smu.enable_source()
    smu.ramp_to_current(1e-6, steps=3, pause=0)
    assert 0 < smu.voltage < 0.1
    smu.check_errors()
