"""PyMeasure's own B1500 driver, unmodified, on the emulator: in process and over TCP."""

import numpy as np
import pytest

pytest.importorskip("pymeasure")
from pymeasure.instruments.agilent import AgilentB1500

from simulated_instruments.keysight_b1500a import EmulatedKeysightB1500A
from tests.foreign_clients.benches import CELL
from tests.simulated_instruments.transcripts import rows

pytestmark = pytest.mark.filterwarnings("default")
INSTRUMENT = "keysight_b1500a"


@pytest.fixture
def mainframe(link, bench):
    """The client, connected and initialised."""
    client = AgilentB1500(link.address, visa_library=link.library)
    client.bench = bench
    client.initialize_all_smus()
    client.data_format(21, mode=1)
    yield client
    client.adapter.close()


def finish(mainframe):
    """Its reader of data takes the carriage return and leaves the line feed."""
    assert mainframe.read_bytes(1) == b"\n"
    mainframe.check_errors()


def truth(mainframe):
    die = mainframe.bench.station.die
    return die.conductance(np.array([CELL]), 0.1)[0]


def test_it_finds_the_modules(mainframe):
    assert mainframe.id.split(",")[1] == "B1500A"
    assert mainframe.query_modules() == {1: "HRSMU", 2: "HRSMU", 3: "MFCMU", 4: "SPGU"}
    assert mainframe.smu_names == {1: "SMU1", 2: "SMU2"}


def test_force_and_spot_measurement(mainframe):
    smu = mainframe.smu1
    smu.enable()
    smu.force("voltage", "2 V", 0.1, comp=1e-3)
    smu.meas_range_current = "1 mA"
    mainframe.meas_mode("SPOT", smu)
    mainframe.send_trigger()
    ((status, name, quantity, current),) = mainframe.read_channels(1)
    assert (status, name, quantity) == ("000", "SMU1", "Current Measurement (A)")
    assert current == pytest.approx(0.1 * truth(mainframe), rel=0.05)

    finish(mainframe)
    smu.force("voltage", "2 V", 0.1, comp=1e-6)
    mainframe.send_trigger()
    ((status, _, _, current),) = mainframe.read_channels(1)
    assert (status, current) == ("008", pytest.approx(1e-6))


def test_settings_read_back(mainframe):
    """``*LRN?``, as its parser wants it."""
    smu = mainframe.smu1
    smu.enable()
    smu.force("voltage", "Auto Ranging", 0.1, comp=1e-3)
    mainframe.auto_calibration = False
    mainframe.adc_setup("HSADC", "PLC", 1)
    mainframe.adc_auto_zero = True
    mainframe.time_stamp = True
    smu.filter = True
    smu.series_resistor = False
    smu.adc_type = "HSADC"
    smu.meas_op_mode = "COMPLIANCE_SIDE"
    mainframe.meas_mode("STAIRCASE_SWEEP", smu)

    assert float(smu.status["SMU1"]["Compliance Current (A)"]) == pytest.approx(1e-3)
    assert mainframe.smu2.status == {"SMU2": "OFF"}
    assert mainframe.auto_calibration is False
    assert mainframe.time_stamp is True
    assert mainframe.adc_auto_zero is True
    assert (smu.filter, mainframe.smu2.filter) == (True, False)
    assert smu.adc_type.name == "HSADC"
    assert smu.series_resistor is False
    assert mainframe.query_meas_settings()["Measurement Channels"] == "SMU1"
    assert mainframe.query_adc_setup()["HSADC Mode"] == "Plc"
    assert mainframe.query_meas_ranges()["SMU1 Current Measurement Range"] == "Auto Ranging"


