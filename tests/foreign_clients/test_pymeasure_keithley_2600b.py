"""PyMeasure's own Keithley 2600 driver, unmodified, on the emulator: in process and over TCP."""

import pytest

pytest.importorskip("pymeasure")
from pymeasure.instruments.keithley import Keithley2600

from tests.simulated_instruments.transcripts import rows

pytestmark = pytest.mark.filterwarnings("default")
INSTRUMENT = "keithley_2600b"


@pytest.fixture
def keithley(link):
    """The client, connected."""
    client = Keithley2600(link.address, visa_library=link.library, **link.ends)
    yield client
    client.adapter.close()


def test_source_measure_and_compliance(keithley):
    channel = keithley.ChA
    channel.apply_voltage(voltage_range=2, compliance_current=1e-3)
    channel.measure_current(nplc=0.1)
    channel.source_output = "ON"
    channel.source_voltage = 0.1
    assert 1e-6 < channel.current < 1e-3
    assert channel.voltage == pytest.approx(0.1)
    assert channel.resistance == pytest.approx(0.1 / channel.current, rel=0.1)
    channel.compliance_current = 1e-6
    assert channel.current == pytest.approx(1e-6)
    assert keithley.next_error == (0, "Queue Is Empty")


def test_ramp_and_shutdown(keithley):
    channel = keithley.ChA
    channel.source_output = "ON"
    channel.ramp_to_voltage(0.1, steps=5, pause=0)
    assert channel.source_voltage == pytest.approx(0.1)
    channel.ramp_to_voltage(0, steps=5, pause=0)
    channel.source_output = "OFF"
    assert channel.source_output == "OFF"


def test_every_property_reads(keithley):
    """On both channels, and without an error."""
    for channel in (keithley.ChA, keithley.ChB):
        kind = type(channel)
        names = [name for name in dir(kind) if isinstance(getattr(kind, name), property)]
        assert {"current", "source_mode", "wires_mode", "compliance_voltage"} <= set(names)
        for name in names:
            assert getattr(channel, name) is not None, name
    assert keithley.next_error == (0, "Queue Is Empty")
    assert "Model 2636B" in keithley.id


def test_current_source(keithley):
    channel = keithley.ChA
    channel.apply_current(current_range=1e-4, compliance_voltage=0.2)
    channel.measure_voltage(nplc=0.1, voltage=2)
    channel.source_output = "ON"
    channel.ramp_to_current(1e-5, steps=3, pause=0)
    assert channel.source_current == pytest.approx(1e-5)
    assert 0.01 < channel.voltage < 0.2
    channel.source_current = 9e-5  # the cell would take more than the compliance voltage
    assert channel.voltage == pytest.approx(0.2)
    channel.shutdown()
    assert channel.source_output == "OFF"
    assert keithley.next_error == (0, "Queue Is Empty")


def test_its_rounded_limit_is_refused(keithley):
    """It sends 100 nA as 0.000000: the error says so, and the old limit stays."""
    channel = keithley.ChA
    channel.compliance_current = 1e-7
    assert keithley.next_error == (1102, "Parameter too small")
    assert channel.compliance_current == pytest.approx(0.1)


def test_messages_of_its_own_tests(keithley):
    """What PyMeasure's tests send is taken without an error."""
    for row in rows("pymeasure_keithley_2600b_commands"):
        assert row["reply-expected"] == "no"
        keithley.write(row["message"])
        assert keithley.next_error[0] == 0, row["message"]
