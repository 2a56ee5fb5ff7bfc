"""Ctrl-C and kill: both end a run the safe way, by unwinding through every `finally`."""

import signal
import threading
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


@contextmanager
def uninterrupted() -> Iterator[None]:
    """While open, Ctrl-C and SIGTERM are ignored: an impatient second one must not cut short the
    switching off of outputs. Outside the main thread, where no signal arrives, nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = {
        number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
