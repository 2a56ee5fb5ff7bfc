"""PyMeasure's own Keithley 2450 driver, unmodified, on the emulator: in process and over TCP."""

import logging

import pytest

pytest.importorskip("pymeasure")
from pymeasure.instruments.keithley import Keithley2450

from tests.simulated_instruments.transcripts import rows

pytestmark = pytest.mark.filterwarnings("default")
INSTRUMENT = "keithley_2450"


@pytest.fixture
def keithley(link):
    """The client, connected."""
    client = Keithley2450(link.address, visa_library=link.library, **link.ends)
    client.reset()
    yield client
    client.adapter.close()


def test_source_measure_and_compliance(keithley):
    keithley.apply_voltage(compliance_current=1e-3)
    keithley.measure_current(nplc=0.1)
    keithley.source_voltage = 0.1
    keithley.enable_source()
    current = keithley.current
    assert 1e-6 < current < 1e-3
    keithley.measure_resistance(nplc=0.1)
    assert keithley.resistance == pytest.approx(0.1 / current, rel=0.1)

    keithley.compliance_current = 1e-6
    keithley.measure_current(nplc=0.1)
    assert keithley.current == pytest.approx(1e-6)
    assert keithley.check_errors() == []


def test_ramps_and_shutdown(keithley):
    keithley.apply_current(compliance_voltage=1.0)
    keithley.measure_voltage(nplc=0.1)
    keithley.enable_source()
    keithley.ramp_to_current(2e-6, steps=4, pause=0)
    assert keithley.source_current == pytest.approx(2e-6)
    assert 0 < keithley.voltage < 0.1
    keithley.shutdown()
    assert keithley.source_current == 0
    assert not keithley.source_enabled
    assert keithley.check_errors() == []


def test_ranges_and_settings_read_back(keithley):
    keithley.compliance_current = 0.01
    for name, value in {
        "current_range": 1e-3,
        "current_nplc": 0.5,
        "source_voltage_range": 2.0,
        "source_voltage_delay": 0.25,
        "compliance_voltage": 5.0,
        "wires": 4,
        "current_filter_count": 7,
        "current_filter_type": "MOV",
        "voltage_output_off_state": "HIMP",
        "buffer_points": 200,
    }.items():
        setattr(keithley, name, value)
        assert getattr(keithley, name) == value, name
    assert keithley.source_voltage_delay_auto is False
    assert keithley.check_errors() == []


def test_statistics_of_the_buffer(keithley):
    keithley.apply_voltage(compliance_current=1e-3)
    keithley.measure_current(nplc=0.1)
    keithley.source_voltage = 0.1
    keithley.enable_source()
    readings = [keithley.current for _ in range(5)]
    assert keithley.maximums == max(readings)
    assert keithley.minimums == min(readings)
    assert keithley.means == pytest.approx(sum(readings) / 5, rel=1e-5)
    assert 0 < keithley.standard_devs < 1e-5


def test_its_2400_buffer_commands_are_refused(keithley, caplog):
    """PyMeasure says so: they need the command set SCPI 2400."""
    with caplog.at_level(logging.ERROR):
        keithley.config_buffer(points=5)
    assert "Undefined header" in caplog.text


def test_errors_are_in_the_queue(keithley):
    keithley.source_voltage = 300  # PyMeasure lets it pass
    errors = keithley.check_errors()
    assert len(errors) == 1
    assert errors[0][0] == -222
    assert keithley.source_voltage == 0


def test_its_commands_are_taken(keithley):
    for row in rows("pymeasure_keithley_2450_commands"):
        if row["reply-expected"] == "yes":
            assert keithley.ask(row["message"]), row["message"]
        else:
            keithley.write(row["message"])
        assert keithley.next_error[0] == 0, row["message"]
