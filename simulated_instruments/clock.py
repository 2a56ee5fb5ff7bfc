"""The virtual clock: how long the real bench would have taken."""

import time
from dataclasses import dataclass

from crossbar.units import Seconds
from physics.simulated_die import Clock


class VirtualClock:
    """Advances with pulses, delays, integration times and bus latency."""

    def __init__(self, *, real_time: bool = False) -> None:
        self.now: Seconds = 0.0
        self.real_time = real_time
        """Also sleep, so that a program waits as long as it would at the bench."""

    def advance(self, duration: Seconds) -> None:
        """Let ``duration`` seconds pass."""
        self.now += duration
        if self.real_time and duration > 0:
            time.sleep(duration)


@dataclass(frozen=True, kw_only=True)
class WaferClock:
    """What a simulated bench has for the port `crossbar.ports.Clock`: the wafer's own time, which
    is kept with the state of its cells and goes on where it ended. While nobody uses the bench,
    and in what is lost with the cells' state when a process is killed, no time passes.
    """

    wafer_time: Clock
    virtual: VirtualClock

    @property
    def now(self) -> Seconds:
        """Bench time of the wafer's whole life."""
        return self.wafer_time()

    def wait(self, duration: Seconds) -> None:
        """Let the time pass at once, or sleep where the bench is to take as long as a real one."""
        self.virtual.advance(max(duration, 0.0))
