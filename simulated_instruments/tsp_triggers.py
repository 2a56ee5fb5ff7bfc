"""``trigger``: the timers, blenders and generators between an event and what it sets off."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from simulated_instruments.tsp_errors import ErrorQueue
from simulated_instruments.tsp_events import (
    BLENDER_EVENTS,
    GENERATOR_EVENTS,
    TIMER_EVENTS,
    TRIGGER_EVENT,
    EventBus,
)
from simulated_instruments.tsp_interpreter import LuaObject, TspInterpreter
from simulated_instruments.tsp_settings import DURATION, Setting, Settings

TIMERS, BLENDERS, GENERATORS, BLENDER_INPUTS = 8, 6, 2, 4
SHORTEST_DELAY, LONGEST_DELAY = 0.5e-6, 100e3
SHORTEST_AVERAGE = 50e-6
"""Of a delay list with more than one element."""
TIMER_SETTINGS = {
    "count": Setting(default=1, lower=0, upper=1_048_575),
    "delay": Setting(default=10e-6, lower=SHORTEST_DELAY, upper=LONGEST_DELAY),
    "stimulus": Setting(default=0, lower=0),
}
BLENDER_SETTINGS = {number: Setting(default=0, lower=0) for number in range(1, BLENDER_INPUTS + 1)}
WRONG_TYPE, ILLEGAL, TOO_BIG, TOO_SMALL, AVERAGE_TOO_SHORT = -104, -224, 1101, 1102, 2500


class Timer:
    """``trigger.timer[n]``: an event after a delay, once or again and again."""

    def __init__(self, number: int, bus: EventBus) -> None:
        self.event = TIMER_EVENTS + number
        self.bus = bus
        self.settings = Settings(TIMER_SETTINGS, bus.errors)
        self.passthrough = False
        self.delays: list[float] = []
        """``delaylist``; empty while a single ``delay`` holds."""
        self.overrun = False
        self._left = 0
        self._fired = 0
        self._run = 0
        bus.listeners.append(self._listen)

    def reset(self) -> None:
        """Back to the defaults; a running timer stops."""
        self.settings.reset()
        self.passthrough, self.overrun, self.delays = False, False, []
        self.clear()

    def clear(self) -> None:
        """Stop, and forget a past event."""
        self._left = 0
        self._run += 1
        self.bus.seen.discard(self.event)

    def set_delays(self, values: list[object]) -> None:
        """``delaylist``: used in turn, again from the start."""
        numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
        if not numbers or len(numbers) < len(values):
            self.bus.errors.report(WRONG_TYPE)
        elif not all(map(math.isfinite, numbers)):
            self.bus.errors.report(ILLEGAL)
        elif min(numbers) < SHORTEST_DELAY or max(numbers) > LONGEST_DELAY:
            self.bus.errors.report(TOO_SMALL if min(numbers) < SHORTEST_DELAY else TOO_BIG)
        elif len(numbers) > 1 and sum(numbers) / len(numbers) < SHORTEST_AVERAGE:
            self.bus.errors.report(AVERAGE_TOO_SHORT)
        else:
            self.delays = [float(value) for value in numbers]

    def _listen(self, event: int) -> None:
        if event != self.settings["stimulus"]:
            return
        if self._left:
            self.overrun = True
            return
        # Endless is as long as nothing clears it; the bus bounds every wait.
        self._left = int(self.settings["count"]) or -1
        self._fired = 0
        self._run += 1
        if self.passthrough:
            self.bus.post(self.event)
        self._schedule(self.bus.clock.now)

    def _schedule(self, start: float) -> None:
        delays = self.delays or [self.settings["delay"]]
        due = start + delays[self._fired % len(delays)]
        self.bus.call_at(due, partial(self._fire, due, self._run))

    def _fire(self, due: float, run: int) -> None:
        if run != self._run or not self._left:
            return
        self._left -= 1
        self._fired += 1
        self.bus.post(self.event)
        if self._left:
            self._schedule(due)


class Blender:
    """``trigger.blender[n]``: an event when all of several, or any of them, have come."""

    def __init__(self, number: int, bus: EventBus) -> None:
        self.event = BLENDER_EVENTS + number
        self.bus = bus
        self.inputs: Any = Settings(BLENDER_SETTINGS, bus.errors)  # type: ignore[arg-type]
        self.any_input = False
        """``orenable``."""
        self._come: set[int] = set()
        bus.listeners.append(self._listen)

    def reset(self) -> None:
        """Back to the defaults."""
        self.inputs.reset()
        self.any_input = False
        self.clear()

    def clear(self) -> None:
        """Forget what has come."""
        self._come.clear()
        self.bus.seen.discard(self.event)

    def _listen(self, event: int) -> None:
        used = {number: stimulus for number, stimulus in self.inputs.values.items() if stimulus}
        hit = {number for number, stimulus in used.items() if stimulus == event}
        if not hit:
            return
        self._come |= hit
        if self.any_input or self._come >= set(used):
            self._come.clear()
            self.bus.post(self.event)


class Triggers:
    """All that ``trigger`` holds."""

    def __init__(self, bus: EventBus) -> None:
        self.bus = bus
        self.timers = [Timer(number, bus) for number in range(1, TIMERS + 1)]
        self.blenders = [Blender(number, bus) for number in range(1, BLENDERS + 1)]

    def reset(self) -> None:
        """Back to the defaults."""
        for timer in self.timers:
            timer.reset()
        for blender in self.blenders:
            blender.reset()
        self.bus.seen.clear()


def flag_setter(owner: object, name: str, errors: ErrorQueue) -> Callable[[object], None]:
    """A setter for an attribute that is true or false in TSP, where 0 and 1 are taken too."""

    def set_flag(value: object) -> None:
        if value in (True, False):
            setattr(owner, name, bool(value))
        else:
            errors.report(WRONG_TYPE)

    return set_flag


def trigger_object(lua: TspInterpreter, triggers: Triggers) -> LuaObject:
    """``trigger`` as TSP sees it."""
    bus = triggers.bus
    numbered = {
        "timer": [_timer_object(lua, timer) for timer in triggers.timers],
        "blender": [_blender_object(lua, blender) for blender in triggers.blenders],
        "generator": [
            lua.make_object(
                members={"assert": partial(_post, bus, event), "EVENT_ID": event}
                | waiting(bus, event)
            )
            for event in range(GENERATOR_EVENTS + 1, GENERATOR_EVENTS + GENERATORS + 1)
        ],
    }
    members = {
        name: lua.make_object(members=dict(enumerate(parts, start=1)))
        for name, parts in numbered.items()
    }
    return lua.make_object(
        members=members | {"EVENT_ID": TRIGGER_EVENT} | waiting(bus, TRIGGER_EVENT)
    )


def waiting(bus: EventBus, event: int) -> dict[str, Any]:
    """``wait(timeout)`` and ``clear()`` of an event detector."""

    def wait(timeout: object = 0, *_: object) -> bool:
        if code := DURATION.complaint(timeout):
            bus.errors.report(code)
            return False
        return bus.wait(event, float(str(timeout)))

    return {"wait": wait, "clear": lambda *_: bus.seen.discard(event)}


def _post(bus: EventBus, event: int, *_: object) -> None:
    bus.post(event)


def _timer_object(lua: TspInterpreter, timer: Timer) -> LuaObject:
    bus = timer.bus
    return lua.make_object(
        getters=timer.settings.getters()
        | {
            "passthrough": lambda: timer.passthrough,
            "overrun": lambda: timer.overrun,
            "delaylist": lambda: lua.table(timer.delays or [timer.settings["delay"]]),
        },
        setters=timer.settings.setters()
        | {
            "passthrough": flag_setter(timer, "passthrough", bus.errors),
            "delaylist": lua.list_function(timer.set_delays),
        },
        members={"EVENT_ID": timer.event}
        | waiting(bus, timer.event)
        | {"reset": lambda *_: timer.reset(), "clear": lambda *_: timer.clear()},
    )


def _blender_object(lua: TspInterpreter, blender: Blender) -> LuaObject:
    bus = blender.bus
    return lua.make_object(
        getters={"orenable": lambda: blender.any_input, "overrun": lambda: False},
        setters={"orenable": flag_setter(blender, "any_input", bus.errors)},
        members={
            "EVENT_ID": blender.event,
            "stimulus": lua.make_object(
                getters=blender.inputs.getters(), setters=blender.inputs.setters()
            ),
        }
        | waiting(bus, blender.event)
        | {"reset": lambda *_: blender.reset(), "clear": lambda *_: blender.clear()},
    )
