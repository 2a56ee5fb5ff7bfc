"""The error queue that every SCPI instrument has, ``SYSTem:ERRor?``: entries become exceptions."""

import re
from collections.abc import Callable

from crossbar.errors import ReplyError, ReportedError

ENTRY = re.compile(r'\s*([+-]?\d+)\s*,\s*"(.*)"\s*')
QUEUE_LENGTH = 64
"""More entries than any instrument of the catalog keeps: the end of the queue was missed."""


def is_error(entry: str, instrument: str) -> bool:
    """Whether a reply to ``SYSTem:ERRor?`` is an error; ReplyError if it is no such reply."""
    match = ENTRY.fullmatch(entry)
    if match is None:
        raise ReplyError(
            f"The {instrument} answered {entry!r} when asked for its error queue; expected "
            f'something like +0,"No error". Clear the connection and reopen it.'
        )
    return int(match[1]) != 0


def raise_reported(
    first: str, ask: Callable[[str], str], instrument: str, doing: str = "since the last check"
) -> None:
    """Return if ``first`` says that there is no error, else empty the queue and raise.

    Raises ReportedError with every entry, in the order in which the instrument noted them.
    """
    entries: list[str] = []
    entry = first
    while is_error(entry, instrument) and len(entries) < QUEUE_LENGTH:
        entries.append(entry.strip())
        entry = ask(":SYST:ERR?")
    if entries:
        raise ReportedError(
            f"The {instrument} reported {' and '.join(entries)} ({doing}). What was asked for "
            f"was refused or not completed; its manual says what the number means."
        )
