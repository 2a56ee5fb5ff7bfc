"""PyMeasure's own Agilent 33500 driver, unmodified, on the emulator: in process and over TCP."""

import pytest

pytest.importorskip("pymeasure")
from pymeasure.instruments.agilent import Agilent33500

from tests.foreign_clients.benches import CELL

pytestmark = pytest.mark.filterwarnings("default")
INSTRUMENT = "keysight_33500b"


@pytest.fixture
def generator(link):
    client = Agilent33500(link.address, visa_library=link.library, **link.ends)
    yield client
    client.adapter.close()


def test_identity_and_settings_of_both_channels(generator):
    assert "33522B" in generator.id
    for channel, volts in ((generator.ch_1, 1.0), (generator.ch_2, 2.0)):
        channel.shape = "SQU"
        channel.frequency = 1e4
        channel.amplitude = volts
        channel.offset = 0.1
    assert generator.ch_1.amplitude == 1.0
    assert generator.ch_2.amplitude == 2.0
    assert generator.ch_1.frequency == pytest.approx(1e4)
    assert generator.ch_2.voltage_high == pytest.approx(1.1)
    assert generator.check_errors() == []


def test_a_triggered_burst_is_one_pulse_on_the_cell(generator, bench):
    """Its setup with an infinite load: what is programmed is open-circuit volts."""
    generator.shape = "PULS"
    generator.output_load = "INF"
    generator.burst_mode = "TRIG"
    generator.burst_ncycles = 1
    generator.trigger_source = "BUS"
    generator.burst_state = True
    generator.amplitude = 1.0
    generator.offset = 0.5
    generator.pulse_width = 1e-6
    generator.output = True
    assert bench.station.die.pulses_given[CELL] == 0
    generator.trigger()
    generator.wait_for_trigger()
    generator.output = False
    assert generator.check_errors() == []
    assert bench.station.die.pulses_given[CELL] == 1
    assert bench.station.die.pulses_given.sum() == 1


def test_errors_are_told(generator):
    generator.write("VOLT 99")
    generator.write("NONSENSE")
    assert [entry[0] for entry in generator.check_errors()] == [-221, -113]
