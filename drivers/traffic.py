"""Replaying recorded traffic: adapters that answer from the file instead of from instruments.

All adapters of a replay share one `Recording`, and every message must come in the recorded order,
whatever its role: a run that would send something else, or something more or less, is told apart.
"""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pymeasure.adapters import Adapter

import crossbar.errors
from crossbar.errors import InstrumentError, LabError
from crossbar.units import Seconds
from drivers.traffic_file import MESSAGES, Event, read_traffic

SHOWN = 80
"""Bytes of a message that a difference shows."""


class TrafficDifferenceError(InstrumentError):
    """A replayed run does something else than the recorded one."""


class Recording:
    """A recording that is being replayed, and how far the replay has come."""

    def __init__(self, path: Path) -> None:
        """Raises DataError as `read_traffic`."""
        self.path = path
        self.header, self._events = read_traffic(path)
        self._next = 0
        self.messages = 0
        """Messages replayed so far, both directions."""
        self.difference: TrafficDifferenceError | None = None
        """The first one; later messages raise it again, since nothing fits after it."""

    def connect(self, address: str, *, role: str = "instrument", **_: Any) -> "ReplayAdapter":
        """In place of `drivers.visa.connect`, whose other arguments mean nothing here.

        Raises TrafficDifferenceError, and the error with which connecting failed when recorded.
        """
        return ReplayAdapter(self, address, role)

    def expect(
        self, role: str, event: str, data: bytes | None = None, count: int | None = None
    ) -> Event:
        """Take the next event, which must be this one; ``data`` None accepts any.

        Raises TrafficDifferenceError, or the recorded error if that is what came instead of a reply
        or right after what was sent.
        """
        if self.difference is not None:
            raise self.difference
        while event == "write" and self._peek("clear", role) is not None:
            self._next += 1  # the adapter's own, before it writes again after a time-out
            self._raise_recorded("write_error", role)  # connecting anew failed
        if event.startswith("read"):
            self._raise_recorded("read_error", role)
        found = self._events[self._next] if self._next < len(self._events) else None
        if (
            found is None
            or (found.role, found.event, found.count) != (role, event, count)
            or (data is not None and found.data != data)
        ):
            raise self._differs(role, event, data, count, found)
        self._next += 1
        self.messages += event in MESSAGES
        if not event.startswith("read"):
            self._raise_recorded(f"{event}_error", role)
        return found

    def finish(self) -> int:
        """Number of messages replayed. Raises TrafficDifferenceError if there was a difference,
        also one that nobody passed on, and if recorded messages are left over.
        """
        if self.difference is not None:
            raise self.difference
        left = self._events[self._next :]
        if left:
            raise self._note(
                f"{self.path} line {left[0].line}: the replayed run ended, but {len(left)} "
                f"recorded lines are left; the next one is {_shown(left[0])}."
            )
        return self.messages

    def _raise_recorded(self, event: str, role: str) -> None:
        """Raise the error that comes next, if one of this sort does."""
        failed = self._peek(event, role)
        if failed is not None:
            self._next += 1
            raise _as_recorded(failed)

    def _peek(self, event: str, role: str) -> Event | None:
        """The next event if it is of this sort, else None."""
        if self._next == len(self._events):
            return None
        following = self._events[self._next]
        return following if (following.event, following.role) == (event, role) else None

    def _differs(
        self, role: str, event: str, data: bytes | None, count: int | None, found: Event | None
    ) -> TrafficDifferenceError:
        actual = Event(
            line=0, time=0.0, role=role, event=event, data=data or b"", count=count, kind=None
        )
        if found is None:
            line = self._events[-1].line + 1 if self._events else 2
            expected = "the end of the recording"
        else:
            line, expected = found.line, _shown(found)
        return self._note(
            f"{self.path} line {line}: role {role}: expected {expected}, but the replayed run has "
            f"{_shown(actual)}. Driver, protocol or parameters are not those of the recording."
        )

    def _note(self, message: str) -> TrafficDifferenceError:
        self.difference = TrafficDifferenceError(message)
        return self.difference


class ReplayAdapter(Adapter):
    """Stands where a `drivers.visa.BenchAdapter` does, for one role; no instrument is touched."""

    def __init__(self, recording: Recording, address: str, role: str) -> None:
        """Raises as `Recording.connect`."""
        super().__init__()
        self.role = role
        self.address = address
        self.messages = 0
        self._recording = recording
        timeout: Seconds = 5.0
        self.connection = SimpleNamespace(timeout=timeout * 1000, close=lambda: None)
        recording.expect(role, "open", address.encode("latin-1", "replace"))

    def _write(self, command: str, **kwargs: Any) -> None:
        self.messages += 1
        self._recording.expect(self.role, "write", command.encode("latin-1", "replace"))

    def _write_bytes(self, content: bytes, **kwargs: Any) -> None:
        self.messages += 1
        self._recording.expect(self.role, "write", content)

    def _read(self, **kwargs: Any) -> str:
        return self._recording.expect(self.role, "read").data.decode("latin-1")

    def _read_bytes(self, count: int, break_on_termchar: bool = False, **kwargs: Any) -> bytes:
        return self._recording.expect(self.role, "read_bytes", count=count).data

    def flush_read_buffer(self) -> None:
        """Nothing is left over in a recording."""


def _as_recorded(event: Event) -> LabError:
    """The error that was raised when this was recorded."""
    kind = getattr(crossbar.errors, event.kind or "", InstrumentError)
    error: LabError = kind(event.data.decode("latin-1"))
    return error


def _shown(event: Event) -> str:
    """An event as a difference shows it."""
    kind = event.event.replace("_", " ")
    asked = "" if event.count is None else f" of {event.count}"
    if event.event.startswith("read") and not event.data:
        return f"{event.role} {kind}{asked}"
    data = event.data if len(event.data) <= SHOWN else event.data[:SHOWN] + b"..."
    return f"{event.role} {kind}{asked} {data!r}"
