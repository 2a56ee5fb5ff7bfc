"""The FLEX command language of the B1500A: how a line is read, declared commands, errors, answers.

Two to six letters, an optional question mark, arguments between commas; several commands in a line
are joined by semicolons. Which codes exist is known from public drivers; the texts, and which of
them a wrong argument raises, are from memory and not confirmed against the programming guide.
"""

import math
import re
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from simulated_instruments.emulated_instrument import EmulatedInstrument

UNIT = re.compile(r"\s*(\*?[A-Za-z]+)\s*(\??)\s*(.*?)\s*", re.DOTALL)
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?")
WHOLE = re.compile(r"[+-]?\d{1,12}")
LONGEST_LINE = 256
"""Characters of the command input buffer, the terminator included."""
ERROR_QUEUE_LENGTH = 30
"""Ours."""
TOLERANCE = 1e-9

UNDEFINED, SYNTAX, VALUE, CHANNEL, COUNT = 100, 102, 120, 121, 122
COMPLIANCE, RANGE, POLARITY, OVERRUN, NOT_HERE = 123, 124, 130, 150, 151
SWITCH_OPEN, INTERLOCK, MODE = 200, 202, 214
ERRORS = {
    0: "No Error.",
    UNDEFINED: "Undefined GPIB command.",
    SYNTAX: "Incorrect numeric data syntax.",
    VALUE: "Incorrect parameter value.",
    CHANNEL: "Channel number must be 1 to 10.",
    COUNT: "Number of channels must be corrected.",
    COMPLIANCE: "Compliance must be set correctly.",
    RANGE: "Incorrect range value for this channel.",
    POLARITY: "Start and stop must be same polarity.",
    OVERRUN: "Command input buffer is full.",
    NOT_HERE: "This command is not allowed to this channel.",
    SWITCH_OPEN: "Channel output switch must be ON.",
    INTERLOCK: "Interlock circuit must be closed.",
    MODE: "Illegal measurement mode.",
}

Arguments = tuple[str, ...]
Handler = Callable[..., str | None]


class FlexError(Exception):
    """What the instrument does not obey; goes into its error queue."""

    def __init__(self, code: int, detail: str = "") -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        """As ``ERRX?`` answers it; what is known in detail follows a semicolon."""
        text = ERRORS[self.code] + (f"; {self.detail}" if self.detail else "")
        return f'{self.code:+d},"{text}"'


@dataclass(frozen=True, slots=True)
class Declared:
    """A command, and how many arguments it takes."""

    name: str
    at_least: int
    at_most: int
    on_status: bool
    """Answered even after an error in the same line."""


def flex(
    name: str, at_least: int = 0, at_most: int | None = None, *, on_status: bool = False
) -> Callable[[Handler], Handler]:
    """Declare the method below to obey a command; it gets the arguments as texts."""
    declared = Declared(name, at_least, at_least if at_most is None else at_most, on_status)

    def declare(method: Handler) -> Handler:
        previous = getattr(method, "flex_commands", ())
        method.flex_commands = (*previous, declared)  # type: ignore[attr-defined]
        return method

    return declare


def units(message: bytes) -> list[tuple[str, Arguments]]:
    """Names, in capitals and with their question mark, and arguments. Raises FlexError."""
    found = []
    for text in message.decode("latin-1").split(";"):
        if not text.strip():
            continue
        match = UNIT.fullmatch(text)
        if match is None:
            raise FlexError(UNDEFINED)
        rest = match[3]
        arguments = tuple(part.strip() for part in rest.split(",")) if rest else ()
        found.append((match[1].upper() + match[2], arguments))
    return found


def real(text: str, lowest: float, highest: float, code: int = VALUE) -> float:
    """A number within limits. Raises FlexError."""
    if NUMBER.fullmatch(text) is None:
        raise FlexError(SYNTAX)
    value = float(text)
    slack = TOLERANCE * max(abs(lowest), abs(highest))
    if not lowest - slack <= value <= highest + slack:
        raise FlexError(code)
    return value


def whole(text: str, lowest: int, highest: int, code: int = VALUE) -> int:
    """A whole number within limits; ``1.0`` is none. Raises FlexError."""
    if WHOLE.fullmatch(text) is None:
        raise FlexError(SYNTAX)
    if not lowest <= int(text) <= highest:
        raise FlexError(code)
    return int(text)


def one_of(text: str, allowed: Iterable[int], code: int = VALUE) -> int:
    """A whole number out of a few. Raises FlexError."""
    value = whole(text, -(10**9), 10**9, code)
    if value not in allowed:
        raise FlexError(code)
    return value


