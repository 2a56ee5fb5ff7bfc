import pytest

from crossbar.errors import InstrumentError, ReplyError, ReportedError
from drivers.keithley_2400 import Keithley2400
from tests.drivers.smu_page import Page

NO_ERROR = (":SYST:ERR?", '0,"No error"')
OUTPUT_ERROR = (":SYST:ERR?", '+803,"Not permitted with OUTPUT off"')
OFF = (":ABOR;:SOUR:VOLT 0;:OUTP OFF", None)


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


PAGE = Page(
    driver=Keithley2400,
    name="keithley_2400",
    address="GPIB0::24::INSTR",
    channel=lambda emulator: emulator.channel,
    preparation=preparation,
    on=(("OUTPUT 1", None), NO_ERROR),
    did_not_take=(("+1.050000E-04",),),
    measuring=":SOUR:VOLT 0.1;:READ?;:SOUR:VOLT 0;:OUTP?;:SYST:ERR:COUN?",
    # Status bits 3 and 16 mean compliance.
    readings=(
        ("+2.000000E-05,+2.048400E+04;1;0", (2e-5, False)),
        ("-1.000000E-03,+2.049200E+04;1;0", (-1e-3, True)),
        ("+1.000000E-03,+8.602000E+04;1;0", (1e-3, True)),
        ("+9.900000E+37,+2.049200E+04;1;0", (1e-3, True)),
    ),
    distrusted=(
        ("+9.9E+37,+2.048400E+04;1;0", (), ReplyError, "overflow"),
        ("+1.0E-05,+2.048400E+04;0;0", (), InstrumentError, "went off by itself"),
        ("+1.0E-05;1;0", (OFF, NO_ERROR), ReplyError, "not current and status"),
        ("+1.0E-05,x;1;0", (OFF, NO_ERROR), ReplyError, "not current and status"),
        ("+1.0E-05,+2.0E+04,1;0", (OFF, NO_ERROR), ReplyError, "not current and status"),
        ("nan,0;1;0", (OFF, NO_ERROR), ReplyError, "not current and status"),
        ("1", (OFF, OUTPUT_ERROR, NO_ERROR), ReportedError, "803"),
        ("+1.0E-05,+2.0E+04;1;1", (OFF, OUTPUT_ERROR, NO_ERROR), ReportedError, "803"),
    ),
    strict=(("compliance_current", 3.0), ("source_voltage", 30.0), ("current_nplc", 11.0)),
    nine_digits=("compliance_current", 1.23456789e-4, ":SENS:CURR:PROT 0.000123456789"),
    stranger=("KEITHLEY INSTRUMENTS,MODEL 2450,1,1.0", "MODEL 2450"),
)


@pytest.mark.parametrize("limit", [1e-8, 1e-7, 1e-6, 1e-3, 1.05])
def test_every_limit_holds(opened, limit):
    """Whatever range a reading left behind."""
    smu, bench = opened(PAGE)
    smu.prepare(1e-2)
    smu.measure(0.1)
    smu.prepare(limit)
    current, clamped = smu.measure(0.1)
    assert clamped is (limit < 1e-5)
    assert abs(current) <= limit
    assert bench.emulators[PAGE.address].channel.level_volts == 0


def test_what_pymeasure_brings_still_works(opened):
    """After the data format that its constructor would have sent."""
    smu, _ = opened(PAGE)
    smu.reset_data_format()
    smu.source_mode = "current"
    smu.compliance_voltage = 1.0
    smu.source_current = 1e-6
    assert 0 < smu.voltage < 0.1
    assert smu.measure_all()["resistance"] > 1000
    smu.check_errors()
