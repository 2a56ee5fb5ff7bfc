"""The SCPI half of an emulator: commands are declared, the rest of the language is here.

A subclass declares what it understands, in the manual's own spelling::

    class Emulated(ScpiInstrument):
        IDENTITY = "Maker,Model,0,1.0"
        width = Setting("PULSe:WIDTh", number("S", 1e-9, 1.0), 1e-6)

        @scpi("ROUTe:CLOSe", integer(0, 99), integer(0, 49))
        def close(self, row: int, column: int) -> None: ...

        @scpi("ROUTe:CLOSe?")
        def closed(self) -> str: ...

Known here: compound messages and the path they inherit, one reply message for several queries, the
IEEE 488.2 common commands, the status byte and registers, and the error queue. IEEE 488.2 leaves
open what becomes of the rest of a message after an error; here it is skipped, save for queries of
status and errors, so that no trigger follows a setting that was refused. Query errors (-410, -420,
-430) come from transports that know where a message ends; see `EmulatedInstrument`.
"""

import re
import string
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from simulated_instruments.emulated_instrument import EmulatedInstrument
from simulated_instruments.scpi_grammar import (
    Parameter,
    ScpiError,
    header_pattern,
    integer,
    real,
    split,
)

ERROR_QUEUE_LENGTH = 20
CACHED_HEADERS = 4096
OUTPUT_LIMIT = 16 * 2**20
"""Bytes of one reply message. Ours; instruments differ."""
EVENT_BITS = {1: 0x20, 2: 0x10, 3: 0x08, 4: 0x04}
"""Of the event status register by hundreds of an error's number, IEEE 488.2, 11.5.1; what has
another number is device-dependent, bit 3."""
LONGEST_MNEMONIC = 12
READABLE = frozenset(string.ascii_letters + string.digits + ":*?_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One header that an instrument understands, and what it does."""

    header: re.Pattern[bytes]
    suffixes: tuple[range, ...]
    parameters: tuple[Parameter, ...]
    required: int
    """How many of the parameters must be given; the rest may be left out."""
    run: Callable[..., Any]
    """Called with the instrument, the numeric suffixes, and the parameters; returns the answer."""
    on_status: bool
    """Answered even after an error in the same message."""


def command(
    declaration: str,
    parameters: tuple[Parameter, ...],
    run: Callable[..., Any],
    *,
    required: int | None = None,
    on_status: bool = False,
) -> Command:
    """Compile the declaration of one command."""
    header, suffixes = header_pattern(declaration)
    return Command(
        header=header,
        suffixes=tuple(suffixes),
        parameters=parameters,
        required=len(parameters) if required is None else required,
        run=run,
        on_status=on_status,
    )


def scpi(
    declaration: str,
    *parameters: Parameter,
    required: int | None = None,
    on_status: bool = False,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare the method below to be what a header does; it may carry several declarations."""

    def declare(method: Callable[..., Any]) -> Callable[..., Any]:
        declared = command(declaration, parameters, method, required=required, on_status=on_status)
        method.scpi_commands = (  # type: ignore[attr-defined]
            *getattr(method, "scpi_commands", ()),
            declared,
        )
        return method

    return declare


class Setting:
    """A value with a command that sets it, a query that answers it, and a default for ``*RST``."""

    def __init__(self, declaration: str, parameter: Parameter, default: object) -> None:
        self.default = default
        self.scpi_commands = (
            command(declaration, (parameter,), self._change),
            command(declaration + "?", (), self._answer),
        )

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instrument: "ScpiInstrument | None", owner: type) -> Any:
        return self if instrument is None else instrument.settings[self.name]

    def __set__(self, instrument: "ScpiInstrument", value: object) -> None:
        instrument.settings[self.name] = value

    def _change(self, instrument: "ScpiInstrument", *values: object) -> None:
        before = instrument.settings[self.name]
        instrument.settings[self.name] = values[-1]  # a numeric suffix, if any, comes first
        try:
            instrument.check_settings()
        except ScpiError:
            instrument.settings[self.name] = before
            raise
        instrument.settings_changed()

    def _answer(self, instrument: "ScpiInstrument", *_: object) -> str:
        value = instrument.settings[self.name]
        if isinstance(value, bool):
            return "1" if value else "0"
        return real(value) if isinstance(value, float) else str(value)


class ScpiInstrument(EmulatedInstrument):
    """An emulator that speaks SCPI."""

    IDENTITY: ClassVar[str]
    """The whole reply to ``*IDN?``."""
    _commands: ClassVar[tuple[Command, ...]]
    _defaults: ClassVar[dict[str, object]]
    _known_headers: ClassVar[dict[bytes, tuple[Command, tuple[int, ...]]]]

    def __init_subclass__(cls) -> None:
        members = [getattr(cls, name) for name in dir(cls) if not name.startswith("__")]
        cls._commands = tuple(c for m in members for c in getattr(m, "scpi_commands", ()))
        cls._defaults = {m.name: m.default for m in members if isinstance(m, Setting)}
        cls._known_headers = {}

    def __init__(self) -> None:
        super().__init__()
        self.settings: dict[str, Any] = dict(self._defaults)
        self.errors: deque[ScpiError] = deque()
        self.event_status = 0x80  # power on
        self.event_enable = 0
        self.service_enable = 0
        self.questionable = 0
        """Questionable status events, SCPI-99 volume 1, 20.3; cleared when read."""

    # What a subclass adds

    def check_settings(self) -> None:
        """Raise ScpiError -221 if the settings contradict each other; the change is undone."""

    def settings_changed(self) -> None:
        """Act on a changed setting."""

    def restore_defaults(self) -> None:
        """``*RST``: every `Setting` goes back to its default."""
        self.settings = dict(self._defaults)

    def on_error(self) -> None:
        """Act on an error, such as by switching outputs off."""

    # Messages

    def handle(self, message: bytes) -> None:
        """Run one message, of one or several units; several answers make one reply."""
        answers: list[bytes] = []
        path = b""
        failed = False
        for unit in split(message, b";"):
            words = unit.split(None, 1)
            if not words:
                continue
            header = words[0].upper()
            try:
                full, path = _full_header(header, path)
                found, suffixes = self._look_up(full)
                if failed and not found.on_status:
                    continue
                values = _parse(found, words[1] if len(words) > 1 else b"")
                answer = found.run(self, *suffixes, *values)
            except ScpiError as error:
                failed = True
                self.report(error)
                continue
            if answer is not None:
                answers.append(answer if isinstance(answer, bytes) else str(answer).encode())
                if sum(map(len, answers)) > OUTPUT_LIMIT:
                    self.report(ScpiError(-430))
                    return
        if answers:
            self.reply(b";".join(answers))

    # Query errors, IEEE 488.2, 6.3.2

    def new_message(self) -> None:
        """A message while a reply is unread: INTERRUPTED, and the reply is lost."""
        if self.replies:
            self.replies.clear()
            self.report(ScpiError(-410))

    def read_in_vain(self) -> None:
        """A read with nothing to say: UNTERMINATED."""
        self.report(ScpiError(-420))

    def input_overrun(self) -> None:
        """A message that never ended."""
        self.report(ScpiError(-363))

    def _look_up(self, header: bytes) -> tuple[Command, tuple[int, ...]]:
        known = self._known_headers.get(header)
        if known is not None:
            return known
        for candidate in self._commands:
            match = candidate.header.fullmatch(header)
            if match is None:
                continue
            suffixes = tuple(
                allowed.start if text is None else int(text)
                for text, allowed in zip(match.groups(), candidate.suffixes, strict=True)
            )
            if any(s not in a for s, a in zip(suffixes, candidate.suffixes, strict=True)):
                raise ScpiError(-114, _readable(header))
            if len(self._known_headers) >= CACHED_HEADERS:
                self._known_headers.clear()
            self._known_headers[header] = (candidate, suffixes)
            return candidate, suffixes
        raise ScpiError(_header_error(header), _readable(header))

    def report(self, error: ScpiError) -> None:
        """Put an error into the queue and set its bit in the event status register."""
        if len(self.errors) >= ERROR_QUEUE_LENGTH:
            self.errors[-1] = ScpiError(-350)
        else:
            self.errors.append(error)
        self.event_status |= EVENT_BITS.get(-error.code // 100, 0x08)
        self.on_error()

    # Status

    def status_byte(self) -> int:
        """Bit 2 errors, 3 questionable, 4 reply waits, 5 event status, 6 service request."""
        byte = 0x10 if self.replies else 0
        byte |= 0x04 if self.errors else 0
        byte |= 0x08 if self.questionable else 0
        byte |= 0x20 if self.event_status & self.event_enable else 0
        return byte | (0x40 if byte & self.service_enable & ~0x40 else 0)

    @scpi("SYSTem:ERRor[:NEXT]?", on_status=True)
    def _next_error(self) -> str:
        return str(self.errors.popleft() if self.errors else ScpiError(0))

    @scpi("SYSTem:ERRor:COUNt?", on_status=True)
    def _error_count(self) -> str:
        return str(len(self.errors))

    @scpi("STATus:QUEStionable[:EVENt]?", on_status=True)
    def _questionable_events(self) -> str:
        events, self.questionable = self.questionable, 0
        return str(events)

    # IEEE 488.2 common commands

    @scpi("*IDN?")
    def _identify(self) -> str:
        return self.IDENTITY

    @scpi("*RST")
    def _restore_defaults(self) -> None:
        self.restore_defaults()

    @scpi("*CLS")
    def _clear_status(self) -> None:
        self.errors.clear()
        self.event_status = 0
        self.questionable = 0

    @scpi("*ESR?", on_status=True)
    def _event_status_register(self) -> str:
        events, self.event_status = self.event_status, 0
        return str(events)

    @scpi("*ESE", integer(0, 255))
    def _enable_events(self, mask: int) -> None:
        self.event_enable = mask

    @scpi("*ESE?")
    def _events_enabled(self) -> str:
        return str(self.event_enable)

    @scpi("*SRE", integer(0, 255))
    def _enable_service_request(self, mask: int) -> None:
        self.service_enable = mask & ~0x40

    @scpi("*SRE?")
    def _service_request_enabled(self) -> str:
        return str(self.service_enable)

    @scpi("*STB?", on_status=True)
    def _status_byte_query(self) -> str:
        return str(self.status_byte())

    @scpi("*OPC")
    def _note_operation_complete(self) -> None:
        self.event_status |= 0x01

    @scpi("*OPC?")
    def _operation_complete(self) -> str:
        return "1"

    @scpi("*TST?")
    def _self_test(self) -> str:
        return "0"

    @scpi("*WAI")
    def _wait(self) -> None:
        """Nothing overlaps in an emulator, so there is nothing to wait for."""

    @scpi("*TRG")
    def _trigger(self) -> None:
        self.trigger()


def _full_header(header: bytes, path: bytes) -> tuple[bytes, bytes]:
    """A header with the path of the unit before it, and the path that the next unit inherits.

    SCPI-99 volume 1, 6.2.4: a leading colon starts at the root; common commands keep the path.
    """
    if header.startswith(b"*"):
        return header, path
    full = header[1:] if header.startswith(b":") else path + header
    return full, full[: full.rfind(b":") + 1]


def _readable(header: bytes) -> str:
    """The beginning of a header, fit for an error message whatever bytes came."""
    return "".join(chr(byte) if chr(byte) in READABLE else "?" for byte in header[:40])


def _header_error(header: bytes) -> int:
    """Why nothing has this header: IEEE 488.2 letters only, 12 to a word, and then -113."""
    if not set(header.decode("latin-1")) <= READABLE:
        return -101
    if any(len(mnemonic) > LONGEST_MNEMONIC for mnemonic in re.split(rb"[:*?]", header)):
        return -112
    return -113


def _parse(found: Command, text: bytes) -> list[object]:
    """The parameters' values."""
    parts = split(text, b",") if text.strip() else []
    if len(parts) > len(found.parameters):
        raise ScpiError(-108)
    if len(parts) < found.required:
        raise ScpiError(-109)
    return [read(part) for read, part in zip(found.parameters, parts, strict=False)]
