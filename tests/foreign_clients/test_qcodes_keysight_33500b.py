"""QCoDeS' own Keysight 33XXX driver, unmodified, on the emulator: in process and over TCP."""

import pytest

pytest.importorskip("qcodes")
from qcodes.instrument_drivers.Keysight import Keysight33522B

from tests.foreign_clients.benches import CELL

pytestmark = pytest.mark.filterwarnings("default")
INSTRUMENT = "keysight_33500b"


@pytest.fixture
def generator(link):
    """The client, connected."""
    client = Keysight33522B("awg", link.address, visalib=link.library)
    yield client
    client.close()


def test_snapshot_reads_every_parameter(generator):
    assert generator.get_idn()["model"] == "33522B"
    snapshot = generator.snapshot(update=True)
    for channel in ("ch1", "ch2"):
        parameters = snapshot["submodules"][channel]["parameters"]
        assert len(parameters) > 20
        assert parameters["function_type"]["value"] == "SIN"
        assert parameters["output"]["value"] == "OFF"
        assert parameters["frequency"]["value"] == 1e3
    assert generator.error() == (0, "No error")


def test_both_channels_keep_their_settings(generator):
    for channel, shape, volts in ((generator.ch1, "SQU", 1.0), (generator.ch2, "RAMP", 2.0)):
        channel.function_type(shape)
        channel.amplitude_unit("VPP")
        channel.amplitude(volts)
        channel.offset(0.1)
        channel.burst_ncycles(7)
    assert generator.ch1.function_type() == "SQU"
    assert generator.ch2.function_type() == "RAMP"
    assert generator.ch1.amplitude() == 1.0
    assert generator.ch2.amplitude() == 2.0
    generator.ch2.amplitude_unit("VRMS")
    assert generator.ch2.amplitude() == pytest.approx(2.0 / 12**0.5)
    assert generator.ch1.burst_ncycles() == 7
    assert generator.error() == (0, "No error")


def test_a_burst_of_pulses_reaches_the_cell(generator, bench):
    channel = generator.ch1
    channel.function_type("PULS")
    channel.frequency(1e5)
    channel.pulse_width(1e-6)
    channel.amplitude(0.5)
    channel.offset(0.25)
    channel.burst_mode("N Cycle")
    channel.burst_ncycles(3)
    channel.trigger_source("BUS")
    channel.burst_state("ON")
    channel.output("ON")
    assert bench.station.die.pulses_given[CELL] == 0
    generator.write("*TRG")
    channel.output("OFF")
    assert generator.error() == (0, "No error")
    assert bench.station.die.pulses_given[CELL] == 3


def test_errors_are_told(generator):
    generator.ch1.amplitude(99)
    generator.write("NONSENSE")
    assert generator.error()[0] == -221
    assert generator.error()[0] == -113
    assert generator.error() == (0, "No error")
    generator.ch1.trigger_count.set_raw(0)
    generator.flush_error_queue()
    assert generator.error() == (0, "No error")
