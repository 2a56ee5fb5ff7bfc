"""The trigger model against the reference manual: sweeps, pulses, limits, errors."""

import numpy as np
import pytest

from simulated_instruments.keithley_2600b import EmulatedKeithley2600B
from tests.simulated_instruments.tsp_messages import BUFFERED, ask, error_codes, numbers


@pytest.fixture
def smu(station) -> EmulatedKeithley2600B:
    return EmulatedKeithley2600B(station)


def sourced(smu) -> list[float]:
    """The levels of the readings in the buffer."""
    return numbers(smu, "printbuffer(1, smua.nvbuffer1.n, smua.nvbuffer1.sourcevalues)")


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ("linearv(0, 0.1, 5)", [0, 0.025, 0.05, 0.075, 0.1]),
        ("linearv(0.1, 0.02, 3)", [0.1, 0.06, 0.02]),
        ("linearv(0.1, 0.5, 1)", [0.1]),
        ("logv(0.001, 0.1, 3, 0)", [0.001, 0.01, 0.1]),
        ("logv(-0.01, -0.1, 2, 0)", [-0.01, -0.1]),
        ("logv(0.03, 0.1, 3, 0.02)", list(0.02 + 0.01 * 8 ** np.array([0, 0.5, 1]))),
        ("listv({0.1, -0.1, 0.05})", [0.1, -0.1, 0.05]),
    ],
)
def test_sweeps_source_their_levels(smu, levels, expected):
    """Linear, logarithmic with an asymptote, and a list."""
    ask(smu, *BUFFERED, f"smua.trigger.source.{levels} smua.trigger.count = {len(expected)}")
    ask(smu, "smua.trigger.initiate() waitcomplete()")

    assert sourced(smu) == pytest.approx(expected, rel=1e-4)
    assert numbers(smu, "print(smua.source.levelv)") == [0]
    assert error_codes(smu) == []


def test_readings_follow_ohms_law(smu):
    """The currents of a sweep are the cell's, and a current sweep develops the voltages."""
    ask(smu, *BUFFERED, "smua.trigger.source.linearv(0.02, 0.1, 5) smua.trigger.count = 5")
    currents = numbers(
        smu, "smua.trigger.initiate() waitcomplete() printbuffer(1, 5, smua.nvbuffer1)"
    )
    ask(smu, "smua.source.func = 0 smua.trigger.measure.v(smua.nvbuffer1) smua.nvbuffer1.clear()")
    ask(smu, f"smua.trigger.source.listi({{{currents[4]}}}) smua.trigger.count = 1")
    volts = numbers(smu, "smua.trigger.initiate() waitcomplete() printbuffer(1, 1, smua.nvbuffer1)")

    assert np.diff(currents) == pytest.approx(currents[0], rel=0.3)
    assert volts == pytest.approx([0.1], rel=0.1)
    assert error_codes(smu) == []


@pytest.mark.parametrize(
    ("count", "arms", "levels"),
    [
        (2, 1, [0.01, 0.02]),
        (5, 1, [0.01, 0.02, 0.03, 0.01, 0.02]),
        (2, 3, [0.01, 0.02] * 3),
    ],
)
def test_trigger_count_and_arm_count(smu, count, arms, levels):
    """Values wrap if there are fewer than points; each arming starts from the first."""
    ask(smu, *BUFFERED, "smua.trigger.source.listv({0.01, 0.02, 0.03})")
    ask(smu, f"smua.trigger.count = {count} smua.trigger.arm.count = {arms}")
    ask(smu, "smua.trigger.initiate() waitcomplete()")

    assert sourced(smu) == pytest.approx(levels)


def test_simultaneous_readings_and_several_buffers(smu):
    """``trigger.measure.iv`` fills both buffers, current first."""
    ask(smu, *BUFFERED, "smua.trigger.measure.iv(smua.nvbuffer1, smua.nvbuffer2)")
    ask(smu, "smua.trigger.source.linearv(0.05, 0.1, 2) smua.trigger.count = 2")
    ask(smu, "smua.trigger.initiate() waitcomplete()")
    found = numbers(smu, "printbuffer(1, 2, smua.nvbuffer1, smua.nvbuffer2)")

    assert found[1::2] == pytest.approx([0.05, 0.1])
    assert 1e-6 < found[0] < found[2] < 1e-3


