"""The virtual clock: how long the real bench would have taken."""

import time

from crossbar.units import Seconds


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
