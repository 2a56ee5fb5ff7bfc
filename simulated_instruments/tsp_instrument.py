"""What every TSP instrument is before it has a purpose: Lua, common commands, replies, errors.

A subclass adds its own names (`TspInstrument.define`) and says what a reset does. Nothing here is
overlapped: a message is over when `handle` returns. The 2600B, whose sweeps go on meanwhile, has
its own.
"""

from collections import deque
from collections.abc import Callable, Mapping
from functools import reduce
from operator import and_, or_, xor
from typing import ClassVar

from simulated_instruments.emulated_instrument import EmulatedInstrument
from simulated_instruments.probe_station import ProbeStation
from simulated_instruments.tsp_errors import ErrorQueue
from simulated_instruments.tsp_format import CONSTANTS, OutputFormat
from simulated_instruments.tsp_interpreter import INSTRUCTION_BUDGET, LuaObject, TspInterpreter
from simulated_instruments.tsp_scripts import ScriptLoader
from simulated_instruments.tsp_settings import DURATION, SWITCH_OFF, SWITCH_ON, Settings

ERROR_AVAILABLE, MESSAGE_AVAILABLE, EVENT_STATUS = 0x04, 0x10, 0x20
MISSING_PARAMETER, WRONG_TYPE = 1400, -104
DATA_CAPACITY = 128
"""Entries of the data queue. Ours."""


