"""The `keithley2600` package, unmodified, on the emulator: in process and over TCP.

It learns all commands from the instrument by introspection, and sweeps by the trigger model.
"""

import numpy as np
import pytest

pytest.importorskip("keithley2600")

# `keithley2600.Keithley2600` is a factory that hands out the first instance for an address for
# ever, even after it is disconnected; the class itself serves one bench per test.
from keithley2600.keithley_driver import Keithley2600, KeithleyError

pytestmark = pytest.mark.filterwarnings("default")
INSTRUMENT = "keithley_2600b"


@pytest.fixture
def keithley(link):
    """The client, connected; every error of the instrument raises."""
    # A raw socket ends its messages with a line feed only.
    client = Keithley2600(
        link.address, visa_library=link.library, raise_keithley_errors=True, write_termination="\n"
    )
    assert client.connected
    yield client
    client.disconnect()


def test_introspection_finds_the_commands(keithley):
    assert {"smua", "smub", "trigger", "errorqueue"} <= set(dir(keithley))
    assert {"limiti", "levelv", "compliance"} <= set(dir(keithley.smua.source))
    assert {"initiate", "ARMED_EVENT_ID", "arm"} <= set(dir(keithley.smua.trigger))
    assert keithley.localnode.model == "2636B"
    with pytest.raises(AttributeError, match="read-only"):
        keithley.smua.source.compliance = True


def test_source_measure_and_compliance(keithley):
    smu = keithley.smua
    keithley.apply_voltage(smu, 0.1)
    assert 1e-6 < keithley.measure_current(smu) < 1e-3
    assert keithley.measure_voltage(smu) == pytest.approx(0.1)
    smu.source.limiti = 1e-6
    assert keithley.measure_current(smu) == pytest.approx(1e-6)
    assert smu.source.compliance is True
    keithley.ramp_to_voltage(smu, 0.0, delay=0, step_size=0.05)
    assert smu.source.levelv == 0


@pytest.mark.parametrize("pulsed", [False, True])
def test_sweep_by_the_trigger_model(keithley, pulsed):
    """More than 50 points go over in pieces."""
    levels = np.linspace(0.001, 0.06, 60)
    volts, amperes = keithley.voltage_sweep_single_smu(
        keithley.smua, levels, t_int=1e-3, delay=-1, pulsed=pulsed
    )

    assert volts == pytest.approx(levels)
    assert np.corrcoef(volts, amperes)[0, 1] > 0.99
    assert keithley.status.operation.sweeping.condition == 0


def test_transfer_curve_sweeps_both_channels(keithley):
    table = keithley.transfer_measurement(
        keithley.smub, keithley.smua, 0, 0.125, 0.0625, [0.1], 1e-3, -1, pulsed=False
    )

    assert table.data.shape[0] == 6
    drain = table.data[:, table.column_names.index("Drain current (Vd = 0.1)")]
    assert np.all(drain > 1e-6)


def test_output_curve_pulsed(keithley):
    """Pulsed, with the second channel held at each of two levels."""
    table = keithley.output_measurement(
        keithley.smub, keithley.smua, 0, 0.125, 0.0625, [0.0, 0.1], 1e-3, -1, pulsed=True
    )

    column = table.column_names.index("Drain current (Vg = 0.1)")
    assert table.data[:3, column] == pytest.approx(table.data[5:2:-1, column], rel=0.2)
    assert keithley.read_error_queue() == []


def test_reading_buffers_and_scripts(keithley):
    """Buffers are Python sequences; a function of the instrument's is called with its arguments."""
    smu = keithley.smua
    smu.source.levelv = 0.1
    smu.source.output = smu.OUTPUT_ON
    smu.measure.count = 5
    smu.measure.i(smu.nvbuffer1)

    readings = keithley.read_buffer(smu.nvbuffer1)
    assert len(readings) == 5
    assert smu.nvbuffer1[5] == pytest.approx(readings[4])
    keithley.reset()
    assert smu.source.levelv == 0
    assert smu.measure.count == 1


def test_errors_are_raised(keithley):
    with pytest.raises(KeithleyError, match="Parameter too small"):
        keithley.smua.source.limiti = 0
    assert keithley.read_error_queue() == []
