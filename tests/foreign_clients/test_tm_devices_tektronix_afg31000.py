"""Tektronix' own `tm_devices`, unmodified, on the emulator: in process and over TCP."""

import pytest

pytest.importorskip("tm_devices")
from tm_devices.helpers.enums import SignalGeneratorFunctionsAFG

from tests.foreign_clients.benches import CELL

pytestmark = pytest.mark.filterwarnings("default")
INSTRUMENT = "tektronix_afg31000"
PULSE = SignalGeneratorFunctionsAFG.PULSE
AT_ITS_END = "SOURCE1:BURST:IDLE END;STATE ON;:TRIGGER:SEQUENCE:SOURCE EXT"


@pytest.fixture
def generator(linked_manager, link):
    """The client, connected."""
    client = linked_manager.add_afg(link.address)
    client.ieee_cmds.cls()
    return client


def test_it_recognises_the_model(generator):
    assert generator.model == "AFG31152"
    assert generator.total_channels == 2
    assert generator.opt_string == "0"


def test_it_agrees_about_the_ranges(generator, emulator):
    """Its figures are those that the emulator enforces."""
    limits = generator.get_waveform_constraints(PULSE, frequency=1e6)
    assert limits.amplitude_range.upper == 2 * emulator.largest_level
    assert limits.offset_range.upper == emulator.largest_level
    assert limits.frequency_range.upper == emulator.fastest_pulses


def test_a_function_on_both_channels(generator):
    """Set, synchronised and checked against the event status register."""
    generator.generate_function(
        10e3, SignalGeneratorFunctionsAFG.RAMP, 1.0, 0.2, symmetry=50.0, polarity="INVERTED"
    )
    for number in (1, 2):
        assert generator.query(f"SOURCE{number}:FUNCTION?") == "RAMP"
        assert float(generator.query(f"SOURCE{number}:FREQUENCY?")) == pytest.approx(10e3)
        assert float(generator.query(f"SOURCE{number}:VOLTAGE:HIGH?")) == pytest.approx(0.7)
        assert generator.query(f"OUTPUT{number}:POLARITY?") == "INV"
        assert generator.query(f"OUTPUT{number}:STATE?") == "1"


def test_a_high_impedance_load_is_set_once(generator):
    """`set_if_needed` compares with what the generator answers."""
    channel = generator.source_channel["SOURCE1"]
    channel.set_impedance("INFINITY")
    assert float(generator.query("OUTPUT1:IMPEDANCE?")) == 9.9e37
    assert generator.set_if_needed("OUTPUT2:IMPEDANCE", 50)[0] is False
    channel.set_impedance(50)
    assert generator.query("OUTPUT1:IMPEDANCE?") == "50"


def test_bursts_are_pulses_on_the_cell(generator, bench):
    """Its recipe, after a burst that nobody sees: as many pulses as asked for."""
    channel = generator.source_channel["SOURCE1"]
    recipe = {
        "frequency": 1e6, "function": PULSE, "amplitude": 0.8, "offset": 0.4, "burst_count": 3,
        "termination": "HIGHZ", "duty_cycle": 10.0,
    }  # fmt: skip
    generator.write(AT_ITS_END)
    channel.set_function_properties(**recipe)
    generator.generate_burst()  # with the output off
    assert bench.station.die.pulses_given.sum() == 0
    generator.setup_burst(**recipe, channel="SOURCE1")
    assert generator.query("*OPC?") == "1"
    assert bench.station.die.pulses_given.sum() == 0
    generator.generate_burst()
    generator.generate_burst()
    channel.set_state(0)
    assert generator.query("OUTPUT1:STATE?") == "0"
    assert bench.station.die.pulses_given[CELL] == 6
    assert bench.station.die.pulses_given.sum() == 6


def test_its_recipe_alone_shows_the_cell_the_pulse_level(generator, bench):
    """It leaves the idle level as it was."""
    generator.setup_burst(1e6, PULSE, 0.8, 0.4, 1, channel="SOURCE1")
    assert generator.query("*OPC?") == "1"
    assert bench.station.die.pulses_given[CELL] > 0


def test_errors_are_collected(generator):
    assert generator.get_errors() == (0, ('0,"No error"',))
    generator.write("SOURCE1:VOLTAGE:AMPLITUDE 99")
    status, messages = generator.get_errors()
    assert status == 16
    assert messages[0].startswith('-222,"Data out of range')
