"""The clocks of a bench, where no simulator keeps the time: the port `crossbar.ports.Clock`."""

import time

from crossbar.units import Seconds


class WallClock:
    """Real time: seconds since 1970, the same for every run, whatever happens between runs."""

    @property
    def now(self) -> Seconds:
        """Seconds since 1970-01-01, UTC."""
        return time.time()

    def wait(self, duration: Seconds) -> None:
        """Sleep; Ctrl-C ends it. Nothing where the moment has passed."""
        if duration > 0:
            time.sleep(duration)


class ReplayClock:
    """Time that passes only by waiting, for a recorded run: nobody waits for what is over."""

    def __init__(self) -> None:
        self.now: Seconds = 0.0

    def wait(self, duration: Seconds) -> None:
        """Be there at once. Nothing where the moment has passed."""
        self.now += max(duration, 0.0)
