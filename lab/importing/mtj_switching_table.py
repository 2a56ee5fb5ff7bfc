"""MTJ: a table of switching probabilities, as JinChengZ18/vgsot-sim keeps it.

Comma separated, with a header: device_id, direction ("P->AP" or "AP->P"), V [V, magnitude], t_p
[s], P_sw, n_reps. One cell a device_id, numbered as they appear.
"""

import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crossbar.errors import ConfigurationError
from crossbar.pulses import State
from lab.importing.measurements import Measurements, one_row
from lab.importing.named_columns import NamedColumns, named_columns
from lab.importing.text_table import Line, check_unit, read_table
from lab.importing.wer_counts import Condition, Count, CountedLine, wer_points

COLUMNS = {"device_id": "", "direction": "", "V": "V", "t_p": "s", "P_sw": "", "n_reps": ""}
DIRECTIONS = {"P->AP": State.HIGH, "AP->P": State.LOW}
UNLIKELY = 1e-3
"""Counts that all happen to be multiples of some number, by a chance below this, are remarked on.
Ours."""


@dataclass(frozen=True, kw_only=True)
class SwitchingTableParameters:
    """Corrections to what the file says of itself."""

    attempts: int | None = None
    """Trials behind every P_sw, instead of n_reps."""
    swap_directions: bool = False
    """Whether what the file calls P->AP was AP->P, and the reverse."""

    def __post_init__(self) -> None:
        if self.attempts is not None and self.attempts < 1:
            raise ConfigurationError(f"attempts must be at least 1, got {self.attempts}.")


def read_switching_table(path: Path, parameters: SwitchingTableParameters) -> Measurements:
    """Counts of a table of switching probabilities. Raises DataError for what makes no sense."""
    table = read_table(path)
    required = [c for c in COLUMNS if c != "n_reps" or parameters.attempts is None]
    columns, notes = named_columns(table, COLUMNS, required)
    check_unit(table, "V", _column(columns, "V"), 1e-3, 20.0, "volts")
    check_unit(table, "t_p", _column(columns, "t_p"), 1e-11, 1e-2, "seconds")
    names = list(dict.fromkeys(columns.text(line, "device_id") for line in columns.lines))
    counted = [_counted(columns, line, names, parameters) for line in columns.lines]
    points, pooled = wer_points(counted)
    if parameters.attempts is None:
        notes += _multiples(counted)
    return Measurements(
        technology="mtj",
        geometry=one_row(len(names)),
        records=points,
        details={"cells": dict(enumerate(names))},
        notes=notes + pooled,
    )


def _column(columns: NamedColumns, name: str) -> NDArray[np.float64]:
    return np.array([columns.number(line, name) for line in columns.lines])


def _counted(
    columns: NamedColumns, line: Line, names: list[str], parameters: SwitchingTableParameters
) -> CountedLine:
    said = re.sub(r"\s*(→|-+>|>)\s*", "->", columns.text(line, "direction").upper())
    if said not in DIRECTIONS:
        raise columns.table.refusal(
            line, f"direction is {columns.text(line, 'direction')!r}; expected P->AP or AP->P."
        )
    target = DIRECTIONS[said].other if parameters.swap_directions else DIRECTIONS[said]
    attempts = parameters.attempts or columns.count(line, "n_reps")
    width, rate = columns.number(line, "t_p"), columns.number(line, "P_sw")
    switched = round(rate * attempts)
    if not 0 <= rate <= 1:
        raise columns.table.refusal(line, f"P_sw is {rate:g}; expected a fraction, 0 to 1.")
    if width <= 0 or attempts < 1:
        raise columns.table.refusal(line, "t_p and the number of attempts must be above zero.")
    if abs(rate * attempts - switched) > _rounding(columns.text(line, "P_sw")) * attempts + 1e-6:
        raise columns.table.refusal(
            line,
            f"P_sw {rate:g} of {attempts} attempts would be {rate * attempts:g} of them, which is "
            "no whole number. Say how many there were: --set attempts=NUMBER.",
        )
    return CountedLine(
        number=line.number,
        condition=Condition(
            cell=names.index(columns.text(line, "device_id")),
            target=target,
            magnitude=abs(columns.number(line, "V")),
            width=width,
        ),
        count=Count(attempts=attempts, errors=attempts - switched),
    )


def _rounding(text: str) -> float:
    """By how much a number as written may have been rounded: half of its last decimal."""
    decimals = 0 if "e" in text.lower() else len(text.partition(".")[2])
    return 0.5 * 10.0**-decimals if decimals else 0.0


def _multiples(counted: list[CountedLine]) -> tuple[str, ...]:
    """A remark if all counts are multiples of one number, as of fewer trials than the file says."""
    told = [line.count for line in counted if 0 < line.count.errors < line.count.attempts]
    attempts = {count.attempts for count in told}
    step = math.gcd(*(count.errors for count in told), *attempts)
    if step < 2 or len(attempts) != 1 or step ** -float(len(told)) > UNLIKELY:
        return ()
    said = attempts.pop()
    return (
        f"All {len(counted)} P_sw are multiples of 1/{said // step}: by its own numbers each was "
        f"tried {said // step} times, not {said} as n_reps says, which would make every interval "
        f"{math.sqrt(step):.2g} times too short. If so: --set attempts={said // step}.",
    )