def test_staircase_sweep(mainframe):
    smu = mainframe.smu1
    smu.enable()
    mainframe.meas_mode("STAIRCASE_SWEEP", smu)
    mainframe.sweep_timing(0, 0.001)
    mainframe.sweep_auto_abort(False, post="STOP")
    smu.staircase_sweep_source("VOLTAGE", "LINEAR_SINGLE", "Auto Ranging", 0, 0.1, 11, 1e-3)
    assert mainframe.query_staircase_sweep_settings()["SMU1"]["Number of Steps"] == "11"
    mainframe.clear_timer()
    assert mainframe.check_idle()
    mainframe.send_trigger()
    points = [mainframe.read_channels(2) for _ in range(11)]
    currents, voltages = ([point[n][3] for point in points] for n in (0, 1))
    assert voltages == pytest.approx(np.linspace(0, 0.1, 11))
    assert np.corrcoef(voltages, currents)[0, 1] > 0.99
    assert points[-1][1][0].strip() == "E"
    finish(mainframe)
    mainframe.force_gnd()
    assert float(smu.status["SMU1"]["Voltage Output (V)"]) == 0.0


def test_sampling(mainframe):
    smu = mainframe.smu1
    smu.enable()
    mainframe.time_stamp = True
    mainframe.meas_mode("SAMPLING", smu)
    mainframe.sampling_mode = "LINEAR"
    mainframe.sampling_timing(0, 0.01, 8)
    mainframe.sampling_auto_abort(False, post="BASE")
    smu.sampling_source("VOLTAGE", "Auto Ranging", 0, 0.1, 1e-3)
    assert mainframe.query_sampling_settings()["Number of Samples"] == "8"
    mainframe.send_trigger()
    points = [mainframe.read_channels(3) for _ in range(8)]
    assert [point[0][3] for point in points] == list(range(1, 9))
    assert np.diff([point[1][3] for point in points]) == pytest.approx([0.01] * 7, rel=1e-2)
    assert all(point[2][3] > 1e-6 for point in points)
    finish(mainframe)


def test_spgu_sends_pulses(mainframe):
    mainframe.initialize_all_spgus()
    spgu, output = mainframe.spgu4, mainframe.spgu4.ch1
    spgu.operation_mode = 0
    spgu.period = 10e-6
    spgu.set_output_mode("COUNT", 3)
    output.load_impedance = 1e6
    output.output_mode = 1
    output.set_output_voltage(source=1, base_voltage=0, peak_voltage=0.6)
    output.set_pulse_timings(source=1, width=1e-6, rise_time=2e-8)
    output.enabled = True
    output.apply_setup()
    spgu.output = True
    assert spgu.complete
    output.enabled = False
    mainframe.check_errors()
    assert output.get_output_voltage() == (0, 0.6)
    assert spgu.get_output_mode() == (1, 3)
    assert mainframe.bench.station.die.pulses_given[CELL] == 3


def test_its_periods_become_zero_and_are_refused(mainframe):
    """It sends ``SPPER %f``: 0.1 us becomes 0.000000."""
    mainframe.initialize_all_spgus()
    mainframe.spgu4.period = 100e-9
    with pytest.raises(OSError, match="120: Incorrect parameter value"):
        mainframe.check_errors()


def test_errors_are_raised(mainframe):
    with pytest.raises(OSError, match="200: Channel output switch must be ON"):
        mainframe.smu1.force("voltage", "Auto Ranging", 0.1, comp=1e-3)
    mainframe.smu1.enable()
    with pytest.raises(OSError, match="123: Compliance must be set correctly"):
        mainframe.smu1.force("voltage", "Auto Ranging", 0.1, comp=5)
    mainframe.check_errors()


@pytest.mark.parametrize(
    ("message", "reply_expected"),
    [(row["message"], row["reply-expected"]) for row in rows("pymeasure_keysight_b1500a_commands")],
)
def test_messages_of_its_own_tests(bench, message, reply_expected):
    """What PyMeasure's tests send, to the mainframe of its tests, is taken without an error."""
    mainframe = EmulatedKeysightB1500A(bench.station, ("B1525A", "B1520A", "B1517A"))
    mainframe.receive(b"CN\r\n")
    mainframe.receive(message.encode() + b"\r\n")
    assert [str(error) for error in mainframe.errors] == []
    assert bool(mainframe.replies) == (reply_expected == "yes")
