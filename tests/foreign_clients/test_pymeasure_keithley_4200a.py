"""PyMeasure's own Keithley 4200 driver, unmodified, on the emulator: in process and over TCP."""

import numpy as np
import pytest

pytest.importorskip("pymeasure")
from pymeasure.instruments.keithley import Keithley4200
from pymeasure.instruments.keithley.keithley4200 import StatusCode

from tests.foreign_clients.benches import CELL
from tests.simulated_instruments.transcripts import rows

pytestmark = pytest.mark.filterwarnings("default")
INSTRUMENT = "keithley_4200a"


@pytest.fixture
def keithley(link):
    """The client, connected; the RPM is switched to the SMU, which the client has no words for."""
    client = Keithley4200(link.address, visa_library=link.library)
    assert client.ask(":PMU:RPM:CONFIGURE PMU1-1, 2") == "ACK"
    yield client
    client.adapter.close()


def test_identity_options_and_status(keithley):
    assert keithley.id.startswith("KI4200A")
    assert keithley.options[:4] == ["SMU1", "SMU2", "SMU3", "SMU4"]
    assert sorted(keithley.smu) == [1, 2, 3, 4]
    assert keithley.status == StatusCode.NONE
    keithley.clear()


def test_it_sources_and_measures_the_cell(keithley, bench):
    smu = keithley.smu[1]
    for volts in (0.1, -0.05):
        smu.voltage_setpoint = (0, volts, 1e-3)
        conductance = bench.station.die.conductance(np.array([CELL]), volts)[0]
        assert smu.voltage == pytest.approx(volts)
        assert smu.current == pytest.approx(volts * conductance, rel=0.05)
    smu.disable()
    assert smu.current == 0.0


def test_compliance_clamps_which_the_client_cannot_see(keithley):
    """It drops the letter C; only the equal numbers tell."""
    smu = keithley.smu[1]
    smu.voltage_setpoint = (0, 0.1, 1e-6)
    assert smu.current == pytest.approx(1e-6)
    assert smu.voltage < 0.1
    assert keithley.ask("US;TI1").startswith("CAI")


def test_a_sweep_of_current(keithley):
    smu = keithley.smu[1]
    volts = []
    for amperes in (1e-7, 2e-7, 4e-7):
        smu.current_setpoint = (0, amperes, 0.5)
        assert smu.current == pytest.approx(amperes, rel=0.05)
        volts.append(smu.voltage)
    assert np.diff(volts).min() > 0
    smu.disable()


def test_what_the_mainframe_refuses_raises(keithley):
    with pytest.raises(ValueError, match="Expected 'ACK', got '500 is not -210 to 210"):
        keithley.smu[1].voltage_setpoint = (0, 500.0, 1e-3)
    assert keithley.status == StatusCode.SYNTAX_ERROR
    assert keithley.smu[1].voltage == 0.0


def test_messages_of_its_own_tests(keithley):
    """What PyMeasure's tests send is acknowledged or answered, but for impossible numbers."""
    for row in rows("pymeasure_keithley_4200a_commands"):
        reply = keithley.ask(row["message"])
        if row["accepted"] == "no":
            assert reply.endswith("(-992)"), row["message"]
        elif row["reply-expected"] == "ACK":
            assert reply == "ACK", row["message"]
        else:
            assert reply != "ACK", row["message"]
            assert not reply.endswith("(-992)"), row["message"]
