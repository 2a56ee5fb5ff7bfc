"""INITiate, ABORt, ARM, TRIGger and IDLE? of an emulated B2900, and what waits for the end of it.

After the SCPI command reference. Ours: ``*TRG`` gets through while a query waits, and a query that
waits for the end of an action is answered when the last trigger has come.
"""

from collections.abc import Callable, Iterable
from typing import Any

from simulated_instruments.keysight_b2900_actions import Action, Actions
from simulated_instruments.keysight_b2900_settings import exchanged
from simulated_instruments.keysight_b2900_status import EVENT_LOST
from simulated_instruments.keysight_b2900_triggers import ACTIONS, INTERNAL, LAYERS
from simulated_instruments.scpi import scpi
from simulated_instruments.scpi_grammar import ScpiError

MOST_STEPS = 10_000
"""Of one action without a trigger from outside. Ours, as with the other emulators."""
MOST_PENDING = 8
"""Queries that wait for the end of an action. Ours."""


def text(content: bytes) -> bytes:
    """A part of a channel list."""
    return content.strip()


class TriggerSystem(Actions):
    """Starts, stops and steps actions."""

    def _be_idle(self) -> None:
        super()._be_idle()
        self.pending: list[tuple[Callable[[], bool], Callable[[], Any]]] = []
        """What waits for the end of actions: a condition, and what answers then."""

    def switch_on(self: Any, chosen: Iterable[int]) -> None:
        """The trap: outputs go on by themselves, unless that was turned off.

        The manual of the sister instrument names INITiate and READ?; that a spot measurement does
        it too is not confirmed.
        """
        for index in chosen:
            if self.on_automatically[index]:
                self.output = exchanged(self.output, index, True)
        self.settings_changed()

    def answer_pending(self: Any) -> None:
        waiting, self.pending = self.pending, []
        for ready, answer in waiting:
            if not ready():
                self.pending.append((ready, answer))
            elif (found := answer()) is not None:
                self.reply(found)

    def when_idle(self, wanted: Iterable[tuple[int, str]], answer: Callable[[], Any]) -> Any:
        """The answer once these actions (channel index and name) are idle; None until then."""
        these = list(wanted)

        def ready() -> bool:
            return not any((action.index, action.name) in these for action in self.actions)

        if ready():
            return answer()
        self.pending = [*self.pending[1 - MOST_PENDING :], (ready, answer)]
        return None

    def forget_completion(self) -> None:
        """``*CLS``: nobody waits any more."""
        self.pending = []

    def initiate(self: Any, chosen: Iterable[int], names: Iterable[str]) -> None:
        """Start actions of channels. Raises ScpiError, and then none is started."""
        new = [self._new_action(index, name) for index in chosen for name in names]
        self.switch_on(chosen)
        for action in new:
            self.registers["QUES"].flag(EVENT_LOST[action.name][action.index], False)
            if action.name == "acq":
                self.forget_readings(action.index)
            self.actions.append(action)
            action.waits_for = self.now
        self.run()

    def _new_action(self: Any, index: int, name: str) -> Action:
        if self.action(index, name) is not None:
            raise ScpiError(-213, "it waits for a trigger")
        settings = {
            f"{layer}_{kind}": self.settings[f"{layer}_{name}_{kind}"][index]
            for layer in LAYERS
            for kind in ("source", "bypass", "count", "timer", "delay")
        }
        alone = 1
        if settings["trig_source"] in INTERNAL:
            alone = settings["trig_count"]
            alone *= settings["arm_count"] if settings["arm_source"] in INTERNAL else 1
        if alone > MOST_STEPS:
            raise ScpiError(-221, f"more than {MOST_STEPS} triggers in a row")
        action = Action(index, name, settings)
        if name == "tran":
            self.levels(index)
        action.steps = self.through_layers(action)
        return action

    def abort(self: Any, chosen: Iterable[int], names: Iterable[str]) -> None:
        """Actions of channels become idle, and their immediate levels return."""
        for action in [a for a in self.actions if a.index in chosen and a.name in names]:
            self.actions.remove(action)
            action.steps.close()
        if "tran" in names:
            for index in chosen:
                self.held[index] = None
        self.settings_changed()
        self.run()

    def release(self: Any, chosen: Iterable[int], names: Iterable[str], layer: str) -> None:
        """An event by command, whatever source a layer waits for."""
        due = [
            a for a in self.actions if a.index in chosen and a.name in names and a.layer == layer
        ]
        if not due:
            raise ScpiError(-211, f"nothing waits in the {layer} layer")
        self._let_go(due)

    def event(self, source: str) -> bool:
        """An event from outside; whether anything waited for it."""
        due = [
            a for a in self.actions
            if isinstance(a.waits_for, str) and a.waits_for.startswith(source)
        ]  # fmt: skip
        self._let_go(due)
        return bool(due)

    def _let_go(self, due: list[Action]) -> None:
        for action in due:
            action.waits_for = self.now
        if due:
            self.run()

    def trigger(self: Any) -> None:
        """``*TRG`` and the bus's group execute trigger."""
        if not self.event("BUS"):
            self.report(ScpiError(-211, "nothing waits for the bus"))

    def external_trigger(self) -> None:
        """A pulse at one of the digital pins; nobody is told if nothing waits for it."""
        self.event("EXT")

    @scpi("*OPC?")
    def _operation_complete(self) -> str | None:
        """A pending action keeps the controller waiting."""
        return self.when_idle(self._all_actions(), lambda: "1")

    @scpi("*OPC")
    def _note_operation_complete(self: Any) -> None:
        def note() -> None:
            self.event_status |= 0x01

        self.when_idle(self._all_actions(), note)

    def _all_actions(self) -> list[tuple[int, str]]:
        return [(index, name) for index in (0, 1) for name in ACTIONS]


def _commands() -> dict[str, Any]:
    """INITiate, ABORt, ARM, TRIGger and IDLE?, of one action or of both."""
    members: dict[str, Any] = {}
    scopes = {"[:ALL]": tuple(ACTIONS)} | {f":{name}": (a,) for a, name in ACTIONS.items()}
    for number, (scope, names) in enumerate(scopes.items()):

        def initiate(self: Any, *channels: bytes, names: tuple[str, ...] = names) -> None:
            self.initiate(self.chosen(channels), names)

        def abort(self: Any, *channels: bytes, names: tuple[str, ...] = names) -> None:
            self.abort(self.chosen(channels), names)

        def idle(self: Any, *channels: bytes, names: tuple[str, ...] = names) -> Any:
            wanted = [(index, name) for index in self.chosen(channels) for name in names]
            return self.when_idle(wanted, lambda: "1")

        listed = (text, text)
        members[f"_init_{number}"] = scpi(f"INITiate[:IMMediate]{scope}", *listed, required=0)(
            initiate
        )
        members[f"_abort_{number}"] = scpi(f"ABORt{scope}", *listed, required=0)(abort)
        members[f"_idle_{number}"] = scpi(f"IDLE{scope}?", *listed, required=0)(idle)
        for layer, name in LAYERS.items():

            def release(
                self: Any, *channels: bytes, names: tuple[str, ...] = names, layer: str = layer
            ) -> None:
                self.release(self.chosen(channels), names, layer)

            members[f"_{layer}_{number}"] = scpi(f"{name}{scope}[:IMMediate]", *listed, required=0)(
                release
            )
    return members


TriggerCommands: Any = type("TriggerCommands", (TriggerSystem,), _commands())
