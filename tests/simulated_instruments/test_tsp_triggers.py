"""Timers, blenders, digital lines and commands as events, against the reference manual."""

import pytest

from simulated_instruments.keithley_2600b import EmulatedKeithley2600B
from tests.simulated_instruments.tsp_messages import BUFFERED, ask, error_codes, numbers


@pytest.fixture
def smu(station) -> EmulatedKeithley2600B:
    return EmulatedKeithley2600B(station)


def test_timer_counts_and_delay_lists(smu):
    """Events after each delay of the list in turn; the last wait is in vain."""
    ask(smu, "trigger.timer[3].delaylist = {1e-3, 3e-3} trigger.timer[3].count = 3")
    ask(smu, "trigger.timer[3].stimulus = trigger.generator[1].EVENT_ID")
    ask(smu, "timer.reset() trigger.generator[1].assert()")
    came = [
        ask(smu, "came = trigger.timer[3].wait(1) print(came, timer.measure.t())").split()
        for _ in range(4)
    ]

    assert [answer for answer, _ in came] == ["true", "true", "true", "false"]
    assert [float(t) for _, t in came] == pytest.approx([1e-3, 4e-3, 5e-3, 1.005], rel=1e-3)
    assert numbers(smu, "print(trigger.timer[3].delaylist[2])") == [3e-3]


def test_a_running_timer_notes_an_overrun(smu):
    """A stimulus that comes while it runs is lost; `clear` stops it, `reset` restores it."""
    ask(smu, "trigger.timer[1].delay = 1 trigger.timer[1].stimulus = trigger.generator[1].EVENT_ID")
    ask(smu, "trigger.generator[1].assert()", "trigger.generator[1].assert()")

    assert ask(smu, "print(trigger.timer[1].overrun)") == "true\n"
    assert ask(smu, "trigger.timer[1].clear() print(trigger.timer[1].wait(5))") == "false\n"
    assert (
        ask(
            smu,
            "trigger.timer[1].reset() print(trigger.timer[1].overrun, trigger.timer[1].delay)",
        )
        == "false\t1.00000e-05\n"
    )


@pytest.mark.parametrize(
    ("any_input", "asserted", "fires"),
    [
        ("false", (1,), "false"),
        ("false", (1, 1), "false"),
        ("false", (1, 2), "true"),
        ("true", (2,), "true"),
        ("true", (), "false"),
    ],
)
def test_blenders_combine_events(smu, any_input, asserted, fires):
    """All inputs, or any of them."""
    ask(smu, f"trigger.blender[1].orenable = {any_input}")
    for number in (1, 2):
        ask(smu, f"trigger.blender[1].stimulus[{number}] = trigger.generator[{number}].EVENT_ID")
    for number in asserted:
        ask(smu, f"trigger.generator[{number}].assert()")

    assert ask(smu, "print(trigger.blender[1].wait(0.1))") == f"{fires}\n"
    assert ask(smu, "print(trigger.blender[1].wait(0.1))") == "false\n"  # an event is used up


def test_blender_brings_two_channels_together(smu):
    """Channel A goes on only when both have measured, as a transfer curve needs it."""
    ask(smu, *BUFFERED, "smua.trigger.source.linearv(0.01, 0.03, 3) smua.trigger.count = 3")
    ask(smu, "smub.source.output = 1 smub.trigger.source.listv({0.5}) smub.trigger.count = 3")
    ask(smu, "smub.trigger.source.action = 1 smub.trigger.measure.v(smub.nvbuffer1)")
    ask(smu, "smub.trigger.measure.action = 1 smub.nvbuffer1.appendmode = 1")
    ask(smu, "trigger.blender[1].stimulus[1] = smua.trigger.MEASURE_COMPLETE_EVENT_ID")
    ask(smu, "trigger.blender[1].stimulus[2] = smub.trigger.MEASURE_COMPLETE_EVENT_ID")
    for name in ("smua", "smub"):
        ask(smu, f"{name}.trigger.endpulse.stimulus = trigger.blender[1].EVENT_ID")
    ask(smu, "smua.trigger.initiate()")
    alone = numbers(smu, "delay(1) print(smua.nvbuffer1.n)")
    ask(smu, "smub.trigger.initiate() waitcomplete()")

    assert alone == [1]
    assert numbers(smu, "print(smua.nvbuffer1.n, smub.nvbuffer1.n)") == [3, 3]
    assert numbers(smu, "printbuffer(1, 3, smub.nvbuffer1)") == pytest.approx([0.5] * 3)
    assert error_codes(smu) == []


