"""The trigger system of an emulated B2900: transients and readings on their way through the layers.

After the user's guide (page 6-27) and the SCPI command reference: both actions of both channels run
independently, and delays are counted from the trigger. An initiated action runs at once, on the
virtual clock, until it waits for a trigger from outside. Ours: with the automatic source (AINT) the
two actions of a channel keep step; an event of a timer that comes while its action is busy is lost,
and the next one counts; the last level of a timed sweep lasts one period; after a sweep the
immediate level is back, while a level that was triggered in fixed mode stays.
"""

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

from simulated_instruments.keysight_b2900_settings import exchanged
from simulated_instruments.keysight_b2900_status import (
    EVENT_LOST,
    IDLE,
    NEXT_CHANNEL,
    OUTPUT_PROTECTION,
    WAITING,
)

ROUNDING = 1e-9
"""Seconds, where times are compared."""

Wait = float | str | Callable[[], bool]
"""A time, a trigger source, or something that another action brings about."""


@dataclass(eq=False, slots=True)
class Action:
    """The transients, or the readings, of one channel."""

    index: int
    name: str
    settings: dict[str, Any]
    """Of its layers, as they were when it was initiated."""
    started: int = 0
    done: int = 0
    layer: str = ""
    waits_for: Wait = 0.0
    steps: Generator[Wait, None, None] = field(init=False)


class Actions:
    """Runs what INITiate starts."""

    def _be_idle(self) -> None:
        self.actions: list[Action] = []

    # Layers

    def through_layers(self: Any, action: Action) -> Generator[Wait, None, None]:
        def of(layer: str, kind: str) -> Any:
            return action.settings[f"{layer}_{kind}"]

        device = self._transients if action.name == "tran" else self._readings
        step = device(action)
        arm_due = self.now
        for arm in range(of("arm", "count")):
            if arm:
                arm_due += of("arm", "timer")
            arm_due = yield from self._event(action, "arm", arm_due)
            if of("arm", "delay"):
                yield self.now + of("arm", "delay")
            due = self.now
            for trigger in range(of("trig", "count")):
                if trigger:
                    due += of("trig", "timer")
                due = yield from self._event(action, "trig", due)
                action.started += 1
                if of("trig", "delay"):
                    yield self.now + of("trig", "delay")
                yield from step()
                action.done += 1
            if action.name == "tran" and of("trig", "source") == "TIM":
                yield due + of("trig", "timer")

    def _event(self: Any, action: Action, layer: str, due: float) -> Generator[Wait, None, float]:
        """Wait for the source of a layer; returns when a timer's event was due."""
        if action.settings[f"{layer}_bypass"] == "ONCE":
            action.settings[f"{layer}_bypass"] = "OFF"
            return float(self.now)
        source = action.settings[f"{layer}_source"]
        if source == "TIM":
            if due < self.now - ROUNDING:
                period = action.settings[f"{layer}_timer"]
                due += period * math.ceil((self.now - due) / period - ROUNDING)
                self._lose_event(action)
            yield due
            return due
        action.layer = layer
        if source != "AINT":
            yield source
        elif layer == "trig":
            yield self._in_step(action)
        action.layer = ""
        return float(self.now)

    def _in_step(self, action: Action) -> Callable[[], bool]:
        """The condition on which the automatic source gives the next trigger."""
        number = action.started

        def ready() -> bool:
            partner = self.action(action.index, "acq" if action.name == "tran" else "tran")
            if partner is None:
                return True
            return partner.done >= number if action.name == "tran" else partner.started > number

        return ready

    def _lose_event(self: Any, action: Action) -> None:
        bit = EVENT_LOST[action.name][action.index]
        self.registers["QUES"].flag(bit, True)

    # Device actions

    def _transients(self: Any, action: Action) -> Callable[[], Generator[Wait, None, None]]:
        index = action.index
        levels, quantity = self.levels(index), self.mode[index]

        def dc() -> Generator[Wait, None, None]:
            self._hold(index, (quantity, levels[action.done % len(levels)]))
            yield from ()

        def pulse() -> Generator[Wait, None, None]:
            if self.pulse_delay[index]:
                yield self.now + self.pulse_delay[index]
            self._hold(index, (quantity, levels[action.done % len(levels)]))
            yield self.now + self.pulse_width[index]
            self._hold(index, None)

        return pulse if self.shape[index] == "PULS" else dc

    def _readings(self: Any, action: Action) -> Callable[[], Generator[Wait, None, None]]:
        channel = self.channels[action.index]

        def read() -> Generator[Wait, None, None]:
            began = self.now
            channel.begin()
            yield began + self.integration(action.index)
            self._keep(action.index, self.sample(action.index, channel.end(), began))
            self.protect(action.index)

        return read

    def _hold(self: Any, index: int, level: tuple[str, float] | None) -> None:
        self.held[index] = level
        self.bring(index)

    def protect(self: Any, index: int) -> None:
        """Output protection switches an output off that is in compliance."""
        if self.protection[index] and self.output[index] and self.channels[index].in_compliance():
            self.output = exchanged(self.output, index, False)
            self.registers["QUES"].flag(OUTPUT_PROTECTION[index], True)
            self.settings_changed()

    # Running

    @property
    def now(self: Any) -> float:
        """The virtual clock, in seconds."""
        return float(self.station.clock.now)

    def action(self, index: int, name: str) -> Action | None:
        found = (each for each in self.actions if each.index == index and each.name == name)
        return next(found, None)

    def run(self: Any) -> None:
        """Let actions go on until each waits for something from outside."""
        self._tell_conditions()
        while True:
            ready = [a for a in self.actions if callable(a.waits_for) and a.waits_for()]
            timed = [a for a in self.actions if isinstance(a.waits_for, float)]
            if ready:
                self._resume(ready[0])
            elif timed:
                soonest = min(timed, key=lambda action: action.waits_for)
                self.station.clock.advance(max(0.0, soonest.waits_for - self.now))
                self._resume(soonest)
            else:
                break
        self._tell_conditions()
        self.answer_pending()

    def _resume(self: Any, action: Action) -> None:
        wait = next(action.steps, None)
        if wait is not None:
            action.waits_for = wait
            return
        self.actions.remove(action)
        self._ended(action.index)

    def _ended(self: Any, index: int) -> None:
        """When the channel is idle, what a sweep has left there goes."""
        if any(action.index == index for action in self.actions):
            return
        fixed = self.settings[f"stepping_{self.mode[index]}"][index] == "FIX"
        if not self.stays[index] and not (fixed and self.shape[index] == "DC"):
            self.held[index] = None
        if self.off_automatically[index]:
            self.output = exchanged(self.output, index, False)
        self.settings_changed()

    def _tell_conditions(self: Any) -> None:
        condition = 0
        for index in range(len(self.channels)):
            for name, idle in IDLE.items():
                bit = idle + NEXT_CHANNEL["OPER"] * index
                action = self.action(index, name)
                if action is None:
                    condition |= 1 << bit
                elif action.layer:
                    condition |= 1 << (bit + WAITING[action.layer])
        self.registers["OPER"].change(condition)
