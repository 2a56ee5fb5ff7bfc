"""One write attempt, and the counts of many.

An attempt is: restore the initial state, verify it by a read, write, read again. Only attempts
whose verify read found the initial state count; the others are *rejected*: nothing is written.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from crossbar.pulses import Pulse, State
from crossbar.units import Seconds, Volts


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


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptList:
    """Attempts on n cells, each with a write pulse and a number of its own."""

    initial: State
    """The state restored and verified before every write; the write aims at the other one."""
    restore: Pulse
    read_amplitude: Volts
    threshold: NDArray[np.float64]
    """(n,) Siemens. A cell reads LOW at or above its threshold, HIGH below it."""
    amplitude: NDArray[np.float64]
    """(n,) Volts of the write pulses, signed."""
    width: NDArray[np.float64]
    """(n,) Seconds"""
    attempts: NDArray[np.int64]
    """(n,) Number of attempts, rejected ones included; at least 1."""

    def parts(self) -> Iterator[tuple[NDArray[np.intp], AttemptPlan]]:
        """The same as plans: places of the cells that share pulse and number, and their plan."""
        alike: dict[tuple[Volts, Seconds, int], list[int]] = {}
        rows = zip(
            self.amplitude.tolist(), self.width.tolist(), self.attempts.tolist(), strict=True
        )
        for place, row in enumerate(rows):
            alike.setdefault(row, []).append(place)
        for (amplitude, width, attempts), members in alike.items():
            places = np.array(members, dtype=np.intp)
            yield (
                places,
                AttemptPlan(
                    initial=self.initial,
                    restore=self.restore,
                    write=Pulse(amplitude=amplitude, width=width),
                    read_amplitude=self.read_amplitude,
                    threshold=self.threshold[places],
                    attempts=attempts,
                ),
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ListCounts:
    """What came of a list, for each of n cells."""

    rejected: NDArray[np.int64]
    """(n,) Attempts whose restore did not reach the initial state; they were not written."""
    errors: NDArray[np.int64]
    """(n,) Valid attempts that ended in the wrong state."""
