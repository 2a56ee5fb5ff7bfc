"""QCoDeS' own 2450 driver, unmodified, on the emulator: in process and over TCP."""

import numpy as np
import pytest

pytest.importorskip("qcodes")
from qcodes.instrument_drivers.Keithley import Keithley2450

pytestmark = pytest.mark.filterwarnings("default")
INSTRUMENT = "keithley_2450"
NO_ERROR = '0,"No error;0;0 0"'


@pytest.fixture
def keithley(link):
    """The client, connected."""
    client = Keithley2450("keithley", link.address, visalib=link.library)
    client.reset()
    yield client
    client.close()


@pytest.fixture
def sourcing(keithley):
    """A voltage source that measures current."""
    keithley.sense_function("current")
    keithley.source_function("voltage")
    keithley.source.limit(1e-3)
    keithley.sense.nplc(0.1)
    keithley.output_enabled(True)
    return keithley


def test_snapshot_reads_every_parameter(sourcing):
    for part in ("_source_current", "_source_voltage", "_sense_current", "_sense_voltage",
                 "_sense_resistance"):  # fmt: skip
        sourcing.submodules[part].user_number(1)
    for source in ("_source_current", "_source_voltage"):
        sourcing.submodules[source].sweep_setup(0, 0.1, 3)
    snapshot = sourcing.snapshot(update=True)

    source = snapshot["submodules"]["_source_voltage"]["parameters"]
    assert source["limit"]["value"] == pytest.approx(1e-3)
    assert source["limit_tripped"]["value"] is False
    assert source["auto_range"]["value"] is True
    sense = snapshot["submodules"]["_sense_current"]["parameters"]
    assert float(sense["nplc"]["value"]) == 0.1
    assert snapshot["parameters"]["output_enabled"]["value"] is True
    assert sourcing.get_idn()["model"].endswith("2450")
    assert sourcing.ask(":SYST:ERR?") == NO_ERROR


def test_source_measure_and_compliance(sourcing):
    sourcing.source.voltage(0.1)
    current = sourcing.sense.current()
    assert 1e-6 < current < 1e-3
    assert not sourcing.source.limit_tripped()
    sourcing.source.limit(1e-6)
    assert sourcing.sense.current() == pytest.approx(1e-6)
    assert sourcing.source.limit_tripped()
    assert sourcing.ask(":SYST:ERR?") == NO_ERROR


def test_a_current_source(keithley):
    keithley.sense_function("voltage")
    keithley.source_function("current")
    keithley.source.limit(1.0)
    keithley.source.current(1e-6)
    with pytest.raises(RuntimeError, match="Output needs to be on"):
        keithley.sense.voltage()
    keithley.output_enabled(True)
    assert 0 < keithley.sense.voltage() < 0.1


def test_settings_read_back(sourcing):
    sense, source = sourcing.sense, sourcing.source
    source.limit(0.1)
    for parameter, value in (
        (sense.range, 1e-2),
        (sense.four_wire_measurement, True),
        (sense.auto_zero_enabled, False),
        (source.range, 20.0),
        (source.read_back_enabled, False),
    ):
        parameter(value)
        assert parameter.get() == value, parameter.name
    assert sense.auto_range() is False
    source.delay(0.2)
    assert source.auto_delay() is False
    source.user_number(2)
    source.user_delay(0.3)
    assert source.user_delay() == pytest.approx(0.3)
    sense.auto_zero_once()
    assert sourcing.ask(":SYST:ERR?") == NO_ERROR


def test_sweep(sourcing):
    sourcing.source.sweep_setup(0, 0.1, 21)
    currents = sourcing.sense.sweep()
    assert currents.shape == (21,)
    assert np.corrcoef(sourcing.source.sweep_axis(), currents)[0, 1] > 0.99
    assert sourcing.ask(":SYST:ERR?") == NO_ERROR


def test_a_sweep_into_a_buffer_with_more_than_readings(sourcing):
    with sourcing.buffer(name="mine", size=100) as buffer:
        buffer.elements(["source_value", "measurement", "relative_time", "measurement_unit"])
        sourcing.source.sweep_setup(0, 0.1, 5, delay=0.1, buffer_name="mine")
        assert sourcing.sense.sweep().shape == (5,)
        fields = np.array(sourcing.sense.sweep.get_selected()).reshape(5, 4)
        assert fields[:, 0].astype(float) == pytest.approx(np.linspace(0, 0.1, 5))
        assert np.all(np.diff(fields[:, 2].astype(float)) > 0.1)
        assert set(fields[:, 3]) == {"Amp DC"}
    assert sourcing.buffer_name() == "defbuffer1"
    assert sourcing.ask(":SYST:ERR?") == NO_ERROR


def test_counted_readings_in_the_default_buffer(sourcing):
    sourcing.source.voltage(0.1)
    buffer = sourcing.buffer(name="defbuffer1")
    buffer.size(50)
    sourcing.sense.count(10)
    buffer.trigger_start()
    assert (buffer.size(), buffer.number_of_readings()) == (50, 10)
    readings = buffer.get_data(1, 10)
    assert len(readings) == 10
    assert float(buffer.get_last_reading()) == readings[-1]
    buffer.clear_buffer()
    assert buffer.number_of_readings() == 0
    assert sourcing.ask(":SYST:ERR?") == NO_ERROR


def test_errors_are_in_the_log(sourcing):
    sourcing.write(":SOUR:VOLT 300")
    assert sourcing.ask(":SYST:ERR?").startswith('-222,"Parameter data out of range;1;')
    sourcing.write(":SOUR:VOLT 300")
    sourcing.clear_event_log()
    assert sourcing.ask(":SYST:ERR?") == NO_ERROR
