"""QCoDeS' own driver of the sister instrument B2962A, unmodified, on the emulated B2900.

QCoDeS has no driver of a B2900. What its B2962A driver sends, both families understand: levels,
spot measurements, compliance, output, source mode and remote sensing, of both channels.
"""

import numpy as np
import pytest

pytest.importorskip("qcodes")
from qcodes.instrument_drivers.Keysight import KeysightB2962A

from tests.foreign_clients.benches import CELL

pytestmark = pytest.mark.filterwarnings("default")
INSTRUMENT = "keysight_b2900"
NO_ERROR = '+0,"No error"'


@pytest.fixture
def keysight(link):
    """The client, connected."""
    client = KeysightB2962A("keysight", link.address, visalib=link.library)
    yield client
    client.close()


@pytest.fixture
def sourcing(keysight):
    """Channel 1 sources a voltage into the cell."""
    keysight.ch1.source_mode("voltage")
    keysight.ch1.current_limit(1e-3)
    keysight.ch1.enable(True)
    return keysight


def test_identity(keysight):
    assert keysight.get_idn() == {
        "vendor": "Keysight Technologies",
        "model": "B2902B",
        "serial": "MY00000000",
        "firmware": "5.0.0",
    }


def test_source_and_measure(sourcing, bench):
    sourcing.ch1.source_voltage(0.1)
    conductance = bench.station.die.conductance(np.array([CELL]), 0.1)[0]
    assert sourcing.ch1.voltage() == pytest.approx(0.1)
    assert sourcing.ch1.current() == pytest.approx(0.1 * conductance, rel=0.05)
    assert sourcing.ch1.resistance() == pytest.approx(1 / conductance, rel=0.05)
    assert sourcing.ask("SYST:ERR?") == NO_ERROR


def test_compliance_clamps(sourcing):
    sourcing.ch1.source_voltage(-0.1)
    sourcing.ch1.current_limit(1e-6)
    assert sourcing.ch1.current() == pytest.approx(-1e-6)
    assert -0.1 < sourcing.ch1.voltage() < 0
    assert sourcing.ask("SENS1:CURR:PROT:TRIP?") == "1"


def test_a_current_source(keysight, bench):
    channel = keysight.ch1
    channel.source_mode("current")
    channel.voltage_limit(0.5)
    channel.source_current(2e-6)
    channel.enable(True)
    conductance = bench.station.die.conductance(np.array([CELL]), 0.01)[0]
    assert channel.current() == pytest.approx(2e-6)
    assert channel.voltage() == pytest.approx(2e-6 / conductance, rel=0.1)
    channel.voltage_limit(0.003)
    assert channel.voltage() == pytest.approx(0.003)


def test_a_sweep_by_the_client(sourcing):
    """Odd in the voltage, as a junction is."""
    voltages = np.linspace(-0.1, 0.1, 11)
    currents = []
    for voltage in voltages:
        sourcing.ch1.source_voltage(voltage)
        currents.append(sourcing.ch1.current())
    assert np.diff(currents).min() > 0
    assert currents[5] == pytest.approx(0.0, abs=1e-7)
    assert currents[0] == pytest.approx(-currents[-1], rel=0.1)


def test_a_loop_writes_the_cell(sourcing, bench):
    """There and back, beyond what a read may do: the state changes with the sign."""
    die, found = bench.station.die, []
    sourcing.ch1.current_limit(0.05)
    for peak in (-1.2, 1.2):
        for voltage in (peak / 2, peak, 0.0):
            sourcing.ch1.source_voltage(voltage)
            sourcing.ch1.current()
        found.append(die.conductance(np.array([CELL]), 0.1)[0])
    assert found[1] > 1.3 * found[0]
    assert sourcing.ask("SYST:ERR?") == NO_ERROR


def test_the_channels_are_apart(sourcing):
    """Channel 2 is open."""
    sourcing.ch1.source_voltage(0.1)
    sourcing.ch2.source_voltage(5)
    sourcing.ch2.enable(True)
    assert sourcing.ch2.voltage() == pytest.approx(5)
    assert sourcing.ch2.current() == 0
    assert sourcing.ch1.voltage() == pytest.approx(0.1)
    sourcing.ch2.enable(False)
    assert (sourcing.ch1.enable(), sourcing.ch2.enable()) == (True, False)


def test_a_snapshot_reads_every_parameter(sourcing):
    sourcing.ch1.source_voltage(0.05)
    sourcing.ch2.remote_sensing(True)
    snapshot = sourcing.snapshot(update=True)["submodules"]
    first, second = (snapshot[name]["parameters"] for name in ("ch1", "ch2"))
    assert first["source_voltage"]["value"] == pytest.approx(0.05)
    assert first["source_mode"]["value"] == "voltage"
    assert first["current_limit"]["value"] == pytest.approx(1e-3)
    assert second["current_limit"]["value"] == pytest.approx(1e-4)
    assert second["voltage_limit"]["value"] == pytest.approx(2)
    assert first["remote_sensing"]["value"] is False
    assert second["remote_sensing"]["value"] is True
    assert sourcing.ask("SYST:ERR?") == NO_ERROR


def test_what_is_out_of_reach_is_told(sourcing):
    """The client checks nothing; the instrument's queue does."""
    sourcing.ch1.source_voltage(0.1)
    sourcing.ch1.source_voltage(300)
    assert sourcing.ask("SYST:ERR?").startswith("-222,")
    sourcing.ch1.current_limit(1.0)
    sourcing.ch1.source_voltage(100)
    assert sourcing.ask("SYST:ERR?").startswith("-221,")
    assert sourcing.ch1.source_voltage.cache() == 100  # what QCoDeS believes
    assert sourcing.ch1.source_voltage() == pytest.approx(0.1)
