"""Patterns of a WGFMU: straight lines between points in time, and what they are for a cell.

A cell knows rectangular pulses. Each excursion from 0 V is one: of its largest level, as wide as it
is above half of that.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import pairwise

from crossbar.pulses import Pulse
from crossbar.units import Seconds, Volts

GRID: Seconds = 10e-9
EPSILON: Volts = 1e-9


@dataclass(frozen=True, slots=True)
class MeasureEvent:
    """Samples that are taken while a pattern runs."""

    name: str
    start: Seconds
    points: int
    interval: Seconds
    averaging: Seconds

    @property
    def times(self) -> list[Seconds]:
        """When each sample counts: the middle of its averaging."""
        return [self.start + n * self.interval + self.averaging / 2 for n in range(self.points)]

    @property
    def end(self) -> Seconds:
        """When the last sample is complete."""
        return self.start + (self.points - 1) * self.interval + self.averaging


@dataclass(slots=True)
class Pattern:
    """A waveform that a sequence repeats."""

    times: list[Seconds]
    levels: list[Volts]
    events: list[MeasureEvent] = field(default_factory=list)

    @property
    def length(self) -> Seconds:
        """Of one run."""
        return self.times[-1]

    def add(self, duration: Seconds, volts: Volts) -> None:
        """A straight line to this level; the duration is rounded to 10 ns, as the library does."""
        self.times.append(self.times[-1] + round(duration / GRID) * GRID)
        self.levels.append(volts)

    def level_at(self, time: Seconds) -> Volts:
        """On the straight line between two points."""
        after = min(bisect_right(self.times, time), len(self.times) - 1)
        before = max(after - 1, 0)
        span = self.times[after] - self.times[before]
        part = min(max((time - self.times[before]) / span, 0.0), 1.0) if span else 0.0
        return self.levels[before] + (self.levels[after] - self.levels[before]) * part

    def pulses(self) -> list[Pulse]:
        """The excursions from 0 V, in their order."""
        found: list[Pulse] = []
        excursion: list[tuple[Seconds, Volts]] = []
        for time, volts in [*self._with_crossings(), (self.length, 0.0)]:
            excursion.append((time, volts))
            if abs(volts) > EPSILON:
                continue
            peak = max((level for _, level in excursion), key=abs)
            width = above_half(excursion, peak)
            if abs(peak) > EPSILON and width > 0:
                found.append(Pulse(amplitude=peak, width=width))
            excursion = [(time, 0.0)]
        return found

    def _with_crossings(self) -> list[tuple[Seconds, Volts]]:
        """The points, and where lines between them cross 0 V."""
        points = list(zip(self.times, self.levels, strict=True))
        crossed = points[:1]
        for (before, low), (after, high) in pairwise(points):
            if low * high < 0:
                crossed.append((before + (after - before) * low / (low - high), 0.0))
            crossed.append((after, high))
        return crossed


def above_half(points: list[tuple[Seconds, Volts]], peak: Volts) -> Seconds:
    """How long straight lines between these points are beyond half of ``peak``."""
    half = abs(peak) / 2
    spent = 0.0
    for (before, low), (after, high) in pairwise(points):
        bottom, top = sorted((abs(low), abs(high)))
        if top <= half:
            continue
        spent += (after - before) * ((top - half) / (top - bottom) if bottom < half else 1.0)
    return spent
