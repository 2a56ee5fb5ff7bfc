import pytest

from tests.simulated_instruments.scpi_generators import KEYSIGHT_81160A
from tests.simulated_instruments.scpi_messages import ask


@pytest.fixture
def generator(station):
    return KEYSIGHT_81160A.generator(station)


def test_output_1_is_meant_where_no_number_says_which(generator, station):
    """And ``TRIGger1`` starts it, too."""
    ask(generator, b":OUTP:LOAD 50;:VOLT 0.9;:VOLT:OFFS 0.45;:OUTP ON;:TRIG1")

    assert station.volts == [pytest.approx(1.8)]


def test_the_period_matters_to_bursts_only(generator):
    """User guide p. 142: ignored for triggered single pulses, else at least width + 1.6 edges."""
    assert ask(generator, b":PULS:PER1 20NS;:PULS:WIDT1 30NS;:SYST:ERR?") == '+0,"No error"'
    assert ask(generator, b":TRIG:COUN 2;:SYST:ERR?").startswith('-221,"Settings conflict;period')


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (b":PULS:WIDT 1NS", -222),
        (b":FUNC:PULS:TRAN 900PS", -222),
        (b":FUNC:PULS:TRAN 300NS", -221),
        (b":VOLT 10.5", -221),
        (b":VOLT 0.02", -221),
        (b":VOLT:OFFS 9.9", -221),
        (b":VOLT:LOW 1.5", -221),
        (b":VOLT:LIM:HIGH 0.5;STAT ON;:VOLT:OFFS 0.1", -222),
        (b":VOLT3 1", -114),
    ],
)
def test_what_the_hardware_cannot_do_is_refused(generator, message, error):
    """And leaves the settings as they were."""
    ask(generator, b":VOLT 0.9;:VOLT:OFFS 0")
    before = (generator.amplitude, generator.offset, generator.width, generator.leading)

    assert ask(generator, message + b";:SYST:ERR?").startswith(f"{error},")
    assert before == (generator.amplitude, generator.offset, generator.width, generator.leading)


def test_levels_can_be_set_as_high_and_low(generator):
    """They are the same two numbers as amplitude and offset."""
    ask(generator, b":VOLT1:HIGH 1.2;LOW -0.3")

    assert ask(generator, b":VOLT1?;:VOLT1:OFFS?;HIGH?;LOW?") == (
        "+1.500000000E+00;+4.500000000E-01;+1.200000000E+00;-3.000000000E-01"
    )


def test_outputs_have_settings_of_their_own_until_they_are_coupled(generator):
    ask(generator, b":VOLT1 0.9;:VOLT2 0.4")
    assert float(ask(generator, b":VOLT1?")) == 0.9
    assert float(ask(generator, b":VOLT2?")) == 0.4
    ask(generator, b":TRAC:CHAN1 ON")
    assert float(ask(generator, b":VOLT2?")) == 0.9
    ask(generator, b":VOLT2 0.7")
    assert float(ask(generator, b":VOLT1?")) == 0.7


def test_a_coupled_output_drives_the_cell_as_the_other_was_told(generator, station):
    """What the first was told the wired second does: nothing that couples is harmless."""
    second = KEYSIGHT_81160A.generator(station, output=2)
    ask(second, b":VOLT1 0.9;:VOLT1:OFFS 0.45;:OUTP1 ON;*TRG")
    assert station.pulses == []
    ask(second, b":TRAC:CHAN1 ON;*TRG")
    assert len(station.pulses) == 1


def test_adding_the_outputs_is_refused(generator):
    assert ask(generator, b":CHAN:MATH PLUS;:SYST:ERR?").startswith("-221,")
    assert ask(generator, b":CHAN:MATH?") == "OFF"
