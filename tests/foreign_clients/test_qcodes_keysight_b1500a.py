"""QCoDeS' own B1500 driver, unmodified, on the emulator: in process and over TCP.

It knows no SPGU, so the mainframe here has SMUs, an MFCMU and a WGFMU. It looks for ``RI 1,0`` and
``CMM 1,0`` with a space where the instrument (as PyMeasure reads it) has none, and so finds no
ranges and operation modes in ``*LRN?``; that is the client's.
"""

import numpy as np
import pytest

pytest.importorskip("qcodes")
from qcodes.instrument_drivers.Keysight.keysightb1500 import (
    KeysightB1500,
    MessageBuilder,
    constants,
)

from tests.foreign_clients.benches import CELL, one_cell_bench

pytestmark = pytest.mark.filterwarnings("default")
INSTRUMENT = "keysight_b1500a"
MODULES = ("B1517A", "B1511B", "B1520A", "", "B1530A")


@pytest.fixture
def bench():
    return one_cell_bench(INSTRUMENT, modules=MODULES)


@pytest.fixture
def mainframe(link, bench):
    """The client, connected."""
    client = KeysightB1500("b1500", link.address, visalib=link.library)
    client.truth = bench.station.die.conductance(np.array([CELL]), 0.1)[0]
    yield client
    client.close()


def test_it_finds_the_modules(mainframe):
    assert {slot.value: type(m).__name__ for slot, m in mainframe.by_slot.items()} == {
        1: "KeysightB1517A",
        2: "KeysightB1511B",
        3: "KeysightB1520A",
        5: "KeysightB1530A",
    }
    assert mainframe.get_idn()["model"] == "B1500A"
    assert mainframe.error_message() == '+0,"No Error."'


def test_source_measure_and_compliance(mainframe):
    smu = mainframe.smu1
    smu.enable_outputs()
    assert smu.is_enabled()
    smu.source_config(output_range=constants.VOutputRange.AUTO, compliance=1e-3)
    smu.voltage(0.1)
    assert smu.current() == pytest.approx(0.1 * mainframe.truth, rel=0.05)
    assert smu.current.measurement_status is constants.MeasurementStatus.N
    assert smu.voltage() == pytest.approx(0.1)

    smu.source_config(output_range=constants.VOutputRange.AUTO, compliance=1e-6)
    smu.voltage(0.1)
    assert smu.current() == pytest.approx(1e-6)
    assert smu.current.measurement_status is constants.MeasurementStatus.C
    smu.disable_outputs()
    assert not smu.is_enabled()


def test_a_range_that_is_too_small_reads_nan(mainframe):
    smu = mainframe.smu1
    smu.enable_outputs()
    smu.source_config(output_range=constants.VOutputRange.AUTO, compliance=1e-3)
    smu.i_measure_range_config(constants.IMeasRange.FIX_10nA)
    smu.voltage(0.1)
    assert np.isnan(smu.current())
    assert smu.current.measurement_status is constants.MeasurementStatus.V


def test_sourcing_a_current(mainframe):
    smu = mainframe.smu1
    smu.enable_outputs()
    smu.source_config(output_range=constants.IOutputRange.AUTO, compliance=1.0)
    smu.current(5e-6)
    assert smu.voltage() == pytest.approx(5e-6 / mainframe.truth, rel=0.2)


def test_staircase_sweep(mainframe):
    smu = mainframe.smu1
    mainframe.enable_channels([1, 2])
    smu.setup_staircase_sweep(
        v_start=0.0, v_end=0.1, n_steps=11, i_comp=1e-3, i_meas_range=constants.IMeasRange.AUTO
    )
    mainframe.set_measurement_mode(constants.MM.Mode.STAIRCASE_SWEEP, [1, 2])
    first, second = mainframe.run_iv_staircase_sweep()
    voltages = mainframe.run_iv_staircase_sweep.setpoints[0][0]

    assert voltages == pytest.approx(np.linspace(0, 0.1, 11))
    assert np.corrcoef(voltages, first)[0, 1] > 0.99
    assert not np.any(second)
    assert set(mainframe.run_iv_staircase_sweep.param1.status) == {"N"}
    assert mainframe.get_measurement_mode()["channels"] == [1, 2]
    assert smu.iv_sweep.sweep_end() == pytest.approx(0.1)


def test_a_sweep_is_stopped_by_compliance(mainframe):
    smu = mainframe.smu1
    mainframe.enable_channels([1])
    smu.setup_staircase_sweep(v_start=0.0, v_end=0.2, n_steps=9, i_comp=2e-6)
    mainframe.set_measurement_mode(constants.MM.Mode.STAIRCASE_SWEEP, [1])
    mainframe.run_iv_staircase_sweep.set_names_labels_and_units()
    (current,) = mainframe.run_iv_staircase_sweep()
    assert np.isnan(current[-1])
    assert "C" in mainframe.run_iv_staircase_sweep.param1.status


def test_sampling_measurement(mainframe):
    smu = mainframe.smu1
    smu.enable_outputs()
    smu.source_config(output_range=constants.VOutputRange.AUTO, compliance=1e-3)
    smu.voltage(0.1)
    smu.timing_parameters(0.0, 0.01, 20)
    smu.use_high_speed_adc()
    smu.set_average_samples_for_high_speed_adc(1)
    smu.measurement_mode(constants.MM.Mode.SAMPLING)
    currents = smu.sampling_measurement_trace()
    assert currents.shape == (20,)
    assert currents == pytest.approx([0.1 * mainframe.truth] * 20, rel=0.1)
    assert set(smu.sampling_measurement_trace.compliance()) == {constants.MeasurementError.N.value}


def test_snapshot(mainframe):
    """With a sweep set up, so that its parameters can be learned."""
    mainframe.smu1.enable_outputs()
    mainframe.smu1.setup_staircase_sweep(v_start=0.0, v_end=0.1, n_steps=5, i_comp=1e-3)
    snapshot = mainframe.snapshot(update=True)
    sweep = snapshot["submodules"]["smu1"]["submodules"]["iv_sweep"]["parameters"]
    assert sweep["sweep_steps"]["value"] == 5
    assert sweep["current_compliance"]["value"] == pytest.approx(1e-3)
    assert sweep["post_sweep_voltage_condition"]["value"] == constants.WM.Post.STOP


def test_errors_are_raised(mainframe):
    """After every message it asks for the error queue."""
    with pytest.raises(RuntimeError, match="Channel output switch must be ON"):
        mainframe.write(MessageBuilder().dv(1, 0, 0.1).message)
    mainframe.smu1.enable_outputs()
    with pytest.raises(RuntimeError, match="Incorrect parameter value"):
        mainframe.write(MessageBuilder().dv(1, 0, 500).message)
    assert mainframe.error_message() == '+0,"No Error."'
