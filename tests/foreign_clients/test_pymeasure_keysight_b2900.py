"""PyMeasure's own driver of the sister instrument B2985A, unmodified, on the emulated B2900.

PyMeasure has no driver of a B2900. The B2985A is an electrometer with a voltage source: its
trigger layers, its source and its spot measurements are those of the B2900; its charge, humidity
and battery are not used.
"""

import pytest

pytest.importorskip("pymeasure")
from pymeasure.instruments.agilent import AgilentB2985

pytestmark = pytest.mark.filterwarnings("default")
INSTRUMENT = "keysight_b2900"


@pytest.fixture
def keysight(link):
    """The client, connected; the emulator has no error at the end."""
    client = AgilentB2985(link.address, visa_library=link.library, **link.ends)
    client.reset()
    client.source_voltage = 0.1
    client.source_enabled = True
    yield client
    assert client.check_errors() == []
    client.adapter.close()


def currents(client):
    """All readings since the last initiation."""
    return client.values(":FETC:ARR:CURR? (@1)")


def test_source_and_spot_measurements(keysight):
    assert keysight.source_enabled is True
    assert keysight.voltage == pytest.approx(0.1)
    assert keysight.resistance == pytest.approx(keysight.voltage / keysight.current, rel=0.05)
    volts, amperes, ohms, _, status, source = keysight.measure
    assert (volts, status, source) == pytest.approx((0.1, 0, 0.1))
    assert 1e-6 < amperes < 1e-3
    assert ohms > 9e37  # not enabled
    keysight.source_voltage_range = 2
    assert keysight.source_voltage_range == 2


def test_acquisitions_by_their_timer(keysight, bench):
    keysight.trigger_acquisition_source = "TIM"
    keysight.trigger_acquisition_timer = 0.02
    keysight.trigger_acquisition_count = 5
    before = bench.elapsed
    keysight.init_acquisition()
    assert keysight.trigger_all_is_idle is True
    assert len(currents(keysight)) == 5
    assert bench.elapsed - before == pytest.approx(4 * 0.02 + 0.002, abs=0.005)


def test_an_arm_trigger_by_command(keysight):
    keysight.arm_acquisition_source = "EXT3"
    keysight.arm_acquisition_delay = 0.01
    keysight.trigger_acquisition_count = 3
    keysight.init_acquisition()
    keysight.write(":STAT:OPER:COND?")
    assert int(keysight.read()) & (1 << 5)  # channel 1 waits for its acquire arm
    keysight.arm_acquisition()
    assert len(currents(keysight)) == 3


def test_transients_step_by_step(keysight, emulator):
    """Each bus trigger brings the next level of a list, and no reading is taken."""
    channel = emulator.channels[0]
    keysight.write(":SOUR:VOLT:MODE LIST;:SOUR:LIST:VOLT 0.02,0.04")
    keysight.trigger_transient_source = "BUS"
    keysight.trigger_transient_count = 2
    keysight.init_transient()
    assert keysight.ask(":STAT:OPER:COND?").strip() == str((1 << 3) + (1 << 4) + 0b10010000000)
    keysight.write("*TRG")
    assert keysight.ask("*ESR?").strip()  # the trigger has arrived
    assert channel.level_volts == 0.02
    keysight.abort_transient()
    assert keysight.trigger_all_is_idle is True
    assert channel.level_volts == 0.1


def test_settings_read_back(keysight):
    for name, value in {
        "arm_acquisition_count": 7,
        "arm_acquisition_delay": 0.5,
        "arm_acquisition_source": "BUS",
        "arm_acquisition_source_lan_id": "LAN3",
        "arm_acquisition_timer": 0.25,
        "arm_acquisition_output_signal": "EXT2",
        "arm_acquisition_output_enabled": True,
        "arm_acquisition_bypass_once_enabled": True,
        "trigger_acquisition_count": 2147483647,
        "trigger_transient_bypass_once_enabled": True,
        "trigger_transient_delay": 0.125,
        "trigger_transient_source": "INT2",
        "trigger_transient_timer": 1.5,
        "trigger_transient_output_enabled": True,
        "arm_transient_source": "EXT7",
    }.items():
        setattr(keysight, name, value)
        assert getattr(keysight, name) == value, name


def test_settings_of_all_actions(keysight):
    keysight.trigger_all_count = "INF"
    keysight.trigger_all_source = "TIM"
    keysight.trigger_all_timer = 0.5
    keysight.trigger_all_delay = 0.25
    keysight.arm_all_count = 3
    assert keysight.trigger_acquisition_count == keysight.trigger_transient_count == 2147483647
    assert keysight.trigger_acquisition_timer == keysight.trigger_transient_timer == 0.5
    assert keysight.trigger_transient_delay == 0.25
    assert keysight.arm_transient_count == 3
