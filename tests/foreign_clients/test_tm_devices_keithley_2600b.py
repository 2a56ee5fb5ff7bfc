"""Tektronix' own `tm_devices`, unmodified, on the emulator: in process and over TCP."""

import pytest

pytest.importorskip("tm_devices")

pytestmark = pytest.mark.filterwarnings("default")
INSTRUMENT = "keithley_2600b"


@pytest.fixture
def smu(linked_manager, link):
    """The client, connected."""
    return linked_manager.add_smu(link.address)


def test_source_measure_and_compliance(smu):
    channel = smu.commands.smu["a"]
    channel.source.levelv = 0.1
    channel.source.output = 1
    assert float(channel.source.levelv) == pytest.approx(0.1)
    assert 1e-6 < float(channel.measure.i()) < 1e-3
    channel.source.limiti = 1e-6
    assert float(channel.measure.i()) == pytest.approx(1e-6)
    assert channel.source.compliance == "true"
    assert smu.get_errors() == (128, ())  # the power-on bit


def test_scripts_are_loaded_run_saved_and_replaced(smu):
    body = "function times(x)\nprint({factor} * x)\nend"
    smu.load_script("product", script_body=body.format(factor=2), run_script=True)
    assert float(smu.query("times(4)")) == 8
    smu.load_script(
        "product", script_body=body.format(factor=3), run_script=True, to_nv_memory=True
    )
    assert float(smu.query("times(4)")) == 12
    assert float(smu.query("print(errorqueue.count)")) == 0


def test_sweep_into_buffers(smu):
    smu.write("smua.source.output = 1 smua.nvbuffer1.collectsourcevalues = 1")
    smu.write("smua.trigger.source.linearv(0, 0.1, 11) smua.trigger.source.action = 1")
    smu.write("smua.trigger.measure.i(smua.nvbuffer1) smua.trigger.measure.action = 1")
    smu.write("smua.trigger.count = 11 smua.trigger.initiate() waitcomplete()")

    data = smu.get_buffers("smua.nvbuffer1.readings", "smua.nvbuffer1.sourcevalues")
    assert data["smua.nvbuffer1.sourcevalues"] == pytest.approx([k / 100 for k in range(11)])
    assert data["smua.nvbuffer1.readings"][-1] > 1e-6


def test_pulses_by_the_command_tree(smu):
    """The recipe of the manual in the package's own names: timers, events, end of pulse."""
    commands = smu.commands
    channel, timer = commands.smu["a"], commands.trigger.timer
    smu.write("smua.nvbuffer1.collectsourcevalues = 1")
    channel.source.output = 1
    channel.measure.nplc = 0.01
    channel.trigger.source.listv([0.05, 0.1])
    channel.trigger.source.action = 1
    channel.trigger.measure.i("smua.nvbuffer1")
    channel.trigger.measure.action = 1
    timer[1].delay = 1e-2
    timer[1].count = 1
    timer[1].passthrough = "true"
    timer[1].stimulus = "smua.trigger.ARMED_EVENT_ID"
    timer[2].delay = 1e-3
    timer[2].stimulus = "trigger.timer[1].EVENT_ID"
    channel.trigger.source.stimulus = "trigger.timer[1].EVENT_ID"
    channel.trigger.endpulse.stimulus = "trigger.timer[2].EVENT_ID"
    channel.trigger.endpulse.action = 0
    channel.trigger.count = 2
    channel.trigger.initiate()
    commands.waitcomplete()

    data = smu.get_buffers("smua.nvbuffer1.readings", "smua.nvbuffer1.timestamps")
    low, high = data["smua.nvbuffer1.readings"]
    assert high == pytest.approx(2 * low, rel=0.2)
    first, second = data["smua.nvbuffer1.timestamps"]
    assert second - first == pytest.approx(1e-2)
    assert float(smu.query("print(errorqueue.count)")) == 0


def test_status_registers(smu):
    """Each register of a measurement, and events that stay until they are read."""
    status = smu.commands.status
    smu.write("smua.source.limiti = 1e-6 smua.source.levelv = 0.1 smua.source.output = 1")
    smu.write("smua.measure.i()")
    assert float(status.measurement.instrument.smu["a"].condition) == 2
    assert float(status.measurement.current_limit.event) == 2
    assert float(status.measurement.current_limit.event) == 0
    status.measurement.current_limit.enable = 2
    assert float(status.measurement.current_limit.enable) == 2
    status.reset()
    assert float(status.measurement.current_limit.enable) == 0


def test_common_commands(smu):
    assert smu.query("print(available(gpib))") == "true"
    assert float(smu.query("*ESR?")) == 128
    assert smu.ieee_cmds.opc() == "1"
    smu.ieee_cmds.sre(4)
    assert float(smu.ieee_cmds.sre()) == 4
    smu.ieee_cmds.rst()
    smu.ieee_cmds.cls()
    assert float(smu.ieee_cmds.sre()) == 0


def test_errors_are_collected(smu):
    smu.ieee_cmds.esr()
    smu.write("smua.source.limiti = 0")
    status, messages = smu.get_errors()
    assert status == 16
    assert messages[0].startswith("1.10200e+03\tParameter too small")
