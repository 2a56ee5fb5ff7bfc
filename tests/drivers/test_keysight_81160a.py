import numpy as np
import pytest
from pymeasure.test import expected_protocol

from crossbar.errors import ConfigurationError, LimitError, ReportedError
from crossbar.pulses import Pulse
from drivers.keysight_81160a import Keysight81160A
from drivers.visa import connect
from tests.drivers.burst_generator_page import Page

NO_ERROR = '+0,"No error"'


def switched_on(polarity, amplitude, offset, *, armed=False, events=0):
    """The message that closes the relay says once more what keeps the cell at 0 V."""
    message = (
        f":FUNC1 PULS;:ARM:SOUR1 {'EXT' if armed else 'MAN'};:OUTP1:POL {polarity}"
        f";:VOLT1 {amplitude};:VOLT1:OFFS {offset};:OUTP1 ON;*ESR?;:SYST:ERR?"
    )
    return message, f"{events};{NO_ERROR}"


PAGE = Page(
    driver=Keysight81160A,
    name="keysight_81160a",
    address="TCPIP0::192.168.0.11::inst0::INSTR",
    no_error=NO_ERROR,
    off=("*CLS;:OUTP1 OFF;:ARM:SOUR1 MAN;:SYST:ERR?", NO_ERROR),
    positive=(
        (":OUTP1:POL NORM", None),
        (":VOLT1 0.9", None),
        (":VOLT1:OFFS 0.45", None),
        (":PULS:WIDT1 3e-08", None),
    ),
    negative=(
        (":OUTP1:POL INV", None),
        (":VOLT1 0.8", None),
        (":VOLT1:OFFS -0.4", None),
        (":PULS:WIDT1 1e-07", None),
    ),
    asked=":FUNC1?;:PULS:WIDT1?;:SYST:ERR?",
    answers=lambda width: f"PULS;{width:+.1E}",
    closing=switched_on,
    opening=(":OUTP1 OFF;:SYST:ERR?", NO_ERROR),
    restarted=("SIN;3E-8", r"'SIN'.*not sent"),
    adjusted=("PULS;+5.0E-08", r"told a pulse width of 30 ns.*reads back 50 ns"),
    beyond=(
        (10.1, 1e-7, "Pulse of 10.1 V refused"),
        (-10.1, 1e-7, "Pulse of -10.1 V refused"),
        (0.05, 1e-7, "Pulse of 0.05 V refused"),
        (1.0, 1e-9, "Pulse width of 1 ns refused"),
        (1.0, 2e6, "Pulse width of 2 Ms refused"),
    ),
    strict=(("width", 1e-9), ("width", float("nan")), ("amplitude", 11.0), ("offset", -10.5)),
    nine_digits=("limit_high", 1.23456789, ":VOLT1:LIM:HIGH 1.23456789"),
    stranger=("Agilent Technologies,81110A,1,1.0", "81110A"),
    sends=r"sends 0\.1 to 10 V",
    idle={"arm_source": "MAN", "output_enabled": False},
)


def test_prepare_asks_for_single_pulses_in_open_circuit_volts_and_reads_the_limits_back():
    """One page of the manual."""
    with expected_protocol(
        Keysight81160A,
        [
            ("*CLS;*RST", None),
            (":OUTP1 OFF", None),
            (":OUTP2 OFF;:CHAN:MATH OFF;:SYST:ERR?", NO_ERROR),
            (":FUNC1 PULS", None),
            (":OUTP1:LOAD 1000000", None),
            (":ARM:SOUR1 MAN", None),
            (":TRIG1:COUN 1", None),
            (":FUNC1:PULS:TRAN 1e-09", None),
            (":FUNC1:PULS:TRAN:TRA 1e-09", None),
            (":PULS:HOLD1 WIDT", None),
            (":OUTP1:POL NORM", None),
            (":VOLT1 0.1", None),
            (":VOLT1:OFFS 0.05", None),
            (":VOLT1:LIM:HIGH 1.3", None),
            (":VOLT1:LIM:LOW -1.3", None),
            (":VOLT1:LIM:STAT ON", None),
            (":SYST:ERR?", NO_ERROR),
            (":VOLT1:LIM:HIGH?", "1.3"),
            (":VOLT1:LIM:LOW?", "-1.3"),
            (":VOLT1:LIM:STAT?", "1"),
            (":OUTP1:LOAD?", "1000000"),
        ],
    ) as generator:
        generator.prepare(1.3)


def test_the_second_output_leads_to_the_cell_and_the_first_stays_off(bench_with):
    """Chosen at construction; whoever was on the other output before is switched off."""
    bench = bench_with(PAGE.name, PAGE.address, output=2)
    emulator = bench.emulators[PAGE.address]
    adapter = connect(PAGE.address, visa_library=bench.visa_library)
    adapter.write(":OUTP1 ON")
    generator = Keysight81160A(adapter, output=2)
    generator.prepare(1.3)
    assert not emulator.output  # the first one's
    generator.apply(Pulse(amplitude=-0.9, width=200e-9))

    assert np.flatnonzero(bench.station.die.pulses_given).tolist() == [2]
    assert bench.station.die.pulses_given[2] == 1
    assert [p.value for p in generator.protections()] == pytest.approx([1.3, -1.3], rel=1e-3)
    with pytest.raises(ReportedError, match="LIMit"):
        generator.apply(Pulse(amplitude=1.4, width=10e-9))
    generator.adapter.close()


def test_there_is_no_third_output_and_outputs_are_never_added():
    with pytest.raises(ConfigurationError, match="outputs 1 and 2, not 3"):
        Keysight81160A(None, output=3)
    with (
        expected_protocol(Keysight81160A, []) as generator,
        pytest.raises(LimitError, match="sum that a cell would see"),
    ):
        generator.channel_math = "PLUS"
