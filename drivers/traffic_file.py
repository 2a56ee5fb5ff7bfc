"""The file of recorded traffic: JSON lines, a header and then one line for every message.

A line holds ``time`` (seconds since the recording began), ``role``, ``event`` and what travelled:
``text`` (latin-1, so that people can read and search it) or ``base64`` where the bytes are binary.
Events: open, write, read, read_bytes (with the ``count`` asked for), clear, and open_error,
write_error, read_error, whose ``kind`` is the class of `crossbar.errors`. What terminates a line of
text is the adapter's affair and not recorded.
"""

import base64
import binascii
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from crossbar.errors import DataError
from crossbar.units import Seconds

FORMAT = "crossbar-lab traffic"
VERSION = 1
BUFFERED_LINES = 4096
"""So many lines are gathered before they are written, unless something goes wrong."""
ERRORS = frozenset({"open_error", "write_error", "read_error"})
EVENTS = frozenset({"open", "write", "read", "read_bytes", "clear"}) | ERRORS
MESSAGES = frozenset({"write", "read", "read_bytes"})
CONTROLS = bytes(set(range(32)) - {9, 10, 13})
"""Bytes that do not occur in text; a message with one of them is written in base64."""
quoted = json.encoder.encode_basestring
"""A string as JSON writes it; what `json.dumps` does at a third of its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of the file."""

    line: int
    """Number of the line in the file, from 1; the header is line 1."""
    time: Seconds
    role: str
    event: str
    data: bytes
    """What travelled; the address for ``open``, the text of an error."""
    count: int | None = None
    """Bytes that were asked for by ``read_bytes``."""
    kind: str | None = None
    """Class of an error."""


class Recorder:
    """Writes a recording as it happens. Errors are flushed at once, all else in large pieces.

    Use it as a context manager: it closes, and so flushes, whatever happens.
    """

    def __init__(self, path: Path, header: Mapping[str, Any]) -> None:
        """``header`` says what is recorded: protocol, parameters, bench, seed.

        Raises DataError if the file cannot be written.
        """
        self.path = path
        self._started = time.perf_counter()
        # One entry a message, made into text when written: recording must not slow a run down.
        self._pending: list[tuple[float, str, str, str | bytes, int | None, str | None]] = []
        try:
            self._file: IO[str] | None = path.open("w", encoding="utf-8", newline="\n")
        except OSError as error:
            raise DataError(f"The traffic cannot be recorded in {path}: {error}.") from None
        document = {"format": FORMAT, "version": VERSION, **header}
        self._file.write(json.dumps(document, ensure_ascii=False) + "\n")

    def note(
        self,
        role: str,
        event: str,
        data: str | bytes,
        *,
        count: int | None = None,
        kind: str | None = None,
    ) -> None:
        """Enter one event; flushed at once if it is an error."""
        moment = time.perf_counter() - self._started
        self._pending.append((moment, role, event, data, count, kind))
        if event in ERRORS or len(self._pending) >= BUFFERED_LINES:
            self.flush()

    def flush(self) -> None:
        """Write what is pending. Raises DataError if the disk is full or gone."""
        if self._file is None:
            return
        pending, self._pending = self._pending, []
        try:
            self._file.write("".join(_line(*entry) for entry in pending))
            self._file.flush()
        except OSError as error:
            self._file = None  # once is enough: instruments must still be switched off
            raise DataError(f"Recording the traffic in {self.path} failed: {error}.") from None

    def close(self) -> None:
        """Write the rest. Safe to call twice."""
        self.flush()
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_traffic(path: Path) -> tuple[dict[str, Any], list[Event]]:
    """The header and all events of a recording.

    A last line that a crash cut short is left out. Raises DataError for a file that is missing, no
    recording, of another version, or damaged.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"The recording {path} cannot be read: {error}.") from None
    lines = text.split("\n")
    header = _document(path, 1, lines[0])
    if header.get("format") != FORMAT or header.get("version") != VERSION:
        raise DataError(
            f"{path} is no recording of version {VERSION}: its first line says "
            f"{header.get('format')!r}, version {header.get('version')!r}. Record the run again "
            "with `lab run --record`."
        )
    # What stands behind the last line feed is empty, or the beginning of a line.
    return header, [_event(path, n, line) for n, line in enumerate(lines[1:-1], start=2)]


def _line(
    moment: float, role: str, event: str, data: str | bytes, count: int | None, kind: str | None
) -> str:
    extra = "" if count is None else f', "count": {count}'
    extra += "" if kind is None else f', "kind": {quoted(kind)}'
    return (
        f'{{"time": {moment:.6f}, "role": {quoted(role)}, "event": "{event}"{extra}, '
        f"{_content(data)}}}\n"
    )


def _content(data: str | bytes) -> str:
    if isinstance(data, str) and data.isascii() and data.isprintable():
        return f'"text": {quoted(data)}'
    content = data if isinstance(data, bytes) else data.encode("latin-1", "replace")
    if content.translate(None, CONTROLS) == content:
        return f'"text": {quoted(content.decode("latin-1"))}'
    return f'"base64": "{base64.b64encode(content).decode()}"'


def _document(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        document = json.loads(line)
    except json.JSONDecodeError as error:
        raise DataError(f"Line {number} of the recording {path} is damaged: {error}.") from None
    if not isinstance(document, dict):
        raise DataError(f"Line {number} of the recording {path} is damaged: no JSON object.")
    return document


def _event(path: Path, number: int, line: str) -> Event:
    document = _document(path, number, line)
    try:
        if "base64" in document:
            data = base64.b64decode(document["base64"], validate=True)
        else:
            data = document["text"].encode("latin-1")
        event = Event(
            line=number,
            time=float(document["time"]),
            role=str(document["role"]),
            event=str(document["event"]),
            data=data,
            count=document.get("count"),
            kind=document.get("kind"),
        )
    except (KeyError, TypeError, ValueError, AttributeError, binascii.Error) as error:
        raise DataError(
            f"Line {number} of the recording {path} is damaged: {type(error).__name__} {error}."
        ) from None
    if event.event not in EVENTS:
        raise DataError(f"Line {number} of the recording {path} has no known event: {event.event}.")
    return event
