"""What function generators have beyond pulse generators: models, bursts, units, loads."""

import pytest

from crossbar.errors import ConfigurationError
from simulated_instruments.burst_output import BurstOutput
from simulated_instruments.catalog import load_emulator
from tests.simulated_instruments.scpi_generators import DIALECTS, tell
from tests.simulated_instruments.scpi_messages import ask

BURSTS = [d for d in DIALECTS if issubclass(load_emulator(d.name), BurstOutput)]


@pytest.fixture(params=BURSTS, ids=str)
def dialect(request):
    return request.param


@pytest.fixture
def generator(dialect, station):
    return dialect.generator(station)


@pytest.mark.parametrize(
    ("name", "model", "maker"),
    [
        ("keysight_33500b", "33611A", "Agilent Technologies"),
        ("tektronix_afg31000", "AFG31021", "TEKTRONIX"),
    ],
)
def test_identity_names_the_model_that_was_asked_for(station, name, model, maker):
    emulator = load_emulator(name)(station, model=model)
    assert ask(emulator, b"*IDN?").split(",")[:2] == [maker, model]


@pytest.mark.parametrize(
    ("name", "model", "told"),
    [
        ("keysight_33500b", "33123X", r"'33123X'.*33622A"),
        ("tektronix_afg31000", "AFG3152C", r"AFG31021.*AFG31252"),
        ("tektronix_afg31000", "AFG31153", r"AFG31021.*AFG31252"),
        ("tektronix_afg31000", "", r"AFG31021.*AFG31252"),
        ("tektronix_afg31000", "AFG3115", r"AFG31021.*AFG31252"),
    ],
)
def test_an_unknown_model_is_refused_with_the_known_ones(station, name, model, told):
    with pytest.raises(ConfigurationError, match=told):
        load_emulator(name)(station, model=model)


@pytest.mark.parametrize(
    ("name", "model"), [("keysight_33500b", "33511B"), ("tektronix_afg31000", "AFG31151")]
)
def test_one_channel_models_have_no_second(station, name, model):
    emulator = load_emulator(name)(station, model=model)
    assert ask(emulator, b":SOUR2:VOLT 1;:SYST:ERR?").startswith("-114")


def test_a_load_of_50_ohm_halves_what_the_same_levels_read(generator, dialect, station):
    """The output stage stays; only the numbers change, and back."""
    tell(generator, dialect.levels % (0.9, 0.45), dialect.load % 50)
    assert float(ask(generator, b":VOLT?")) == pytest.approx(0.45)
    tell(generator, dialect.on, "*TRG")
    assert station.volts == [pytest.approx(0.9)]
    tell(generator, dialect.load.replace("%g", "INF"))
    assert float(ask(generator, b":VOLT?")) == pytest.approx(0.9)


def test_rms_and_decibels_mean_what_they_say(generator, dialect):
    """1 Vrms of a sine is 2.83 V peak to peak; 0 dBm into 50 Ohm is 224 mVrms."""
    tell(generator, ":FUNC SIN", dialect.load % 50, ":VOLT 1 VRMS")
    assert float(ask(generator, b":VOLT?")) == pytest.approx(2.8284, rel=1e-4)
    ask(generator, b":VOLT:UNIT DBM;:VOLT 0;:VOLT:UNIT VRMS")
    assert float(ask(generator, b":VOLT?")) == pytest.approx(0.2236, rel=1e-3)
