"""PyMeasure's own 81160A driver, unmodified, on the emulator: in process and over TCP."""

import pytest

pytest.importorskip("pymeasure")
from pymeasure.instruments.keysight import Keysight81160A

from tests.foreign_clients.benches import CELL

pytestmark = pytest.mark.filterwarnings("default")
INSTRUMENT = "keysight_81160a"


@pytest.fixture
def generator(link):
    client = Keysight81160A(link.address, visa_library=link.library, **link.ends)
    yield client
    client.adapter.close()


def test_identity_and_settings_of_both_channels(generator):
    assert "81160A" in generator.id
    for channel, volts in ((generator.ch_1, 1.0), (generator.ch_2, 2.0)):
        channel.shape = "SQU"
        channel.frequency = 1e4
        channel.amplitude = volts
        channel.offset = 0.1
        channel.pulse_hold = "WIDT"
    assert generator.ch_1.amplitude == 1.0
    assert generator.ch_2.amplitude == 2.0
    assert generator.ch_1.frequency == pytest.approx(1e4)
    assert generator.ch_2.voltage_high == pytest.approx(1.1)
    assert generator.ch_2.shape == "SQU"
    assert generator.check_errors() == []


def test_a_trigger_is_one_pulse_on_the_cell_and_limits_hold(generator, bench):
    """Programmed for 50 Ohm, as the factory setting is."""
    channel = generator.ch_1
    channel.shape = "PULS"
    channel.trigger_mode = "MAN"
    channel.pulse_transition = 10e-9
    channel.trigger_count = 1
    channel.amplitude = 0.5
    channel.offset = 0.25
    channel.pulse_period = 10e-6
    channel.pulse_width = 1e-6
    channel.limit_high = 0.6
    channel.limit_low = -0.6
    channel.limit_state_enabled = True
    channel.output = True
    assert bench.station.die.pulses_given[CELL] == 0
    generator.trigger()
    assert generator.check_errors() == []
    assert bench.station.die.pulses_given[CELL] == 1

    channel.offset = 0.5
    assert generator.check_errors()[0][0] == -222
    channel.output = False
    generator.trigger()
    assert bench.station.die.pulses_given.sum() == 1


def test_errors_are_told(generator):
    generator.write(":VOLT1 99")
    generator.write("NONSENSE")
    assert [entry[0] for entry in generator.check_errors()] == [-222, -113]
