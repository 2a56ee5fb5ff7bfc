"""The fourteen digital lines, and the trigger pulses they send to other instruments."""

from collections.abc import Callable
from functools import partial

from simulated_instruments.clock import VirtualClock
from simulated_instruments.tsp_errors import ErrorQueue
from simulated_instruments.tsp_interpreter import LuaObject, TspInterpreter
from simulated_instruments.tsp_settings import Setting, Settings, choice

LINES = 14
ALL_HIGH = (1 << LINES) - 1
BYPASS = 0
INVALID_LINE = 1801

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
    """``digio``. Lines are pulled up; nothing outside drives them, so no trigger comes in."""

    def __init__(
        self, errors: ErrorQueue, clock: VirtualClock, send_trigger: Callable[[int], None]
    ) -> None:
        self.errors = errors
        self.clock = clock
        self.send_trigger = send_trigger
        """Called with the line's number when an edge leaves that others trigger on."""
        self.levels = ALL_HIGH
        self.lines = [Settings(LINE_SETTINGS, errors) for _ in range(LINES)]

    def reset(self) -> None:
        """Trigger settings back to their defaults; the levels stay, as on the instrument."""
        for line in self.lines:
            line.reset()

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
        before, self.levels = self.levels, int(float(str(value))) & ALL_HIGH
        for line in range(1, LINES + 1):
            rises = (self.levels & ~before) >> (line - 1) & 1
            if rises and self.lines[line - 1]["mode"] == BYPASS:
                self.send_trigger(line)

    def send(self, line: int) -> None:
        """``digio.trigger[line].assert()``: a pulse in every mode but bypass."""
        if self.lines[line - 1]["mode"] != BYPASS:
            self.send_trigger(line)

    def wait(self, timeout: object = 0, *_: object) -> bool:
        """``digio.trigger[line].wait(timeout)``: nothing comes in, so the time passes."""
        self.clock.advance(max(0.0, float(str(timeout))))
        return False

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
            getters=settings.getters() | {"overrun": lambda: False},
            setters=settings.setters(),
            members={
                "assert": partial(port.send, number),
                "wait": port.wait,
                "clear": lambda *_: None,
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
