"""From counts in a file to write error rates; counts of the same condition are pooled."""

from dataclasses import dataclass

from analysis.intervals import clopper_pearson
from crossbar.pulses import State
from crossbar.records import WerPoint
from crossbar.units import Seconds, Volts

CONFIDENCE = 0.95
IMPORTED = "imported"
"""Stands where a record of ours says who kept the time, and what ended the counting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What was tried, on which cell."""

    cell: int
    target: State
    magnitude: Volts
    width: Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How often, and how often in vain."""

    attempts: int
    errors: int
    rejected: int = 0


@dataclass(frozen=True, kw_only=True)
class CountedLine:
    """One line of a file."""

    number: int
    condition: Condition
    count: Count


def wer_points(lines: list[CountedLine]) -> tuple[tuple[WerPoint, ...], tuple[str, ...]]:
    """A point a condition, in the order of the file, and a note for each line that was pooled."""
    first: dict[Condition, int] = {}
    pooled: dict[Condition, Count] = {}
    notes = []
    for line in lines:
        before = pooled.get(line.condition)
        if before is None:
            first[line.condition], pooled[line.condition] = line.number, line.count
            continue
        notes.append(
            f"Line {line.number} repeats the condition of line {first[line.condition]}; their "
            "counts are pooled."
        )
        pooled[line.condition] = Count(
            attempts=before.attempts + line.count.attempts,
            errors=before.errors + line.count.errors,
            rejected=before.rejected + line.count.rejected,
        )
    return tuple(wer_point(*item) for item in pooled.items()), tuple(notes)


def wer_point(condition: Condition, count: Count) -> WerPoint:
    """The record of one condition; its amplitude has the sign that writes the target."""
    low, high = clopper_pearson(count.errors, count.attempts, CONFIDENCE)
    return WerPoint(
        cell=condition.cell,
        target=condition.target,
        amplitude=condition.target.write_sign * condition.magnitude,
        width=condition.width,
        attempts=count.attempts,
        errors=count.errors,
        rejected=count.rejected,
        interval_low=float(low),
        interval_high=float(high),
        confidence=CONFIDENCE,
        execution=IMPORTED,
        stopped_by=IMPORTED,
    )
