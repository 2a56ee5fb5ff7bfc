"""Events and the overlapped work they drive: what happens after ``initiate()`` has returned.

Real overlapped work goes on while the computer is away. Here time is virtual, so it goes on in
portions: up to `PORTION` per message, as far as a wait says, or to its end for ``waitcomplete``.
"""

import heapq
import itertools
import math
from collections import deque
from collections.abc import Callable
from typing import Protocol

from crossbar.units import Seconds
from simulated_instruments.clock import VirtualClock
from simulated_instruments.tsp_errors import ErrorQueue

PORTION: Seconds = 0.1
"""Overlapped work done while one message is handled. Ours: what a client sleeps between polls."""
MAX_STEPS = 1_000_000
"""Steps of one wait before everything is aborted: an endless sweep must not hang the emulator."""
MAX_STEPS_AT_ONCE = 20_000
"""The same without the clock moving: events that feed each other in a circle."""
ABORTED = "TSP Runtime error at line 0: script aborted: it waits for what never ends"

TRIGGER_EVENT = 20
"""``trigger.EVENT_ID``: raised by ``*TRG``. The numbers are ours; 1 to 14 are digital lines."""
TIMER_EVENTS, BLENDER_EVENTS, GENERATOR_EVENTS = 30, 40, 50
"""Plus the number of the timer, blender or generator."""
SMU_EVENTS = {"smua": 60, "smub": 70}


class OverlappedOperation(Protocol):
    """Work that goes on by itself, such as a sweep."""

    @property
    def running(self) -> bool:
        """Whether it has not come to its end."""

    @property
    def endless(self) -> bool:
        """Whether waiting for its end is in vain."""

    def step(self) -> bool:
        """Do the next thing, if nothing has to be waited for first; whether it did."""

    def abort(self) -> None:
        """End it here."""


class EventBus:
    """Delivers events in the order in which they were raised, and lets time pass in between."""

    def __init__(self, clock: VirtualClock, errors: ErrorQueue) -> None:
        self.clock = clock
        self.errors = errors
        self.operations: list[OverlappedOperation] = []
        self.listeners: list[Callable[[int], None]] = []
        """Called with every event's number."""
        self.seen: set[int] = set()
        """Events since somebody last waited for them or cleared them."""
        self._raised: deque[int] = deque()
        self._alarms: list[tuple[Seconds, int, Callable[[], None]]] = []
        self._order = itertools.count()

    @property
    def busy(self) -> bool:
        """Whether any overlapped operation runs."""
        return any(operation.running for operation in self.operations)

    def post(self, event: int) -> None:
        """Raise an event; it is delivered in turn."""
        self._raised.append(event)

    def call_at(self, time: Seconds, action: Callable[[], None]) -> None:
        """Have something done when the clock gets there."""
        heapq.heappush(self._alarms, (time, next(self._order), action))

    def abort(self) -> None:
        """End all operations and forget what is to come."""
        for operation in self.operations:
            operation.abort()
        self._raised.clear()
        self._alarms.clear()

    def progress(self) -> None:
        """One message's share."""
        self.run(self.clock.now + (PORTION if self.busy else 0.0))

    def finish(self) -> None:
        """``waitcomplete()``. Where the instrument would wait for ever, -286 and an abortion."""
        if not any(operation.running and operation.endless for operation in self.operations):
            self.run(math.inf)
        if self.busy:
            self.abort()
            self.errors.report(-286, ABORTED)

    def delay(self, duration: Seconds) -> None:
        """Time passes while overlapped work goes on."""
        end = self.clock.now + duration
        self.run(end)
        self.clock.advance(max(0.0, end - self.clock.now))

    def wait(self, event: int, timeout: Seconds) -> bool:
        """Wait for an event; whether it came within the timeout."""
        end = self.clock.now + timeout
        self.run(end, awaited=event)
        if event not in self.seen:
            self.clock.advance(max(0.0, end - self.clock.now))
            return False
        self.seen.discard(event)
        return True

    def run(self, until: Seconds, awaited: int | None = None) -> None:
        """Let everything happen until a time, an awaited event, or a wait without an end."""
        moved_at, still = self.clock.now, 0
        for _ in range(MAX_STEPS):
            if awaited in self.seen or not self._advance(until):
                return
            still = still + 1 if self.clock.now == moved_at else 0
            moved_at = self.clock.now
            if still > MAX_STEPS_AT_ONCE:
                break
        self.abort()
        self.errors.report(-286, ABORTED)

    def _advance(self, until: Seconds) -> bool:
        """The next thing that happens; False if nothing does before ``until``."""
        if self._raised:
            self._deliver(self._raised.popleft())
            return True
        due = self._alarms[0][0] if self._alarms else math.inf
        if due > self.clock.now:
            if self.clock.now < until and any(operation.step() for operation in self.operations):
                return True
            if due > until or due == math.inf or (until == math.inf and not self.busy):
                return False
            self.clock.advance(due - self.clock.now)
        heapq.heappop(self._alarms)[2]()
        return True

    def _deliver(self, event: int) -> None:
        self.seen.add(event)
        for listen in self.listeners:
            listen(event)
