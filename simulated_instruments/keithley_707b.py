"""A Keithley 707B or 708B switch matrix at byte level: relays between instruments and die lines.

After the help files of both models (Tektronix TSP Toolkit, models 707B and 708B, 2010). Its closed
crosspoints connect cells in the station (`matrix_paths`). Left out: ``scan``, ``trigger``,
``digio``, ``status``, TSP-Link, labels of rows and columns, and the old 707A commands. Not in the
help, and therefore ours: the numbers and texts of channel errors (`keithley_707b_lists`).
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from drivers.matrix_wiring import MatrixWiring
from simulated_instruments.keithley_707b_cards import KINDS, NO_CARD, PSEUDO_NUMBERS, Card
from simulated_instruments.keithley_707b_channels import CLOSED, Channels
from simulated_instruments.keithley_707b_lists import (
    BAD_CHANNEL,
    CONFLICT,
    WRONG_TYPE,
    ChannelError,
)
from simulated_instruments.keithley_707b_relays import (
    ANY_ORDER,
    BREAK_BEFORE_MAKE,
    MAKE_BEFORE_BREAK,
    Relays,
)
from simulated_instruments.matrix_paths import MatrixPaths
from simulated_instruments.probe_station import ProbeStation
from simulated_instruments.tsp_instrument import TspInstrument
from simulated_instruments.tsp_interpreter import (
    INSTRUCTION_BUDGET,
    TOO_FEW,
    TOO_MANY,
    LuaObject,
    accepted_arguments,
)

SLOTS = {"707B": 6, "708B": 1}
CONSTANTS = {
    "OFF": ANY_ORDER, "ON": 1,
    "BREAK_BEFORE_MAKE": BREAK_BEFORE_MAKE, "MAKE_BEFORE_BREAK": MAKE_BEFORE_BREAK,
    "IND_CLOSED": CLOSED, "TYPE_SWITCH": 1,
}  # fmt: skip


ONE_VALUE = "local call = ... return function(...) local value = call(...) return value end"
"""In Lua: a function that answers nil where the other one answers nothing at all."""


class EmulatedKeithley707B(TspInstrument):
    """All relays are open after power-on."""

    REVISION = "1.02e"
    GPIB_ADDRESS = 16

    def __init__(
        self,
        station: ProbeStation,
        *,
        wiring: MatrixWiring | None = None,
        model: str = "707B",
        cards: Mapping[int, str] | None = None,
        serial: str = "1291357",
        instruction_budget: int = INSTRUCTION_BUDGET,
    ) -> None:
        """``cards`` gives models of `keithley_707b_cards.KINDS` by slot; without it every slot that
        is wired has a 7174A.
        """
        super().__init__(station, model, serial, instruction_budget=instruction_budget)
        wiring = wiring or MatrixWiring(slots=SLOTS[model])
        wired = range(wiring.first_slot, wiring.first_slot + wiring.slots)
        cards = dict.fromkeys(wired, "7174") if cards is None else cards
        self.paths = MatrixPaths(station, wiring)
        self.relays = Relays(
            {
                slot: Card(slot=slot, kind=KINDS[cards[slot]])
                for slot in range(1, SLOTS[model] + 1)
                if slot in cards
            },
            station.clock,
            self.paths.update,
        )
        self.channels = Channels(self.relays, self.errors, self.output)
        self.define({"channel": self._channel_object(), "slot": self._slots_object()})

    def reset(self) -> None:
        """``*RST``: everything opens; patterns, labels and bans are gone."""
        super().reset()
        self.channels.reset_all()

    def restore_defaults(self) -> None:
        """Switched off: relays open."""
        self.reset()

    def _reporting(self, action: Callable[..., Any]) -> Callable[..., Any]:
        """The action with its refusals in the error queue, and nil as its answer then."""
        fewest, most = accepted_arguments(action)

        def act(*arguments: object) -> Any:
            if len(arguments) < fewest:
                self.errors.report(TOO_FEW, f"Expected at least {fewest} parameters")
                return None
            if len(arguments) > most:
                self.errors.report(TOO_MANY)
                return None
            try:
                return action(*arguments)
            except ChannelError as error:
                self.errors.report(error.code, str(error))
                return None

        return act

    def _commands(self, actions: Mapping[str, Callable[..., Any]]) -> dict[str, Any]:
        """Functions without a result."""
        return {name: self._reporting(action) for name, action in actions.items()}

    def _questions(self, actions: Mapping[str, Callable[..., Any]]) -> dict[str, LuaObject]:
        """Functions with one: nil where there is nothing to say, and after an error."""
        lua = self.interpreter
        one_value: Any = lua.compile(ONE_VALUE)
        return {
            name: one_value(lua.function(self._reporting(action)))
            for name, action in actions.items()
        }

    def _channel_object(self) -> LuaObject:
        """``channel``."""
        one, lua = self.channels, self.interpreter
        commands: dict[str, Callable[..., Any]] = {
            "close": one.close,
            "open": one.open,
            "exclusiveclose": one.exclusive_close,
            "exclusiveslotclose": one.exclusive_slot_close,
            "setdelay": one.set_delay,
            "setforbidden": one.set_forbidden,
            "clearforbidden": one.clear_forbidden,
            "setlabel": one.set_label,
            "reset": one.reset,
        }
        questions: dict[str, Callable[..., Any]] = {
            "getclose": one.closed,
            "getstate": one.state,
            "getcount": one.count,
            "gettype": one.kind,
            "createspecifier": one.specifier,
            "getdelay": one.delay,
            "getforbidden": one.forbidden,
            "getlabel": one.label,
        }
        return lua.make_object(
            getters=one.settings.getters(),
            setters=one.settings.setters(),
            members=CONSTANTS
            | self._commands(commands)
            | self._questions(questions)
            | {"pattern": self._pattern_object()},
        )

    def _pattern_object(self) -> LuaObject:
        """``channel.pattern``."""
        one = self.channels
        commands: dict[str, Callable[..., Any]] = {
            "setimage": one.set_pattern,
            "snapshot": one.snapshot,
            "delete": one.delete_pattern,
        }
        questions: dict[str, Callable[..., Any]] = {
            "getimage": one.pattern,
            "catalog": self._catalog,
        }
        return self.interpreter.make_object(
            members=self._commands(commands) | self._questions(questions)
        )

    def _catalog(self) -> LuaObject:
        """An iterator for Lua's ``for``."""
        names = self.channels.catalog()
        return self.interpreter.function(lambda *_: next(names, None))

    def _slots_object(self) -> LuaObject:
        """``slot``."""
        lua = self.interpreter
        slots = {number: self._slot_object(number) for number in range(1, SLOTS[self.model] + 1)}
        return lua.make_object(members={"PSEUDO_NONE": 0, **slots})

    def _slot_object(self, number: int) -> LuaObject:
        """``slot[X]``; that all cards are two-pole is ours."""
        cards, lua = self.relays.cards, self.interpreter

        def identity() -> str:
            return cards[number].identity if number in cards else NO_CARD

        def pseudo_number() -> int | None:
            card = cards.get(number)
            if card is None:
                return 0
            return card.kind.pseudo_number if card.pseudo else None

        poles = {"two": lambda: 1 if number in cards else None}
        return lua.make_object(
            getters={"idn": identity, "pseudocard": pseudo_number},
            setters={"pseudocard": self._reporting(partial(self._set_pseudocard, number))},
            members={"poles": lua.make_object(getters=poles)},
        )

    def _set_pseudocard(self, slot: int, number: object) -> None:
        """Only in a slot without a card; from one pseudocard to another by way of none."""
        present = self.relays.cards.get(slot)
        if present is not None and not present.pseudo:
            raise ChannelError(f"Settings conflict: slot {slot} has a card", CONFLICT)
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise ChannelError("Data type error: number expected", WRONG_TYPE)
        if number == 0:
            self.channels.forget_card(slot)
        elif number not in PSEUDO_NUMBERS:
            raise ChannelError(f"Parameter error: no pseudocard {number:g}", BAD_CHANNEL)
        elif present is not None and present.kind.pseudo_number != number:
            raise ChannelError(f"Settings conflict: slot {slot} has a pseudocard", CONFLICT)
        elif present is None:
            kind = PSEUDO_NUMBERS[int(number)]
            self.relays.cards[slot] = Card(slot=slot, kind=kind, pseudo=True)
