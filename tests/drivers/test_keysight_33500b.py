from pymeasure.test import expected_protocol

from drivers.keysight_33500b import Keysight33500B
from tests.drivers.burst_generator_page import Page

NO_ERROR = '+0,"No error"'


def switched_on(polarity, amplitude, offset, *, armed=False, events=0):
    """The message that closes the relay says once more what keeps the cell at 0 V."""
    message = (
        f":FUNC PULS;:TRIG1:SOUR BUS;:OUTP1:POL {polarity};:VOLT {amplitude};:VOLT:OFFS {offset}"
        f";:TRIG1:SOUR {'EXT' if armed else 'BUS'};:OUTP1 ON;*ESR?;:SYST:ERR?"
    )
    return message, f"{events};{NO_ERROR}"


PAGE = Page(
    driver=Keysight33500B,
    name="keysight_33500b",
    address="USB0::0x0957::0x2807::MY57801234::INSTR",
    no_error=NO_ERROR,
    off=("*CLS;:OUTP1 OFF;:TRIG1:SOUR BUS;:SYST:ERR?", NO_ERROR),
    positive=(
        (":OUTP1:POL NORM", None),
        (":VOLT 0.9", None),
        (":VOLT:OFFS 0.45", None),
        (":FUNC:PULS:WIDT 1.6e-08", None),
        (":FUNC:PULS:PER 1.6e-07", None),
        (":FUNC:PULS:WIDT 3e-08", None),
    ),
    negative=(
        (":OUTP1:POL INV", None),
        (":VOLT 0.8", None),
        (":VOLT:OFFS -0.4", None),
        (":FUNC:PULS:WIDT 1.6e-08", None),
        (":FUNC:PULS:PER 3e-07", None),
        (":FUNC:PULS:WIDT 1e-07", None),
    ),
    asked=":FUNC?;:FUNC:PULS:WIDT?;:SYST:ERR?",
    answers=lambda width: f"PULS;{width:g}",
    closing=switched_on,
    opening=(":OUTP1 OFF;:SYST:ERR?", NO_ERROR),
    restarted=("SIN;3e-08", r"'SIN'.*not sent"),
    adjusted=("PULS;1.6e-08", r"1.6e-08 s of a width of 3e-08 s.*not sent"),
    beyond=(
        (10.1, 1e-7, "Pulse of 10.1 V refused"),
        (-10.1, 1e-7, "Pulse of -10.1 V refused"),
        (0.01, 1e-7, "Pulse of 0.01 V refused"),
        (1.0, 1e-9, "Pulse width of 1 ns refused: the Keysight 33500B"),
        (1.0, 2e6, "Pulse width of 2 Ms refused"),
    ),
    strict=(
        ("amplitude", 20.5),
        ("amplitude", float("nan")),
        ("offset", -10.5),
        ("limit_high", 11),
    ),
    nine_digits=("limit_high", 1.23456789, ":VOLT:LIM:HIGH 1.23456789"),
    stranger=("Agilent Technologies,81110A,1,1.0", "81110A"),
    sends=r"sends 0\.02 to 10 V",
    idle={"trigger_source": "BUS", "output": False},
)


def test_prepare_asks_for_single_pulses_in_open_circuit_volts_and_reads_the_limits_back():
    """One page of the manual."""
    with expected_protocol(
        Keysight33500B,
        [
            ("*CLS;*RST", None),
            (":OUTP1 OFF", None),
            ("FUNC PULS", None),
            ("OUTP:LOAD INF", None),
            ("BURS:MODE TRIG", None),
            ("BURS:NCYC 1", None),
            (":TRIG1:SOUR BUS", None),
            ("BURS:STAT 1", None),
            ("FUNC:PULS:HOLD WIDT", None),
            ("FUNC:PULS:TRAN:BOTH 8.400000e-09", None),
            (":OUTP1:POL NORM", None),
            (":VOLT 0.02", None),
            (":VOLT:OFFS 0.01", None),
            (":VOLT:LIM:HIGH 1.3", None),
            (":VOLT:LIM:LOW -1.3", None),
            (":VOLT:LIM:STAT 1", None),
            (":SYST:ERR?", NO_ERROR),
            (":VOLT:LIM:HIGH?", "1.3"),
            (":VOLT:LIM:LOW?", "-1.3"),
            (":VOLT:LIM:STAT?", "1"),
            ("OUTP:LOAD?", "9.9E+37"),
        ],
    ) as generator:
        generator.prepare(1.3)


def test_a_33600a_has_shorter_pulses():
    """By its own ratings, adopted with its identity."""
    with expected_protocol(
        Keysight33500B, [("*IDN?", "Agilent Technologies,33622A,MY1,1.0")]
    ) as generator:
        generator.check_identity()
        assert generator.reach.shortest == 5e-9
        assert generator.reach.name == "Keysight 33600A"
        assert generator.channels_available == 2
