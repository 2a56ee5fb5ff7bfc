"""Ctrl-C and kill: both end a run the safe way, by unwinding through every `finally`."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class TerminatedError(KeyboardInterrupt):
    """SIGTERM, treated like Ctrl-C: not an `Exception`, so nothing on the way swallows it."""


@contextmanager
def termination_as_interrupt() -> Iterator[None]:
    """While open, SIGTERM raises `TerminatedError` in the main thread."""

    def terminate(number: int, frame: FrameType | None) -> None:
        raise TerminatedError

    previous = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
