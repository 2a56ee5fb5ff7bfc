"""One write attempt, and the counts of many.

An attempt is: restore the initial state, verify it by a read, write, read again. Only attempts
whose verify read found the initial state count; the others are *rejected*: nothing is written.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from crossbar.pulses import Pulse, State
from crossbar.units import Volts


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptPlan:
    """What to do, N times, on each of n cells."""

    initial: State
    """The state restored and verified before every write; the write aims at the other one."""
    restore: Pulse
    write: Pulse
    read_amplitude: Volts
    threshold: NDArray[np.float64]
    """(n,) Siemens. A cell reads LOW at or above its threshold, HIGH below it."""
    attempts: int
    """Number of attempts on each cell, rejected ones included."""
    keep_readings: bool = False
    """Also return every single reading."""

    @property
    def target(self) -> State:
        """The state that the write aims at."""
        return self.initial.other


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptCounts:
    """What came of it, for each of n cells."""

    attempts: int
    """Attempts on each cell, rejected ones included."""
    rejected: NDArray[np.int64]
    """(n,) Attempts whose restore did not reach the initial state; they were not written."""
    errors: NDArray[np.int64]
    """(n,) Valid attempts that ended in the wrong state."""
    readings: NDArray[np.float64] | None = field(default=None)
    """(n, attempts, 2) Siemens before and after the write, NaN where none; on request."""
