import time

import pytest
from pymeasure.test import expected_protocol

from crossbar.errors import ReplyError
from crossbar.pulses import Pulse
from drivers.tektronix_afg31000 import MODELS, TektronixAFG31000
from tests.drivers.burst_generator_page import Page

NO_ERROR = '0,"No error"'
RESTS_AT_ITS_END = ":SOUR1:BURS:IDLE END;:TRIG:SOUR EXT"


def closing(polarity, amplitude, offset, *, armed=False, events=0):
    """The message that closes the relay says once more what keeps the cell at 0 V."""
    message = (
        f":SOUR1:FUNC:SHAP PULS;{RESTS_AT_ITS_END};:OUTP1:POL {polarity}"
        f";:SOUR1:VOLT:AMPL {amplitude};:SOUR1:VOLT:OFFS {offset}"
        f";{':TRIG:SOUR EXT' if armed else RESTS_AT_ITS_END};:OUTP1:STAT ON;*ESR?;:SYST:ERR?"
    )
    return message, f"{events};{NO_ERROR}"


PAGE = Page(
    driver=TektronixAFG31000,
    name="tektronix_afg31000",
    address="USB0::0x0699::0x035C::C019999::INSTR",
    no_error=NO_ERROR,
    off=(f"*CLS;:OUTP1:STAT OFF;{RESTS_AT_ITS_END};:SYST:ERR?", NO_ERROR),
    positive=(
        (":OUTP1:POL NORM", None),
        (":SOUR1:VOLT:AMPL 0.9", None),
        (":SOUR1:VOLT:OFFS 0.45", None),
        (":SOUR1:PULS:WIDT 1.6e-08", None),
        (":SOUR1:PULS:PER 1.6e-07", None),
        (":SOUR1:PULS:WIDT 3e-08", None),
    ),
    negative=(
        (":OUTP1:POL INV", None),
        (":SOUR1:VOLT:AMPL 0.8", None),
        (":SOUR1:VOLT:OFFS -0.4", None),
        (":SOUR1:PULS:WIDT 1.6e-08", None),
        (":SOUR1:PULS:PER 3e-07", None),
        (":SOUR1:PULS:WIDT 1e-07", None),
    ),
    asked=":SOUR1:FUNC:SHAP?;:SOUR1:PULS:WIDT?;:SYST:ERR?",
    answers=lambda width: f"PULS;{width:.3E}",
    # Only after a burst does the output rest at its end point, 0 V: one runs with the output off.
    unseen=((":OUTP1:STAT OFF;*TRG;:SYST:ERR?", NO_ERROR),),
    closing=closing,
    opening=(":OUTP1:STAT OFF;:SYST:ERR?", NO_ERROR),
    restarted=("SIN;3e-08", r"'SIN'.*not sent"),
    adjusted=("PULS;1.6e-08", r"1.6e-08 s of a width of 3e-08 s.*not sent"),
    beyond=(
        (5.1, 1e-7, "Pulse of 5.1 V refused"),
        (-5.1, 1e-7, "Pulse of -5.1 V refused"),
        (0.001, 1e-7, "Pulse of 0.001 V refused"),
        (1.0, 15e-9, "Pulse width of 15 ns refused: the Tektronix AFG31000"),
        (1.0, 401.0, "Pulse width of 401 s refused"),
    ),
    strict=(
        ("amplitude", 20.5),
        ("amplitude", float("nan")),
        ("offset", -10.5),
        ("limit_high", 11),
        ("limit_low", -11),
    ),
    nine_digits=("limit_high", 1.23456789, ":SOUR1:VOLT:LIM:HIGH 1.23456789"),
    stranger=("TEKTRONIX,AFG3152C,C010101,SCPI:99.0 FV:1.0", r"AFG3152C.*AFG31152"),
    sends=r"sends 0\.002 to 5 V",
    idle={"output_enabled": False},
)


