"""PyMeasure's own Keithley 2400 driver, unmodified, on the emulator: in process and over TCP."""

import numpy as np
import pytest

pytest.importorskip("pymeasure")
from pymeasure.instruments.keithley import Keithley2400

from tests.simulated_instruments.transcripts import rows

pytestmark = pytest.mark.filterwarnings("default")
INSTRUMENT = "keithley_2400"
BEFORE = {"*TRG": ":ARM:SOUR BUS;:INIT"}
"""What makes a message sensible that is not after *RST."""
DEFAULTS = {
    "source_enabled": False, "output_off_state": "normal", "front_terminals_enabled": True,
    "current_range": 1.05e-4, "current_range_auto_enabled": True, "current_nplc": 1,
    "compliance_current": 1.05e-4, "voltage_range": 21, "voltage_range_auto_enabled": True,
    "voltage_nplc": 1, "compliance_voltage": 21, "resistance_mode_auto_enabled": True,
    "resistance_range": 2.1e5, "resistance_range_auto_enabled": True, "resistance_nplc": 1,
    "repeat_filter_enabled": True, "filter_count": 10, "filter_enabled": False,
    "auto_output_off_enabled": False, "source_mode": "voltage", "source_delay": 0.001,
    "source_delay_auto_enabled": True, "source_current_range": 1.05e-4,
    "source_current_range_auto_enabled": True, "source_current": 0, "source_voltage_range": 21,
    "source_voltage_range_auto_enabled": True, "source_voltage": 0, "auto_zero_enabled": True,
}  # fmt: skip
SETTINGS = [
    ("source_enabled", True), ("source_mode", "current"), ("source_delay", 0.1),
    ("source_delay_auto_enabled", False), ("output_off_state", "disconnected"),
    ("output_off_state", "zero"), ("output_off_state", "guard"),
    ("auto_output_off_enabled", True), ("filter_enabled", True), ("repeat_filter_enabled", False),
    ("filter_count", 10), ("current_range", 0.000105), ("current_range_auto_enabled", False),
    ("current_nplc", 1.0), ("compliance_current", 0.01), ("source_current", 0.002),
    ("source_current_range", 0.0105), ("source_current_range_auto_enabled", False),
    ("voltage_range_auto_enabled", False), ("voltage_nplc", 1.0), ("compliance_voltage", 1.0),
    ("source_voltage", 1.5), ("source_voltage_range", 2.1),
    ("source_voltage_range_auto_enabled", False), ("resistance_mode_auto_enabled", False),
    ("resistance_range", 2100.0), ("resistance_range_auto_enabled", False),
    ("resistance_nplc", 1.0), ("trigger_delay", 0.5), ("arm_timer", 1.0),
    ("trigger_source", "trigger_link"), ("arm_source", "trigger_link"), ("arm_source", "timer"),
    ("arm_source", "manual"), ("arm_source", "bus"), ("trigger_output_event", "source"),
    ("trigger_output_event", "delay"), ("trigger_output_event", "sense"),
    ("arm_output_event", "trigger_enter"), ("arm_output_event", "trigger_exit"),
    ("trigger_input_line", 2), ("arm_input_line", 3), ("trigger_output_line", 4),
    ("arm_output_line", 1), ("display_enabled", False), ("wires", 4), ("line_frequency", 60),
    ("line_frequency_auto_enabled", False), ("front_terminals_enabled", False),
]  # fmt: skip
"""Both from PyMeasure's test_keithley2400_with_device.py (MIT), which its owners ran on a 2400."""


@pytest.fixture
def keithley(link):
    """The client, connected."""
    client = Keithley2400(link.address, visa_library=link.library, **link.ends)
    client.reset()
    yield client
    client.adapter.close()


def test_source_measure_and_compliance(keithley):
    keithley.source_mode = "voltage"
    keithley.compliance_current = 1e-3
    keithley.source_voltage = 0.1
    keithley.source_enabled = True
    current = keithley.current
    assert 1e-6 < current < 1e-3
    assert keithley.voltage == pytest.approx(0.1)
    everything = keithley.measure_all()
    assert everything["resistance"] == pytest.approx(
        everything["voltage"] / everything["current"], rel=1e-4
    )
    assert not everything["status"] & 8

    keithley.compliance_current = 1e-6
    clamped = keithley.measure_all()
    assert clamped["current"] == pytest.approx(1e-6)
    assert clamped["status"] & 8
    assert keithley.check_errors() == []


def test_ramps_and_shutdown(keithley):
    keithley.source_mode = "current"
    keithley.source_enabled = True
    keithley.ramp_to_current(2e-6, steps=4, pause=0)
    assert keithley.source_current == pytest.approx(2e-6)
    assert 0 < keithley.voltage < 0.1
    keithley.shutdown()
    assert keithley.source_current == 0
    assert keithley.source_enabled is False
    assert keithley.check_errors() == []


def test_a_sweep_into_the_buffer(keithley):
    """The list goes out as text: PyMeasure has no method for it."""
    keithley.compliance_current = 1e-3
    keithley.source_enabled = True
    keithley.write(":SOUR:VOLT:MODE LIST;:SOUR:LIST:VOLT 0.02,0.04,0.06,0.08,0.1")
    keithley.config_buffer(points=5)
    keithley.start_buffer()
    keithley.wait_for_buffer(interval=0.01, timeout=5)
    rows = keithley.buffer_data.reshape(5, 5)
    assert rows[:, 0] == pytest.approx([0.02, 0.04, 0.06, 0.08, 0.1])
    assert np.corrcoef(rows[:, 0], rows[:, 1])[0, 1] > 0.99
    assert keithley.mean_current == pytest.approx(rows[:, 1].mean(), rel=1e-5)
    assert keithley.max_voltage == pytest.approx(0.1)
    assert keithley.min_voltage == pytest.approx(0.02)
    assert keithley.std_current > 0
    keithley.reset_buffer()
    assert not keithley.is_buffer_full()
    assert keithley.check_errors() == []


def test_the_bus_trigger(keithley):
    keithley.source_enabled = True
    keithley.trigger_on_bus()
    keithley.trigger_count = 3
    keithley.start_buffer()
    keithley.trigger()
    assert len(keithley.values(":FETC?")) == 15
    keithley.trigger_immediately()
    keithley.sample_continuously()
    assert keithley.check_errors() == []


def test_defaults(keithley):
    assert {name: getattr(keithley, name) for name in DEFAULTS} == DEFAULTS


def test_settings_read_back(keithley):
    for name, value in SETTINGS:
        keithley.reset()
        setattr(keithley, name, value)
        assert getattr(keithley, name) == value, name
        assert keithley.check_errors() == [], name


def test_errors_are_in_the_queue(keithley):
    keithley.write(":READ?")
    keithley.compliance_current = 1e-9
    errors = keithley.check_errors()
    assert [error[0] for error in errors] == [803, 822]
    assert "OUTPUT off" in errors[0][1]


def test_messages_of_its_own_tests(keithley):
    """Each is taken without an error, with a compliance that lets all ranges be chosen."""
    for row in rows("pymeasure_keithley_2400_commands"):
        keithley.write("*RST;:SENS:CURR:PROT 1.05;:OUTP ON")
        if row["message"] in BEFORE:
            keithley.write(BEFORE[row["message"]])
        if row["reply-expected"] == "yes":
            assert keithley.ask(row["message"]), row["message"]
        else:
            keithley.write(row["message"])
        assert keithley.next_error[0] == 0, row["message"]
