import pytest

from tests.simulated_instruments.scpi_generators import KEYSIGHT_81110A
from tests.simulated_instruments.scpi_messages import ask


@pytest.fixture
def generator(station):
    return KEYSIGHT_81110A.generator(station)


def test_levels_can_be_set_as_high_and_low(generator, station):
    """Units may follow without a space."""
    ask(generator, b":VOLT1:HIGH 900MV;LOW 0V;:PULS:WIDT1 30NS;:OUTP1 ON;*TRG")

    assert station.pulses == [(pytest.approx(0.9, rel=1e-3), pytest.approx(30e-9), 50.0)]


def test_the_expected_load_may_have_its_unit(generator, station):
    ask(generator, b":OUTP1:IMP:EXT 50OHM;:VOLT1 0.9V;:VOLT1:OFF 450MV;:OUTP1 ON;*TRG")

    assert station.volts == [pytest.approx(1.8)]


def test_switching_the_pattern_off_changes_the_trigger_count(generator):
    """The order trap: the count must be sent afterwards."""
    assert ask(generator, b":TRIG:COUN 1;:DIG:PATT OFF;:TRIG:COUN?") == "2"
    assert ask(generator, b":TRIG:COUN 1;:TRIG:COUN?") == "1"


def test_with_the_pattern_mode_on_nothing_is_sent(generator, station):
    ask(generator, b":VOLT1 0.9;:VOLT1:OFF 0.45;:DIG:PATT ON;:OUTP1 ON;*TRG")

    assert station.pulses == []


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (b":PULS:WIDT1 3NS", -222),
        (b":PULS:TRAN1 1NS", -222),
        (b":PULS:TRAN1 1US", -221),
        (b":TRIG:COUN 65537", -222),
        (b":VOLT1 0.1", -221),
        (b":PULS:WIDT3 10NS", -114),
        (b":ARM:SOUR SOMETIMES", -224),
        (b":VOLT1:LIM:HIGH 0.3;STAT ON", -222),
    ],
)
def test_what_the_hardware_cannot_do_is_refused(generator, message, error):
    assert ask(generator, message + b";:SYST:ERR?").startswith(f"{error},")
