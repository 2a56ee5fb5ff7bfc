"""The 2600B's error queue: codes, texts and severities of the reference manual's error table."""

from collections import deque
from dataclasses import dataclass

CAPACITY = 100
"""Entries before -350 takes the place of the newest. Ours: the manual gives no number."""

RECOVERABLE, SERIOUS = 20, 30

TEXTS = {
    0: "Queue Is Empty",
    -104: "Data type error",
    -109: "Missing parameter",
    -221: "Settings conflict",
    -222: "Parameter data out of range",
    -224: "Illegal parameter value",
    -225: "Out of memory or TSP memory allocation error",
    -282: "Illegal program name",
    -285: "TSP Syntax error at line",
    -286: "TSP Runtime error at line",
    -350: "Queue overflow",
    1101: "Parameter too big",
    1102: "Parameter too small",
    1105: "Too many parameters",
    1400: "Expected at least 1 parameters",
    1401: "Parameter is invalid",
    1801: "Invalid digital trigger line",
    4900: "Reading buffer index is not valid",
    2500: "Average delay must be at least 50e-6 seconds",
    5005: "Value too big for range",
    5032: "Cannot change setting unless buffer is cleared",
    5038: "Index exceeds maximum reading",
    5042: "Cannot perform requested operation while overlapped operation is in progress",
    5059: "Trigger source action enabled without configuration",
    5060: "Trigger measure action enabled without configuration",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorEntry:
    """One entry, as ``errorqueue.next()`` returns it."""

    code: int
    message: str
    severity: int = RECOVERABLE
    node: int = 1


NO_ERROR = ErrorEntry(code=0, message=TEXTS[0], severity=0)


class ErrorQueue:
    """First in, first out; reading an entry removes it."""

    def __init__(self) -> None:
        self.entries: deque[ErrorEntry] = deque()
        self.event_status = 0x80
        """Standard event register: bit 7 power on, 5 command error, 4 execution error."""

    def report(self, code: int, message: str | None = None) -> None:
        """Append an entry; without a message, the manual's text for the code."""
        self.event_status |= 0x20 if -200 < code < -99 else 0x10
        if len(self.entries) >= CAPACITY:
            self.entries[-1] = ErrorEntry(code=-350, message=TEXTS[-350])
            return
        severity = SERIOUS if code == -225 else RECOVERABLE
        self.entries.append(
            ErrorEntry(code=code, message=message or TEXTS[code], severity=severity)
        )

    def next(self) -> tuple[int, str, int, int]:
        """Remove and return the oldest entry: code, message, severity, node."""
        entry = self.entries.popleft() if self.entries else NO_ERROR
        return entry.code, entry.message, entry.severity, entry.node

    def clear(self) -> None:
        """Forget all entries."""
        self.entries.clear()

    def read_event_status(self) -> int:
        """The standard event register, as ``*ESR?`` answers it: reading clears it."""
        status, self.event_status = self.event_status, 0
        return status
