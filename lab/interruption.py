"""Ctrl-C, kill, a lost terminal: all end a run the safe way, unwinding through every `finally`."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDINGS = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)
)
"""What ends a process from outside: `kill`, a closed terminal or lost connection, Ctrl-Break."""


class TerminatedError(KeyboardInterrupt):
    """An ending, treated like Ctrl-C: not an `Exception`, so nothing on the way swallows it."""


@contextmanager
def termination_as_interrupt() -> Iterator[None]:
    """While open, an ending raises `TerminatedError` in the main thread. One that was ignored
    before, as `nohup` has it, still is.
    """

    def terminate(number: int, frame: FrameType | None) -> None:
        raise TerminatedError

    previous = {number: signal.getsignal(number) for number in ENDINGS}
    for number, handler in previous.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, terminate)
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """While open, Ctrl-C and endings are ignored: an impatient second one must not cut short the
    switching off of outputs. Outside the main thread, where no signal arrives, nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = {
        number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, *ENDINGS)
    }
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
