"""A comma-separated table of one's own, whose first line names the columns; docs/importing.md.

What the columns are says what the table holds:

- ``attempts`` and ``errors`` (or ``switched``): write error rates, a line a condition;
- ``pulses``: pulse trains, a line a step, in order;
- ``time``: read traces, a line a reading, in order.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from crossbar.pulses import State
from crossbar.records import PulseTrain, ReadTrace
from lab.importing.measurements import CellRecord, Measurements, one_row
from lab.importing.named_columns import NamedColumns, named_columns
from lab.importing.text_table import Line, check_resistances, check_unit, read_table
from lab.importing.wer_counts import Condition, Count, CountedLine, wer_points

UNITS = {
    "cell": "", "target": "", "amplitude": "V", "width": "s", "attempts": "", "errors": "",
    "switched": "", "rejected": "", "pulses": "", "part": "", "state": "", "time": "s",
    "conductance": "S", "resistance": "Ohm", "read_amplitude": "V",
}  # fmt: skip
STATES = {"low": State.LOW, "p": State.LOW, "lrs": State.LOW,
          "high": State.HIGH, "ap": State.HIGH, "hrs": State.HIGH}  # fmt: skip
Group = tuple[int, int, list[Line]]
"""Cell, part, and the lines of one train or trace."""


@dataclass(frozen=True, kw_only=True)
class CsvParameters:
    """What the columns do not say."""

    technology: Literal["mtj", "hfox"] = "mtj"


def read_csv(path: Path, parameters: CsvParameters) -> Measurements:
    """The records of a table. Raises DataError for what makes no sense, naming the line."""
    table = read_table(path)
    required: tuple[str, ...]
    named = {heading.strip().lower().split(" ")[0] for heading in table.lines[0].values}
    if "attempts" in named:
        required, read = ("cell", "amplitude", "width", "attempts"), _points
        holds = "write errors"
    elif "pulses" in named:
        required, read = ("cell", "amplitude", "width", "pulses"), _trains
        holds = "pulse trains"
    elif "time" in named:
        required, read = ("cell", "time", "state"), _traces
        holds = "read traces"
    else:
        raise table.refusal(
            table.lines[0],
            f"names the columns {', '.join(table.lines[0].values)}; expected attempts and errors "
            "for write error rates, pulses for pulse trains, or time for read traces "
            "(docs/importing.md).",
        )
    columns, notes = named_columns(table, UNITS, required)
    records, remarks = read(columns)
    return Measurements(
        technology=parameters.technology,
        geometry=one_row(1 + max(columns.count(line, "cell") for line in columns.lines)),
        records=records,
        details={"holds": holds},
        notes=notes + remarks,
    )


def _points(columns: NamedColumns) -> tuple[tuple[CellRecord, ...], tuple[str, ...]]:
    if ("errors" in columns) == ("switched" in columns):
        raise columns.table.refusal(
            columns.table.lines[0], "give one of the columns errors and switched."
        )
    _check_pulses(columns)
    return wer_points([_counted(columns, line) for line in columns.lines])


def _counted(columns: NamedColumns, line: Line) -> CountedLine:
    attempts = columns.count(line, "attempts")
    counted = "errors" if "errors" in columns else "switched"
    hits = columns.count(line, counted)
    if hits > attempts:
        raise columns.table.refusal(
            line, f"{counted} is {hits}, more than the {attempts} attempts."
        )
    volts = columns.number(line, "amplitude")
    target = State.LOW if volts > 0 else State.HIGH
    if "target" in columns:
        target = _state(columns, line, "target")
    return CountedLine(
        number=line.number,
        condition=Condition(
            cell=columns.count(line, "cell"),
            target=target,
            magnitude=abs(volts),
            width=columns.number(line, "width"),
        ),
        count=Count(
            attempts=attempts,
            errors=hits if counted == "errors" else attempts - hits,
            rejected=columns.count(line, "rejected") if "rejected" in columns else 0,
        ),
    )


def _trains(columns: NamedColumns) -> tuple[tuple[CellRecord, ...], tuple[str, ...]]:
    _check_pulses(columns)
    return tuple(_train(columns, group) for group in _groups(columns, columns.lines)), ()


def _train(columns: NamedColumns, group: Group) -> PulseTrain:
    cell, part, lines = group
    pulses = np.array([columns.count(line, "pulses") for line in lines], np.int64)

    def given(name: str) -> NDArray[np.float64]:
        """A column, NaN in steps without pulses; there it may be empty."""
        values = [
            columns.number(line, name) if number else math.nan
            for line, number in zip(lines, pulses, strict=True)
        ]
        return np.array(values)

    return PulseTrain(
        cell=cell,
        part=part,
        amplitude=given("amplitude"),
        width=given("width"),
        pulses=pulses,
        conductance=_conductance(columns, lines),
        read_amplitude=_read_amplitude(columns, lines),
        outcome="imported",
    )


def _traces(columns: NamedColumns) -> tuple[tuple[CellRecord, ...], tuple[str, ...]]:
    traces = []
    for state in State:
        of_state = [line for line in columns.lines if _state(columns, line, "state") is state]
        for cell, part, lines in _groups(columns, of_state):
            time = np.array([columns.number(line, "time") for line in lines])
            if backwards := np.flatnonzero(np.diff(time) <= 0).tolist():
                raise columns.table.refusal(
                    lines[backwards[0] + 1], "time does not rise. Sort the lines, or number parts."
                )
            traces.append(
                ReadTrace(
                    cell=cell,
                    state=state,
                    part=part,
                    read_amplitude=_read_amplitude(columns, lines),
                    time=time,
                    conductance=_conductance(columns, lines),
                )
            )
    return tuple(traces), ()


def _groups(columns: NamedColumns, lines: Iterable[Line]) -> Iterator[Group]:
    """Lines of the same cell and part, in their order, wherever they stand."""

    def place(line: Line) -> tuple[int, int]:
        part = columns.count(line, "part") if "part" in columns else 0
        return columns.count(line, "cell"), part

    for (cell, part), group in groupby(sorted(lines, key=place), key=place):
        yield cell, part, list(group)


def _state(columns: NamedColumns, line: Line, name: str) -> State:
    found = STATES.get(columns.text(line, name).lower())
    if found is None:
        raise columns.table.refusal(
            line, f"{name} is {columns.text(line, name)!r}; expected low or high (P, AP, LRS, HRS)."
        )
    return found


def _conductance(columns: NamedColumns, lines: list[Line]) -> NDArray[np.float64]:
    if ("conductance" in columns) == ("resistance" in columns):
        raise columns.table.refusal(
            columns.table.lines[0], "give one of the columns conductance and resistance."
        )
    if "conductance" in columns:
        siemens = np.array([columns.number(line, "conductance") for line in lines])
        check_unit(columns.table, "conductance", siemens, 1e-12, 0.02, "siemens")
        return siemens
    ohms = np.array([columns.number(line, "resistance") for line in lines])
    check_resistances(columns.table, "resistance", ohms)
    return 1 / ohms


def _read_amplitude(columns: NamedColumns, lines: list[Line]) -> float:
    """Of the first line: it is one for all readings of a train or trace."""
    return columns.number(lines[0], "read_amplitude") if "read_amplitude" in columns else math.nan


def _check_pulses(columns: NamedColumns) -> None:
    """Refuse volts and seconds that no pulse on a memory cell has. Raises DataError."""
    pulsed = [
        line for line in columns.lines
        if "pulses" not in columns or columns.count(line, "pulses") > 0
    ]  # fmt: skip
    for name, low, high, unit in (("amplitude", 1e-3, 20, "volts"), ("width", 1e-11, 1, "seconds")):
        values = np.array([columns.number(line, name) for line in pulsed])
        check_unit(columns.table, name, values, low, high, unit)
        if name == "width" and np.any(values <= 0):
            wrong = pulsed[int(np.flatnonzero(values <= 0)[0])]
            raise columns.table.refusal(wrong, "width is not above zero.")