def test_prepare_asks_for_single_pulses_in_open_circuit_volts_and_reads_the_limits_back():
    """One page of the manual; the limits have no switch."""
    with expected_protocol(
        TektronixAFG31000,
        [
            ("*CLS;*RST", None),
            (":OUTP1:STAT OFF", None),
            (":SOUR1:FUNC:SHAP PULS", None),
            (":OUTP1:IMP INF", None),
            (":SOUR1:BURS:MODE TRIG", None),
            (":SOUR1:BURS:NCYC 1", None),
            (":TRIG:SOUR EXT", None),
            (":SOUR1:BURS:IDLE END", None),
            (":SOUR1:BURS:STAT ON", None),
            (":SOUR1:PULS:HOLD WIDT", None),
            (":SOUR1:PULS:TRAN:LEAD MIN", None),
            (":SOUR1:PULS:TRAN:TRA MIN", None),
            (":OUTP1:POL NORM", None),
            (":SOUR1:VOLT:AMPL 0.002", None),
            (":SOUR1:VOLT:OFFS 0.001", None),
            (":SOUR1:VOLT:LIM:HIGH 1.3", None),
            (":SOUR1:VOLT:LIM:LOW -1.3", None),
            (":SYST:ERR?", NO_ERROR),
            (":SOUR1:VOLT:LIM:HIGH?", "1.3"),
            (":SOUR1:VOLT:LIM:LOW?", "-1.3"),
            (":OUTP1:IMP?", "9.9E+37"),
        ],
    ) as generator:
        generator.prepare(1.3)


@pytest.mark.parametrize(
    ("model", "channels", "largest", "shortest"),
    [("AFG31022", 2, 10.0, 16e-9), ("AFG31101", 1, 10.0, 6e-9), ("AFG31252", 2, 5.0, 4e-9)],
)
def test_a_model_brings_its_own_ratings(model, channels, largest, shortest):
    with expected_protocol(
        TektronixAFG31000, [("*IDN?", f"TEKTRONIX,{model},C100101,SCPI:99.0 FV:1.0")]
    ) as generator:
        generator.check_identity()
        assert generator.channels_available == channels
        assert generator.reach.largest == largest
        assert generator.reach.shortest == shortest


def test_limits_that_read_as_no_number_are_told():
    with (
        expected_protocol(
            TektronixAFG31000,
            [
                (":SOUR1:VOLT:LIM:HIGH?", "1.3"),
                (":SOUR1:VOLT:LIM:LOW?", "-1.3"),
                (":OUTP1:IMP?", "INF ohms"),
            ],
        ) as generator,
        pytest.raises(ReplyError, match="INF ohms"),
    ):
        generator.protections()


def test_limits_are_open_circuit_volts_whatever_the_load():
    """1 V across 50 Ohm behind 50 Ohm is 2 V open circuit."""
    with expected_protocol(
        TektronixAFG31000,
        [
            (":SOUR1:VOLT:LIM:HIGH?", "1.0"),
            (":SOUR1:VOLT:LIM:LOW?", "-0.5"),
            (":OUTP1:IMP?", "50"),
        ],
    ) as generator:
        high, low = generator.protections()
        assert (high.value, low.value) == (2.0, -1.0)
        assert high.in_force
        assert low.in_force


def test_what_prepare_set_reads_back(opened):
    generator, _ = opened(PAGE)
    generator.prepare(1.3)
    assert generator.shape == "PULS"
    assert generator.load == 9.9e37
    assert generator.burst_idle == "END"
    assert generator.trigger_source == "EXT"
    assert generator.polarity == "NORM"
    assert generator.output_enabled is False
    assert (generator.amplitude, generator.offset) == (0.002, 0.001)
    assert generator.channels_available == MODELS["AFG31152"].channels


def test_a_pulse_longer_than_a_message_is_waited_for(opened):
    """The unseen burst too, or the relay would close in its midst."""
    generator, bench = opened(PAGE)
    generator.prepare(1.3)
    began = time.monotonic()
    generator.apply(Pulse(amplitude=1.0, width=20e-3))

    assert time.monotonic() - began > 40e-3 + 20e-3
    assert bench.station.die.pulses_given[2] == 1