def test_end_of_pulse_and_end_of_sweep(smu):
    """SOURCE_HOLD stays at the level, SOURCE_IDLE returns to the bias."""
    ask(smu, *BUFFERED, "smua.source.levelv = 0.01 smua.trigger.source.listv({0.1})")
    held = "smua.trigger.endpulse.action = smua.SOURCE_HOLD"
    after = "smua.trigger.initiate() waitcomplete() print(smua.measure.v())"

    assert numbers(smu, held, after) == pytest.approx([0.01])
    assert numbers(smu, "smua.trigger.endsweep.action = 1", after) == pytest.approx([0.1])
    assert numbers(smu, "smua.source.levelv = 0.02 print(smua.measure.v())") == pytest.approx(
        [0.02]
    )


def test_burst_recipe_of_the_manual(smu, pulses):
    """Five hardware-timed pulses of 1 ms every 10 ms, all of the same amplitude."""
    ask(smu, *BUFFERED, "smua.source.limiti = 1e-2 smua.trigger.source.listv({0.3})")
    ask(smu, "trigger.timer[1].delay = 10e-3 trigger.timer[1].count = 4")
    ask(smu, "trigger.timer[1].passthrough = true")
    ask(smu, "trigger.timer[1].stimulus = smua.trigger.ARMED_EVENT_ID")
    ask(smu, "trigger.timer[2].delay = 1e-3 trigger.timer[2].count = 1")
    ask(smu, "trigger.timer[2].stimulus = trigger.timer[1].EVENT_ID")
    ask(smu, "smua.trigger.source.stimulus = trigger.timer[1].EVENT_ID")
    ask(smu, "smua.trigger.endpulse.stimulus = trigger.timer[2].EVENT_ID")
    ask(smu, "smua.trigger.endpulse.action = smua.SOURCE_IDLE smua.trigger.count = 5")
    ask(smu, "smua.trigger.initiate() waitcomplete()")
    times = numbers(smu, "printbuffer(1, 5, smua.nvbuffer1.timestamps)")

    assert np.diff(times) == pytest.approx(10e-3)
    assert [amplitude for amplitude, _ in pulses] == pytest.approx([0.3] * len(pulses), rel=0.05)
    assert sum(width for _, width in pulses) == pytest.approx(5e-3)
    assert error_codes(smu) == []


@pytest.mark.parametrize(("bias", "lost"), [("0", 100e-6), ("-1e-18", 0.0)])
def test_negative_pulses_lose_100_us_from_a_bias_of_zero(smu, pulses, bias, lost):
    """0 counts as positive; negative zero does not."""
    ask(smu, "smua.source.output = 1 smua.source.limiti = 1e-2", f"smua.source.levelv = {bias}")
    ask(smu, "smua.trigger.source.listv({-0.3}) smua.trigger.source.action = 1")
    ask(
        smu, "trigger.timer[1].delay = 1e-3 trigger.timer[1].stimulus = smua.trigger.ARMED_EVENT_ID"
    )
    ask(smu, "smua.trigger.endpulse.stimulus = trigger.timer[1].EVENT_ID")
    ask(smu, "smua.trigger.endpulse.action = 0 smua.trigger.initiate() waitcomplete()")

    assert sum(width for amplitude, width in pulses if amplitude < 0) == pytest.approx(1e-3 - lost)


def test_initiate_is_overlapped(smu):
    """It returns at once, the sweep goes on meanwhile; *OPC? and printbuffer wait for it."""
    ask(smu, *BUFFERED, "smua.measure.nplc = 25 smua.trigger.source.listv({0.1})")
    ask(smu, "smua.trigger.count = 20 smua.trigger.initiate()")
    early = numbers(smu, "print(smua.nvbuffer1.n, status.operation.sweeping.condition)")
    assert ask(smu, "*OPC?") == "1\n"
    late = numbers(smu, "print(smua.nvbuffer1.n, status.operation.sweeping.condition)")
    ask(smu, "smua.nvbuffer1.clear() smua.trigger.initiate()")

    assert early[0] < 20
    assert (early[1], late) == (2, [20, 0])
    assert len(numbers(smu, "printbuffer(1, 20, smua.nvbuffer1)")) == 20