def test_digital_lines_start_points_and_announce_them(smu, station):
    """An edge from outside steps the sweep; each reading sends a pulse on another line."""
    sent = []
    station.trigger_lines[4] = [lambda: sent.append(station.clock.now)]
    ask(smu, *BUFFERED, "smua.trigger.source.linearv(0.01, 0.03, 3) smua.trigger.count = 3")
    ask(
        smu, "digio.trigger[2].mode = digio.TRIG_FALLING digio.trigger[4].mode = digio.TRIG_FALLING"
    )
    ask(smu, "smua.trigger.source.stimulus = digio.trigger[2].EVENT_ID")
    ask(smu, "digio.trigger[4].stimulus = smua.trigger.MEASURE_COMPLETE_EVENT_ID")
    ask(smu, "smua.trigger.initiate()")
    before = numbers(smu, "print(smua.nvbuffer1.n)")
    for _ in range(3):
        smu.external_trigger(2)
    smu.external_trigger(5)  # in bypass mode: nothing

    assert before == [0]
    assert numbers(smu, "print(smua.nvbuffer1.n)") == [3]
    assert len(sent) == 3
    assert ask(smu, "print(digio.trigger[2].wait(0), digio.trigger[2].overrun)") == "true\ttrue\n"
    assert ask(smu, "digio.trigger[2].clear() print(digio.trigger[2].overrun)") == "false\n"
    assert ask(smu, "print(digio.trigger[5].wait(0.1))") == "false\n"


def test_commands_that_are_triggers(smu):
    """``*TRG`` and the bus's own trigger are the same event; `set` stands for any."""
    ask(smu, *BUFFERED, "smua.trigger.source.listv({0.1}) smua.trigger.count = 3")
    ask(smu, "smua.trigger.source.stimulus = trigger.EVENT_ID smua.trigger.initiate()")
    found = [numbers(smu, "print(smua.nvbuffer1.n)")]
    for action in (
        lambda: ask(smu, "*TRG"),
        smu.trigger,
        lambda: ask(smu, "smua.trigger.source.set()"),
    ):
        action()
        found.append(numbers(smu, "print(smua.nvbuffer1.n)"))

    assert found == [[0], [1], [2], [3]]


@pytest.mark.parametrize(
    "endless",
    [
        "smua.trigger.count = 0 smua.trigger.initiate() waitcomplete()",
        "smua.trigger.arm.stimulus = 99 smua.trigger.initiate() waitcomplete()",
        "trigger.blender[1].orenable = true trigger.blender[2].orenable = true "
        "trigger.blender[1].stimulus[1] = trigger.blender[2].EVENT_ID "
        "trigger.blender[2].stimulus[1] = trigger.blender[1].EVENT_ID "
        "trigger.blender[1].stimulus[2] = trigger.generator[1].EVENT_ID "
        "trigger.generator[1].assert() delay(1)",
    ],
)
def test_what_never_ends_is_aborted(smu, endless):
    """The instrument would wait until somebody sends `abort`; here an error says so."""
    ask(smu, endless)

    assert error_codes(smu) == [-286]
    assert ask(smu, "*IDN?").startswith("Keithley")
    assert numbers(smu, "print(status.operation.sweeping.condition)") == [0]
