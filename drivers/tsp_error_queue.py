"""The error queue of every TSP instrument, ``errorqueue.next()``: entries become exceptions."""

from collections.abc import Callable

from crossbar.errors import ReplyError, ReportedError

MAX_ENTRIES = 200
"""More than a queue holds: an instrument that reports without end must not hold up the bench."""


def raise_reported(ask: Callable[[str], str], instrument: str) -> None:
    """Empty the queue; raise ReportedError with every entry if there was one.

    Raises ReplyError for an answer that is no entry.
    """
    entries: list[str] = []
    while len(entries) < MAX_ENTRIES and (entry := _next_entry(ask, instrument)) is not None:
        entries.append(entry)
    if entries:
        raise ReportedError(
            f"The {instrument} reports: {'; '.join(entries)}. What was asked for was refused or "
            "not completed; its manual says what the number means."
        )


def _next_entry(ask: Callable[[str], str], instrument: str) -> str | None:
    """ "<code>, <message>", or None from an empty queue."""
    reply = ask("print(errorqueue.next())").strip()
    code, *rest = reply.split("\t")
    try:
        number, message = int(float(code)), rest[0]  # text for "no error" differs between topics
    except (ValueError, OverflowError, IndexError):
        raise ReplyError(
            f"The {instrument} answered {reply!r} for an entry of its error queue. Clear the "
            "connection and reopen it."
        ) from None
    return f"{number}, {message}" if number else None
