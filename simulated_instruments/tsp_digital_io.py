"""The fourteen digital lines, and the trigger pulses they send to other instruments."""

from collections.abc import Callable
from functools import partial

from simulated_instruments.tsp_events import EventBus
from simulated_instruments.tsp_interpreter import LuaObject, TspInterpreter
from simulated_instruments.tsp_settings import Setting, Settings, choice
from simulated_instruments.tsp_triggers import waiting

LINES = 14
ALL_HIGH = (1 << LINES) - 1
BYPASS, RISING_MASTER = 0, 8
INVALID_LINE, WRONG_TYPE = 1801, -104

CONSTANTS = {
    "TRIG_BYPASS": 0, "TRIG_FALLING": 1, "TRIG_RISING": 2, "TRIG_EITHER": 3,
    "TRIG_SYNCHRONOUSA": 4, "TRIG_SYNCHRONOUS": 5, "TRIG_SYNCHRONOUSM": 6,
    "TRIG_RISINGA": 7, "TRIG_RISINGM": 8,
}  # fmt: skip

LINE_SETTINGS = {
    "mode": choice(BYPASS, *range(9)),
    "pulsewidth": Setting(default=10e-6, lower=0),
    "stimulus": Setting(default=0, lower=0),
}


class DigitalPort:
    """``digio``. Lines are pulled up. A line's number is the number of its event."""

    def __init__(self, bus: EventBus, send_trigger: Callable[[int], None]) -> None:
        self.bus = bus
        self.errors = bus.errors
        self.send_trigger = send_trigger
        """Called with the line's number when an edge leaves that others trigger on."""
        self.levels = ALL_HIGH
        self.lines = [Settings(LINE_SETTINGS, bus.errors) for _ in range(LINES)]
        self.overruns: set[int] = set()
        """Lines where an edge came before the one before had been waited for."""

    def listen(self, event: int) -> None:
        """An event was raised: lines that it stimulates send their pulse."""
        for number, line in enumerate(self.lines, start=1):
            if line["stimulus"] == event:
                self.send(number)

    def reset(self) -> None:
        """Trigger settings back to their defaults; the levels stay, as on the instrument."""
        for line in self.lines:
            line.reset()
        self.overruns.clear()

    def receive(self, line: int) -> None:
        """An edge from outside: an event, except in the modes that only send."""
        if self.lines[line - 1]["mode"] in (BYPASS, RISING_MASTER):
            return
        if line in self.bus.seen:
            self.overruns.add(line)
        self.bus.post(line)

    def clear(self, line: int, *_: object) -> None:
        """``digio.trigger[line].clear()``: forget its event and its overrun."""
        self.bus.seen.discard(line)
        self.overruns.discard(line)

    def read_bit(self, line: object = None, *_: object) -> int | None:
        """``digio.readbit(line)``."""
        bit = self._bit(line)
        return None if bit is None else int(self.levels & bit > 0)

    def write_bit(self, line: object = None, value: object = None, *_: object) -> None:
        """``digio.writebit(line, 0 or 1)``: only a line in bypass mode follows."""
        bit = self._bit(line)
        if bit is not None:
            self.write_port(self.levels | bit if value else self.levels & ~bit)

    def write_port(self, value: object = 0, *_: object) -> None:
        """``digio.writeport(value)``: a rising edge is a trigger for what is wired to the line."""
        if not isinstance(value, int | float):
            self.errors.report(WRONG_TYPE)
            return
        before, self.levels = self.levels, int(value) & ALL_HIGH
        for line in range(1, LINES + 1):
            rises = (self.levels & ~before) >> (line - 1) & 1
            if rises and self.lines[line - 1]["mode"] == BYPASS:
                self.send_trigger(line)

    def send(self, line: int) -> None:
        """``digio.trigger[line].assert()``: a pulse in every mode but bypass."""
        if self.lines[line - 1]["mode"] != BYPASS:
            self.send_trigger(line)

    def _bit(self, line: object) -> int | None:
        """The line's bit in the port; None after reporting 1801 for a line that does not exist."""
        if isinstance(line, int) and 1 <= line <= LINES:
            return 1 << (line - 1)
        self.errors.report(INVALID_LINE)
        return None


def digital_port_object(interpreter: TspInterpreter, port: DigitalPort) -> LuaObject:
    """``digio`` with ``digio.trigger[1]`` to ``[14]``."""

    def line_object(number: int) -> LuaObject:
        settings = port.lines[number - 1]
        return interpreter.make_object(
            getters=settings.getters() | {"overrun": lambda: number in port.overruns},
            setters=settings.setters(),
            members=waiting(port.bus, number)
            | {
                "assert": partial(port.send, number),
                "clear": partial(port.clear, number),
                "release": lambda *_: None,
                "reset": settings.reset,
                "EVENT_ID": number,
            },
        )

    return interpreter.make_object(
        members=CONSTANTS
        | {
            "readbit": port.read_bit,
            "writebit": port.write_bit,
            "readport": lambda: port.levels,
            "writeport": port.write_port,
            "trigger": interpreter.make_object(
                members={number: line_object(number) for number in range(1, LINES + 1)}
            ),
        }
    )
