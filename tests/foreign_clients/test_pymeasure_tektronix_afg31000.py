"""PyMeasure's own AFG3152C driver, unmodified, on the emulator: in process and over TCP.

It is for an older relative. What it has no property for goes out by its `write`, and so does the
output's state: its ``enable`` and ``disable`` ask the channel for a ``number`` that it has not.
"""

import pytest

pytest.importorskip("pymeasure")
from pymeasure.instruments.tektronix.afg3152c import AFG3152C

from tests.foreign_clients.benches import CELL

pytestmark = pytest.mark.filterwarnings("default")
INSTRUMENT = "tektronix_afg31000"


@pytest.fixture
def generator(link):
    client = AFG3152C(link.address, visa_library=link.library, **link.ends)
    yield client
    client.adapter.close()


def test_settings_of_both_channels(generator):
    assert "AFG31152" in generator.id
    for channel, shape, volts in (
        (generator.ch1, "square", 1.0),
        (generator.ch2, "haversine", 2.0),
    ):
        channel.shape = shape
        channel.frequency = 1e4
        channel.amp_vpp = volts
        channel.offset = 0.1
    assert (generator.ch1.shape, generator.ch2.shape) == ("square", "haversine")
    assert (generator.ch1.amp_vpp, generator.ch2.amp_vpp) == (1.0, 2.0)
    assert generator.ch1.frequency == pytest.approx(1e4)
    assert generator.ch2.offset == pytest.approx(0.1)
    assert generator.check_errors() == []


def test_its_header_for_the_load_is_unknown(generator):
    """It sends ``source1:output:impedance``; the manual has ``output1:impedance``."""
    generator.ch1.impedance = 50
    assert [entry[0] for entry in generator.check_errors()] == [-113]
    assert generator.ask("output1:impedance?").strip() == "50"


def test_units(generator):
    """1 Vrms of a sine is 2.83 V peak to peak, and 13 dBm into 50 Ohm."""
    generator.ch1.amp_vrms = 1.0
    assert generator.ch1.amp_vpp == pytest.approx(2.8284, rel=1e-4)
    generator.ch1.unit = "DBM"
    assert generator.ch1.amp_dbm == pytest.approx(13.01, abs=0.01)
    generator.ch1.waveform(shape="SIN", frequency=2e3, units="VRMS", amplitude=0.5, offset=0)
    assert generator.ch1.unit == "VRMS"
    assert generator.ch1.amp_vrms == pytest.approx(0.5)
    assert generator.check_errors() == []


def test_a_triggered_burst_is_one_pulse_on_the_cell(generator, bench):
    """Of 1 V open circuit: 0.5 V into the 50 Ohm that it assumes."""
    channel = generator.ch1
    channel.shape = "pulse"
    channel.frequency = 1e5
    channel.duty = 10
    assert channel.duty == pytest.approx(10)
    channel.amp_vpp = 0.5
    channel.offset = 0.25
    generator.write("source1:burst:state on;ncycles 1;idle end;:trigger:source external;*trg")
    generator.write("output1:state on")
    assert generator.opc() == 1
    assert bench.station.die.pulses_given[CELL] == 0
    generator.write("*TRG")
    generator.write("output1:state off")
    assert generator.check_errors() == []
    assert bench.station.die.pulses_given[CELL] == 1
    assert bench.station.die.pulses_given.sum() == 1


def test_an_output_that_is_just_switched_on_acts_on_the_cell(generator, bench):
    """It runs freely."""
    generator.ch1.shape = "pulse"
    generator.write("output1:state on")
    assert generator.opc() == 1
    assert bench.station.die.pulses_given[CELL] > 0


def test_errors_are_told(generator):
    generator.write("source1:voltage:amplitude 99")
    generator.write("NONSENSE")
    assert [entry[0] for entry in generator.check_errors()] == [-222, -113]
