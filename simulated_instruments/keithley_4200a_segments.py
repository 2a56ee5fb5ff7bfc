"""Segment ARB sequences of a 4225-PMU: arrays that make a waveform, and the pulses it amounts to.

Limits after the KXCI programming manual (4200A-KXCI-907-01, section 7) as public programs quote it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from crossbar.units import Seconds, Volts
from simulated_instruments.keithley_4200a_syntax import Arguments, KxciError, real, whole

SEQUENCES = 512
ARRAY_LENGTH = 128
"""Values of one command; ``:ADD`` appends as many again."""
MAX_SEGMENTS = 2048
SHORTEST_SEGMENT: dict[int, Seconds] = {10: 20e-9, 40: 50e-9}
"""By source range."""
LONGEST_SEGMENT: Seconds = 1.0
MAX_LOOPS = 10**12
MAX_PLAYED = 512
"""Entries of a waveform's list of sequences. Ours."""
SEAMLESS: Volts = 1e-6
"""How closely a segment must start where the one before stops. Ours."""
ARRAYS = ("TIME", "STARTV", "STOPV", "TRIG", "SSR", "MEAS:TYPE", "MEAS:START", "MEAS:STOP")


@dataclass(frozen=True, slots=True)
class Segment:
    """A straight piece of a waveform."""

    start: Volts
    stop: Volts
    duration: Seconds
    connected: bool
    measure: int
    """0 nothing, 1 spot mean, 2 waveform, 3 and 4 the same averaged over loops."""
    measure_from: Seconds
    measure_to: Seconds


@dataclass
class SegmentSequence:
    """The arrays of one sequence, as they were sent."""

    arrays: dict[str, list[float]] = field(default_factory=dict)

    def store(self, which: str, values: list[float], *, append: bool) -> None:
        """Replace an array or append to it. Raises KxciError for too many segments."""
        stored = [*self.arrays.get(which, []), *values] if append else values
        if len(stored) > MAX_SEGMENTS:
            raise KxciError(f"more than {MAX_SEGMENTS} segments")
        self.arrays[which] = stored

    def segments(self, source_range: int) -> list[Segment]:
        """The waveform. Raises KxciError where arrays do not fit together or the range."""
        times, starts, stops = (self.arrays.get(which, []) for which in ("TIME", "STARTV", "STOPV"))
        count = len(times)
        lengths = {len(array) for array in (times, starts, stops, *self.arrays.values())}
        if not count or lengths != {count}:
            raise KxciError("the arrays of a sequence differ in length, or one is missing")
        if min(times) < SHORTEST_SEGMENT[source_range] * (1 - 1e-9):
            raise KxciError("a segment is too short for its source range")
        if max(map(abs, starts + stops)) > source_range:
            raise KxciError("a level is beyond the source range")
        if any(abs(a - b) > SEAMLESS for a, b in zip(stops[:-1], starts[1:], strict=True)):
            raise KxciError("a segment does not start where the one before stops")
        nothing = [0.0] * count
        rows = zip(
            starts,
            stops,
            times,
            self.arrays.get("SSR", [1.0] * count),
            *(self.arrays.get(f"MEAS:{which}", nothing) for which in ("TYPE", "START", "STOP")),
            strict=True,
        )
        segments = [Segment(a, b, t, bool(on), int(m), s, e) for a, b, t, on, m, s, e in rows]
        if any(not s.measure_from <= s.measure_to <= s.duration * (1 + 1e-9) for s in segments):
            raise KxciError("a measurement lies outside of its segment")
        return segments


def array_values(which: str, texts: Arguments, source_range: int) -> list[float]:
    """The values of an array command. Raises KxciError."""
    if not 1 <= len(texts) <= ARRAY_LENGTH:
        raise KxciError(f"1 to {ARRAY_LENGTH} values are expected")
    if which in ("TRIG", "SSR"):
        return [float(whole(text, 0, 1)) for text in texts]
    if which == "MEAS:TYPE":
        return [float(whole(text, 0, 4)) for text in texts]
    if which in ("STARTV", "STOPV"):
        return [real(text, -source_range, source_range) for text in texts]
    lowest = SHORTEST_SEGMENT[source_range] if which == "TIME" else 0.0
    return [real(text, lowest, LONGEST_SEGMENT) for text in texts]


def pulses_of(segments: Sequence[Segment]) -> list[tuple[Volts, Seconds]]:
    """Levels and how long each lasts at half amplitude; 0 V in between. Edges count half.

    A ramp from one level to another gives each its half, one through 0 V shares by magnitude.
    """
    levels: list[tuple[Volts, Seconds]] = []
    for segment in segments:
        start, stop = (segment.start, segment.stop) if segment.connected else (0.0, 0.0)
        if start == stop:
            _lengthen(levels, start, segment.duration)
            continue
        share = segment.duration / 2
        if start * stop < 0:
            share *= abs(start) / (abs(start) + abs(stop))
            _lengthen(levels, start, share)
            _lengthen(levels, 0.0, segment.duration / 2)
            _lengthen(levels, stop, segment.duration / 2 - share)
        else:
            _lengthen(levels, start, share)
            _lengthen(levels, stop, share)
    return levels


def _lengthen(levels: list[tuple[Volts, Seconds]], volts: Volts, duration: Seconds) -> None:
    if levels and levels[-1][0] == volts:
        duration += levels.pop()[1]
    levels.append((volts, duration))
