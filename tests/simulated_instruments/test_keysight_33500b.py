import pytest

from drivers.keysight_33500b import MODELS
from simulated_instruments.keysight_33500b import ONE_CHANNEL, TWO_CHANNELS
from tests.simulated_instruments.scpi_generators import KEYSIGHT_33500B
from tests.simulated_instruments.scpi_messages import ask


@pytest.fixture
def generator(station):
    return KEYSIGHT_33500B.generator(station)


def test_driver_and_emulator_know_the_same_models():
    assert set(MODELS) == set(ONE_CHANNEL + TWO_CHANNELS)
    for name, ratings in MODELS.items():
        assert ratings.channels == (2 if name in TWO_CHANNELS else 1)


def test_output_2_leads_nowhere_and_has_settings_of_its_own(generator, station):
    ask(generator, b":SOUR2:FUNC PULS;:SOUR2:VOLT 3;:SOUR2:VOLT:OFFS 1.5;:OUTP2 ON;:TRIG2:SOUR BUS")
    ask(generator, b":SOUR2:BURS:STAT ON;*TRG")
    assert ask(generator, b":SYST:ERR?").startswith("+0")
    assert station.pulses == []
    assert float(ask(generator, b":SOUR2:VOLT?")) == 3.0
    assert float(ask(generator, b":SOUR1:VOLT?")) == pytest.approx(0.2)  # 0.1 V into 50 Ohm


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (b":VOLT 20.5", -221),
        (b":VOLT:OFFS 9.95;:VOLT 1", -221),
        (b":FUNC:PULS:WIDT 10NS", -222),
        (b":VOLT:LIM:HIGH 0.5;:VOLT:LIM:STAT ON;:VOLT:OFFS 0.6", -222),
        (b":FUNC:NOISE 3", -113),
        (b":VOLT", -109),
    ],
)
def test_what_the_generator_cannot_do_is_refused(generator, message, error):
    """And leaves the levels and the width as they were, where they were right."""
    before = generator.width
    assert ask(generator, message + b";:SYST:ERR?").startswith(f"{error},")
    assert generator.width == before