class TspInstrument(EmulatedInstrument):
    """Runs TSP scripts; knows who it is, its error queue and the time."""

    REVISION: ClassVar[str] = "1.00"
    GPIB_ADDRESS: ClassVar[int] = 1

    def __init__(
        self,
        station: ProbeStation,
        model: str,
        serial: str,
        *,
        instruction_budget: int = INSTRUCTION_BUDGET,
    ) -> None:
        super().__init__()
        self.station = station
        self.model = model
        self.serial = serial
        self.errors = ErrorQueue()
        self.output = OutputFormat(self.errors)
        self.interpreter = TspInterpreter(self.errors, instruction_budget=instruction_budget)
        self.scripts = ScriptLoader(self.interpreter, self.errors)
        self.chatter = Settings({"prompts": SWITCH_OFF, "showerrors": SWITCH_OFF}, self.errors)
        self.beeper = Settings({"enable": SWITCH_ON}, self.errors)
        self.data: deque[object] = deque()
        """``dataqueue``: what scripts leave for each other."""
        self._timer_started = station.clock.now
        self._common_commands = self._make_common_commands()
        self.define(self._objects())
        self.define(self._functions())

    def define(self, names: Mapping[str, object]) -> None:
        """Make objects and Python functions globals."""
        lua = self.interpreter
        for name, value in names.items():
            # A TSP object is callable too, as Lua tables are; a Python function has code.
            is_python = hasattr(value, "__code__") or hasattr(value, "__func__")
            lua.define(name, lua.function(value) if is_python else value)  # type: ignore[arg-type]

    def handle(self, message: bytes) -> None:
        """One line: part of a script, a common command, or Lua."""
        text = message.decode("latin-1").strip()
        if self.scripts.take(text) or not text or text == "abort":
            pass
        elif text[0] == "*" and (action := self._common_commands.get(text.upper().split()[0])):
            action()
        else:
            self.interpreter.execute(text)
        if self.chatter["prompts"] or self.chatter["showerrors"]:
            self._chat()

    def status_byte(self) -> int:
        """Bit 2 errors in the queue, bit 4 message available, bit 5 event status."""
        return (
            (ERROR_AVAILABLE if self.errors.entries else 0)
            | (MESSAGE_AVAILABLE if self.replies else 0)
            | (EVENT_STATUS if self.errors.event_status else 0)
        )

    def clear(self) -> None:
        """Device clear: also ends the loading of a script."""
        super().clear()
        self.scripts.collecting = None

    def reset(self) -> None:
        """``*RST``, ``reset()``: defaults. Scripts, globals and replies stay."""
        self.output.settings.reset()
        self.beeper.reset()

    def print(self, *values: object) -> None:
        """``print(...)``: one line, values joined by tabs."""
        self.reply(self.output.line(map(self._text, values)))

    def _text(self, value: object) -> str:
        if isinstance(value, str):
            return value
        if value is None:
            return "nil"
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | float):
            return self.output.number(value)
        return self.interpreter.tostring(value)

    def _print_number(self, *values: object) -> None:
        if all(isinstance(value, int | float) for value in values):
            self.reply(self.output.numbers([float(str(value)) for value in values]))
        else:
            self.errors.report(WRONG_TYPE)

    def _delay(self, duration: object = None, *_: object) -> None:
        if code := MISSING_PARAMETER if duration is None else DURATION.complaint(duration):
            self.errors.report(code)
        else:
            self.station.clock.advance(float(str(duration)))

    def _chat(self) -> None:
        """Prompts and errors pushed unasked, for programs that left them switched on."""
        if self.chatter["showerrors"]:
            while self.errors.entries:
                self.print(*self.errors.next())
        if self.chatter["prompts"]:
            loading = self.scripts.collecting is not None
            self.reply(">>>>" if loading else "TSP?" if self.errors.entries else "TSP>")

    def _make_common_commands(self) -> dict[str, Callable[[], None]]:
        answers: dict[str, Callable[[], str]] = {
            "*IDN?": lambda: (
                f"Keithley Instruments Inc., Model {self.model}, {self.serial}, {self.REVISION}"
            ),
            "*OPC?": lambda: "1",
            "*TST?": lambda: "0",
            "*ESR?": lambda: self.output.number(self.errors.read_event_status()),
            "*STB?": lambda: self.output.number(self.status_byte()),
            "*ESE?": lambda: self.output.number(0),
            "*SRE?": lambda: self.output.number(0),
        }
        commands = {
            name: (lambda answer=answer: self.reply(answer())) for name, answer in answers.items()
        }
        nothing = dict.fromkeys(("*OPC", "*ESE", "*SRE", "*WAI", "*TRG"), _silent)
        return {**commands, **nothing, "*RST": self.reset, "*CLS": self._clear_status}

    def _clear_status(self) -> None:
        self.errors.clear()
        self.errors.event_status = 0
        self.replies.clear()

    def _add_data(self, value: object, timeout: object = None) -> bool:
        """Whether there was room; nobody takes anything out while a script waits for room."""
        if len(self.data) >= DATA_CAPACITY:
            return False
        self.data.append(value)
        return True

    def _next_datum(self, timeout: object = None) -> object:
        return self.data.popleft() if self.data else None

    def _restart_timer(self) -> None:
        self._timer_started = self.station.clock.now

    def _objects(self) -> dict[str, LuaObject]:
        lua, settings = self.interpreter, self.output.settings
        passed = {"t": lambda: self.station.clock.now - self._timer_started}
        return {
            "format": lua.make_object(
                getters=settings.getters(), setters=settings.setters(), members=CONSTANTS
            ),
            "errorqueue": lua.make_object(
                getters={"count": lambda: len(self.errors.entries)},
                members={"next": self.errors.next, "clear": self.errors.clear},
            ),
            "timer": lua.make_object(
                members={
                    "reset": self._restart_timer,
                    "measure": lua.make_object(members=passed),
                }
            ),
            "localnode": lua.make_object(
                getters=self.chatter.getters(),
                setters=self.chatter.setters(),
                members={
                    "model": self.model,
                    "serialno": self.serial,
                    "revision": self.REVISION,
                    "description": f"Keithley {self.model} #{self.serial}",
                    "reset": self.reset,
                },
            ),
            "bit": lua.make_object(members=_bit_functions()),
            "display": lua.make_object(
                members=dict.fromkeys(("clear", "settext", "sendkey", "setcursor"), _silent)
            ),
            "beeper": lua.make_object(
                getters=self.beeper.getters(),
                setters=self.beeper.setters(),
                members={"beep": _silent, "ON": 1, "OFF": 0},
            ),
            "dataqueue": lua.make_object(
                getters={"count": lambda: len(self.data)},
                members={
                    "CAPACITY": DATA_CAPACITY,
                    "add": self._add_data,
                    "next": self._next_datum,
                    "clear": lambda: self.data.clear(),
                },
            ),
            "gpib": lua.make_object(getters={"address": lambda: self.GPIB_ADDRESS}),
            "lan": lua.make_object(),
        }

    def _functions(self) -> dict[str, Callable[..., object]]:
        return {
            "print": self.print,
            "tostring": self._text,
            "printnumber": self._print_number,
            "delay": self._delay,
            "reset": lambda system=None: self.reset(),  # the other nodes are not there
            "waitcomplete": _silent,
            "opc": _silent,
            "exit": _silent,
        }


def _silent(*_: object) -> None:
    """Accepted, and nothing to be seen of it here."""


def _bit_functions() -> dict[str, Callable[..., object]]:
    """``bit``, on 32 bits; bits count from 1."""

    def merged(operation: Callable[[int, int], int]) -> Callable[..., float]:
        def merge(first: float, second: float) -> float:
            return float(reduce(operation, (_word(first), _word(second))))

        return merge

    return {
        "bitand": merged(and_),
        "bitor": merged(or_),
        "bitxor": merged(xor),
        "test": lambda value, index: bool(_word(value) & _single(index)),
        "get": lambda value, index: float(_word(value) & _single(index)),
        "set": lambda value, index: float(_word(value) | _single(index)),
        "clear": lambda value, index: float(_word(value) & ~_single(index)),
        "toggle": lambda value, index: float(_word(value) ^ _single(index)),
    }


def _word(value: float) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("number expected")
    return int(value) & 0xFFFFFFFF


def _single(index: float) -> int:
    if not 1 <= _word(index) <= 32:
        raise ValueError("bit 1 to 32 expected")
    return 1 << (_word(index) - 1)
