import numpy as np
from pymeasure.test import expected_protocol

from crossbar.pulses import Pulse
from drivers.keysight_81110a import Keysight81110A
from tests.drivers.burst_generator_page import Page

NO_ERROR = '+0,"No error"'


def switched_on(polarity, amplitude, offset, *, armed=False, events=0):
    """The message that closes the relay says once more what keeps the cell at 0 V."""
    message = (
        f":TRIG:COUN 1;:ARM:SOUR {'EXT' if armed else 'MAN'};:OUTP1:POL {polarity}"
        f";:VOLT1 {amplitude};:VOLT1:OFF {offset};:OUTP1 ON;*ESR?;:SYST:ERR?"
    )
    return message, f"{events};{NO_ERROR}"


def answers(width):
    """Load and width; exponents have three digits."""
    return f"+999000.0;{width:+.4E}".replace("E-", "E-0")


PAGE = Page(
    driver=Keysight81110A,
    name="keysight_81110a",
    address="GPIB0::12::INSTR",
    no_error=NO_ERROR,
    off=("*CLS;:OUTP1 OFF;:ARM:SOUR MAN;:SYST:ERR?", NO_ERROR),
    positive=(
        (":OUTP1:POL NORM", None),
        (":VOLT1 0.9", None),
        (":VOLT1:OFF 0.45", None),
        (":PULS:WIDT1 3e-08", None),
    ),
    negative=(
        (":OUTP1:POL INV", None),
        (":VOLT1 0.8", None),
        (":VOLT1:OFF -0.4", None),
        (":PULS:WIDT1 1e-07", None),
    ),
    asked=":OUTP1:IMP:EXT?;:PULS:WIDT1?;:SYST:ERR?",
    answers=answers,
    closing=switched_on,
    opening=(":OUTP1 OFF;:SYST:ERR?", NO_ERROR),
    # The factory's load is 50 Ohm: every level would be twice as high on a cell.
    restarted=("+50.0;+3.0000E-008", r"OUTP1:IMP:EXT answered.*not sent"),
    # It only warns, so the width is read back.
    adjusted=(answers(50e-9), r"told a pulse width of 30 ns.*reads back 50 ns"),
    beyond=(
        (10.1, 1e-7, "Pulse of 10.1 V refused"),
        (-10.1, 1e-7, "Pulse of -10.1 V refused"),
        (0.15, 1e-7, "Pulse of 0.15 V refused"),
        (1.0, 1e-9, "Pulse width of 1 ns refused"),
        (1.0, 2e3, "Pulse width of 2 ks refused"),
    ),
    strict=(("width", 1e-9), ("width", float("nan")), ("amplitude", 11.0), ("offset", -10.5)),
    nine_digits=("limit_high", 1.23456789, ":VOLT1:LIM:HIGH 1.23456789"),
    stranger=("HEWLETT-PACKARD,HP81104A,1,1.0", "81104A"),
    sends=r"sends 0\.2 to 10 V",
    idle={"arm_source": "MAN", "output_enabled": False},
)


def test_prepare_asks_for_single_pulses_in_open_circuit_volts_and_reads_the_limits_back():
    """One page of the manual."""
    with expected_protocol(
        Keysight81110A,
        [
            ("*CLS;*RST", None),
            (":OUTP1 OFF", None),
            (":OUTP2 OFF;:CHAN:MATH OFF;:SYST:ERR?", NO_ERROR),
            (":OUTP1:IMP:EXT 999000", None),
            (":ARM:SOUR MAN", None),
            (":ARM:MODE STAR;SENS EDGE", None),
            (":TRIG:SOUR IMM", None),
            (":DIG:PATT OFF", None),
            (":TRIG:COUN 1", None),
            (":PULS:TRAN1 2e-09", None),
            (":PULS:TRAN1:TRA 2e-09", None),
            (":PULS:HOLD1 WIDT", None),
            (":OUTP1:POL NORM", None),
            (":VOLT1 0.2", None),
            (":VOLT1:OFF 0.1", None),
            (":VOLT1:LIM:HIGH 1.3", None),
            (":VOLT1:LIM:LOW -1.3", None),
            (":VOLT1:LIM:STAT ON", None),
            (":SYST:ERR?", NO_ERROR),
            (":VOLT1:LIM:HIGH?", "1.3"),
            (":VOLT1:LIM:LOW?", "-1.3"),
            (":VOLT1:LIM:STAT?", "1"),
            (":OUTP1:IMP:EXT?", "999000"),
        ],
    ) as generator:
        generator.prepare(1.3)


def test_the_second_output_has_settings_of_its_own_and_common_triggers(opened):
    """The arming is both outputs'; the first one stays off."""
    generator, bench = opened(PAGE, output=2)
    generator.prepare(1.3)
    generator.arm_external(Pulse(amplitude=0.9, width=200e-9))
    bench.station.trigger(1)
    generator.off()
    bench.station.trigger(1)

    assert np.flatnonzero(bench.station.die.pulses_given).tolist() == [2]
    assert bench.station.die.pulses_given[2] == 1
    assert not bench.emulators[PAGE.address].output
