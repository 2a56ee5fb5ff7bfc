"""QCoDeS' own 2636B driver, unmodified, on the emulator: in process and over TCP.

QCoDeS gives every model two channels, so its snapshot of a one-channel model fails at the bench as
it does here; the two-channel 2636B stands for all.
"""

import numpy as np
import pytest

pytest.importorskip("qcodes")
from qcodes.dataset import LinSweep
from qcodes.instrument_drivers import Keithley

from tests.foreign_clients.benches import one_cell_bench

pytestmark = pytest.mark.filterwarnings("default")
INSTRUMENT = "keithley_2600b"


@pytest.fixture
def keithley(link):
    """The client, connected."""
    client = Keithley.Keithley2636B("keithley", link.address, visalib=link.library)
    yield client
    client.close()


def no_errors(keithley) -> bool:
    return float(keithley.ask("errorqueue.count")) == 0


def test_snapshot_reads_every_attribute(keithley):
    snapshot = keithley.snapshot(update=True)

    parameters = snapshot["submodules"]["smua"]["parameters"]
    assert parameters["limiti"]["value"] == pytest.approx(0.1)
    assert parameters["mode"]["value"] == "voltage"
    assert keithley.get_idn()["model"] == "2636B"
    assert no_errors(keithley)


@pytest.mark.parametrize("model", ["2602B", "2604B", "2612B", "2614B", "2634B"])
def test_the_other_models_with_two_channels(model):
    """Each driver class checks the model, sets every range it knows of, and takes a snapshot."""
    bench = one_cell_bench(INSTRUMENT, model=model)
    (address,) = bench.emulators
    client = getattr(Keithley, f"Keithley{model}")("other", address, visalib=bench.visa_library)
    try:
        client.snapshot(update=True)
        for smu in (client.smua, client.smub):
            for parameter in (smu.sourcerange_v, smu.sourcerange_i, smu.measurerange_i):
                for value in parameter.vals.valid_values:
                    parameter(value)
                    assert parameter() == pytest.approx(value), (parameter.name, value)
        assert no_errors(client)
    finally:
        client.close()


def test_source_measure_and_compliance(keithley):
    smu = keithley.smua
    smu.mode("voltage")
    smu.limiti(1e-3)
    smu.output("on")
    smu.volt(0.1)

    current = smu.curr()
    assert 1e-6 < current < 1e-3
    assert smu.curr.measurement_status == "No error occured."
    assert smu.res() == pytest.approx(0.1 / current, rel=0.1)
    smu.limiti(1e-6)
    assert smu.curr() == pytest.approx(1e-6)
    assert smu.curr.measurement_status == "Reached current compliance limit."
    assert no_errors(keithley)


def test_fast_sweeps_come_back_in_binary(keithley):
    """REAL32 blocks; a byte of the data may look like a line feed."""
    smu = keithley.smua
    smu.setup_fastsweep(LinSweep(smu.volt, 0, 0.1, 101))
    currents = smu.fastsweep()
    assert currents.shape == (101,)
    assert np.corrcoef(np.linspace(0, 0.1, 101), currents)[0, 1] > 0.99

    smu.setup_fastsweep(LinSweep(smu.volt, 0, 0.1, 5), LinSweep(keithley.smub.volt, 0, 0.1, 3))
    assert smu.fastsweep().shape == (3, 5)
    assert no_errors(keithley)


def test_time_trace(keithley):
    smu = keithley.smua
    smu.output("on")
    smu.volt(0.1)
    smu.timetrace_npts(20)
    smu.timetrace_dt(0.02)

    assert np.all(smu.timetrace() > 1e-6)
    assert no_errors(keithley)


def test_ranges_and_reset(keithley):
    smu = keithley.smua
    smu.measurerange_i(1e-6)
    smu.sourcerange_v(2)
    assert (smu.measurerange_i(), smu.sourcerange_v()) == (1e-6, 2)
    keithley.reset()
    assert smu.source_autorange_v_enabled() is True


def test_errors_are_in_the_queue(keithley):
    keithley.write("smua.source.limiti = 0")
    assert float(keithley.ask("errorqueue.count")) == 1
    assert keithley.ask("errorqueue.next()").startswith("1.10200e+03\tParameter too small")