def plain(value: float) -> str:
    """A number as ``*LRN?`` and the queries answer it; whole numbers keep no point."""
    return str(value) if isinstance(value, int) else f"{value:.6g}".upper()


def learned(name: str, *values: float) -> str:
    """One command as ``*LRN?`` answers it: ``WT0,0,0,0,0``."""
    return name + ",".join(plain(value) for value in values)


def engineering(value: float, digits: int) -> str:
    """``+000.005E-09``: three digits before the point, an exponent that 3 divides."""
    if not math.isfinite(value) or abs(value) > 1e99:
        value = 199.999e99
    power = 0 if value == 0 else 3 * math.floor(math.log10(abs(value)) / 3)
    power = min(max(power, -15), 99)
    mantissa = f"{value / 10.0**power:+0{digits + 5}.{digits}f}"
    if abs(float(mantissa)) >= 1000 and power < 99:
        power += 3
        mantissa = f"{value / 10.0**power:+0{digits + 5}.{digits}f}"
    return f"{mantissa}E{power:+03d}"


class FlexInstrument(EmulatedInstrument):
    """Reads lines, finds who obeys a command, and keeps errors and answers.

    An answer waits ahead of measurement data that nobody has read yet, and takes the place of an
    earlier answer that nobody has read: the query buffer holds one (not confirmed).
    """

    REPLY_TERMINATOR = b"\r\n"

    def __init__(self) -> None:
        super().__init__()
        self.errors: deque[FlexError] = deque()
        self._commands: dict[str, tuple[Declared, Handler]] = {}
        self._answer: bytes | None = None

    def understand(self, *parts: Any) -> None:
        """Take over the declared commands of these objects."""
        for part in parts:
            for name in dir(type(part)):
                for declared in getattr(getattr(type(part), name), "flex_commands", ()):
                    self._commands[declared.name] = (declared, getattr(part, name))

    def handle(self, message: bytes) -> None:
        """Obey a line; after an error the rest is skipped, save for queries of errors (ours)."""
        if len(message) >= LONGEST_LINE:
            self.report(FlexError(OVERRUN))
            return
        try:
            found = units(message)
        except FlexError as error:
            self.report(error)
            return
        failed = False
        for name, arguments in found:
            declared, obey = self._commands.get(name, (None, None))
            if failed and not (declared and declared.on_status):
                continue
            try:
                if declared is None or obey is None:
                    raise FlexError(UNDEFINED)
                if not declared.at_least <= len(arguments) <= declared.at_most:
                    raise FlexError(SYNTAX)
                answer = obey(*arguments)
            except FlexError as error:
                failed = True
                self.report(error)
                continue
            if answer is not None:
                self.answer(answer)

    def answer(self, text: str) -> None:
        """Say something in reply to a query."""
        content = text.encode("latin-1") + self.REPLY_TERMINATOR
        if self.replies and self.replies[0] is self._answer:
            self.replies.popleft()
        self.replies.appendleft(content)
        self._answer = content

    def report(self, error: FlexError) -> None:
        """Put an error into the queue; what comes when it is full is lost."""
        if len(self.errors) < ERROR_QUEUE_LENGTH:
            self.errors.append(error)

    def input_overrun(self) -> None:
        """A line that never ended."""
        self.report(FlexError(OVERRUN))

    @property
    def unread_data(self) -> list[bytes]:
        """Lines of measurement data that nobody has read yet."""
        return [reply for reply in self.replies if reply is not self._answer]

    def clear_data(self) -> None:
        """Forget the measurement data."""
        kept = [reply for reply in self.replies if reply is self._answer]
        self.replies.clear()
        self.replies.extend(kept)

    @flex("ERRX?", 0, 1, on_status=True)
    def _next_error(self, mode: str = "0") -> str:
        error = self.errors.popleft() if self.errors else FlexError(0)
        return f"{error.code:+d}" if one_of(mode, (0, 1)) else str(error)

    @flex("ERR?", 0, 1, on_status=True)
    def _error_codes(self, mode: str = "0") -> str:
        count = 1 if one_of(mode, (0, 1)) else 4
        codes = [self.errors.popleft().code if self.errors else 0 for _ in range(count)]
        return ",".join(str(code) for code in codes)

    @flex("EMG?", 1, on_status=True)
    def _error_text(self, code: str) -> str:
        return ERRORS.get(whole(code, 0, 10**6), "Undefined error.")