def test_what_a_running_sweep_refuses(smu):
    """Ranges, functions, readings and another start: error 5042; `abort` ends it at the bias."""
    ask(smu, *BUFFERED, "smua.trigger.source.listv({0.1}) smua.trigger.measure.action = 0")
    ask(smu, "smua.trigger.endpulse.stimulus = trigger.EVENT_ID smua.trigger.initiate()")
    for refused in (
        "smua.trigger.initiate()",
        "smua.source.rangev = 20",
        "smua.source.func = 0",
        "smua.trigger.source.listv({0.2})",
        "smua.measure.i()",
    ):
        ask(smu, refused)
        assert error_codes(smu) == [5042], refused
    ask(smu, "smua.abort()")

    assert numbers(smu, "print(smua.source.output, smua.measure.v())") == [1, 0]
    assert error_codes(smu) == []


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("smua.trigger.source.action = 1 smua.trigger.initiate()", 5059),
        ("smua.trigger.measure.action = 1 smua.trigger.initiate()", 5060),
        (
            "smua.source.rangev = 0.2 smua.trigger.source.listv({1}) "
            "smua.trigger.source.action = 1 smua.trigger.initiate()",
            5005,
        ),
        (
            "smua.trigger.source.listi({1e-3}) smua.trigger.source.action = 1 "
            "smua.trigger.initiate()",
            5059,
        ),
        ("smua.trigger.source.listv({})", 1400),
        ("smua.trigger.source.listv({1, 'x'})", -104),
        ("smua.trigger.source.listv({500})", 1101),
        ("smua.trigger.source.listv({-500})", 1102),
        ("smua.trigger.source.listv({0/0})", -224),
        ("smua.trigger.source.linearv(0, 1)", 1400),
        ("smua.trigger.source.linearv(0, 1, 0)", 1102),
        ("smua.trigger.source.linearv(0, 1, 1e9)", 1101),
        ("smua.trigger.source.linearv(0, 1, 'x')", -104),
        ("smua.trigger.source.logv(1, -1, 5, 0)", -224),
        ("smua.trigger.source.limiti = 1e-12", 1102),
        ("smua.trigger.source.limiti = 5", 1101),
        ("smua.trigger.measure.i(7)", 1401),
        ("smua.trigger.measure.action = 3", 1101),
        ("smua.trigger.count = -1", 1102),
        ("trigger.timer[1].delay = 1e-7", 1102),
        ("trigger.timer[1].count = 2e6", 1101),
        ("trigger.timer[1].delaylist = {1e-5, 2e-5}", 2500),
        ("trigger.timer[1].delaylist = {0/0}", -224),
        ("trigger.timer[1].passthrough = 7", -104),
        ("print(trigger.timer[9].delay)", -286),
        ("trigger.timer[1].wait('long')", -104),
    ],
)
def test_errors(smu, sent, code):
    """What cannot be is refused, and nothing starts."""
    ask(smu, sent)
    assert error_codes(smu) == [code]
    assert numbers(smu, "print(status.operation.sweeping.condition)") == [0]


def test_limits_of_a_sweep(smu):
    """A limit of the sweep holds at its levels; none below a tenth of its range is enforced."""
    ask(smu, *BUFFERED, "smua.source.limiti = 1e-3 smua.trigger.source.limiti = 2e-6")
    ask(smu, "smua.trigger.source.listv({0.1}) smua.trigger.measure.action = 1")
    ask(smu, "smua.trigger.initiate()")
    coarse = numbers(smu, "printbuffer(1, 1, smua.nvbuffer1)")
    ask(smu, "smua.source.limiti = 1e-6 smua.nvbuffer1.clear() smua.trigger.initiate()")
    fine = numbers(smu, "printbuffer(1, 1, smua.nvbuffer1, smua.nvbuffer1.statuses)")

    assert 2e-6 < coarse[0] < 1e-4  # a tenth of the 1 mA range is the least
    assert fine == pytest.approx([2e-6, 64])


def test_reset_ends_everything(smu):
    """``reset()`` and ``smua.reset()`` leave idle, forget levels and restore defaults."""
    for reset in ("reset()", "smua.reset()", "*RST"):
        ask(smu, *BUFFERED, "smua.trigger.source.listv({0.1}) smua.trigger.count = 7")
        ask(smu, "smua.trigger.arm.stimulus = trigger.EVENT_ID smua.trigger.initiate()", reset)
        assert numbers(
            smu,
            "print(status.operation.sweeping.condition, smua.trigger.count, smua.source.output)",
        ) == [0, 1, 0]
        ask(smu, "smua.trigger.source.action = 1 smua.trigger.initiate()")
        assert error_codes(smu) == [5059]


def test_overlapped_readings(smu):
    """``measure.overlappedi`` returns nothing; its readings are in the buffer afterwards."""
    ask(smu, "smua.source.output = 1 smua.source.levelv = 0.1 smua.measure.count = 3")
    assert ask(smu, "print(smua.measure.overlappedi(smua.nvbuffer1))") == "\n"
    assert numbers(smu, "waitcomplete() print(smua.nvbuffer1.n)") == [3]
