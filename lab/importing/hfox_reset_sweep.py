"""HfOx 1T1R: single RESET pulses of rising amplitude, as akashlevy/RRAM-RADAR-Tuning keeps them.

Tab separated, no header: address, pulse width [ns], source-line voltage [V], word-line voltage
[V], R before [Ohm], R after [Ohm]. A sweep ends where the address or the word-line voltage
changes or the source line falls.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crossbar.records import PulseTrain
from lab.importing.chip_lines import CHIP, cell_of
from lab.importing.measurements import Measurements
from lab.importing.text_table import check_resistances, check_unit, numeric_columns, read_table

COLUMNS = (
    "address", "pulse width [ns]", "SL voltage [V]", "WL voltage [V]", "R before [Ohm]",
    "R after [Ohm]",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ResetSweepParameters:
    """Nothing is left open."""


def read_reset_sweeps(path: Path, parameters: ResetSweepParameters) -> Measurements:
    """A train a sweep: a reading, then pulse and reading in turn, with the reading before each.

    The source line's volts are stored as negative ones: bit line minus source line. Raises
    DataError for a file that makes no sense.
    """
    table = read_table(path).without_header()
    data = numeric_columns(table, COLUMNS)
    cells = [cell_of(table, line) for line in table.lines]
    _, width, source_line, word_line, before, after = data.T
    check_resistances(table, "R before", before)
    check_resistances(table, "R after", after)
    check_unit(table, "pulse width", width, 1e-2, 1e9, "ns")
    check_unit(table, "SL voltage", source_line, 1e-2, 20.0, "volts")
    for line, one in zip(table.lines, data, strict=True):
        if one[1] <= 0 or one[2] < 0:
            raise table.refusal(
                line,
                f"a pulse of {one[1]:g} ns with {one[2]:g} V on the source line is no RESET; "
                "expected a width above zero, and zero volts or more.",
            )
    breaks = 1 + np.flatnonzero(
        (np.diff(cells) != 0) | (np.diff(word_line) != 0) | (np.diff(source_line) < 0)
    )
    parts: dict[int, int] = {}
    trains = []
    for start, end in pairwise([0, *breaks.tolist(), len(data)]):
        cell = cells[start]
        parts[cell] = parts.get(cell, -1) + 1
        trains.append(_train(cell, parts[cell], data[start:end]))
    return Measurements(technology="hfox", geometry=CHIP, records=tuple(trains))


def _train(cell: int, part: int, sweep: NDArray[np.float64]) -> PulseTrain:
    """One sweep; every pulse is preceded by the reading of before it, a step without pulses."""
    _, width, source_line, word_line, before, after = sweep.T
    given = np.tile([False, True], len(sweep))
    return PulseTrain(
        cell=cell,
        part=part,
        amplitude=np.where(given, np.repeat(-source_line, 2), np.nan),
        width=np.where(given, np.repeat(width / 1e9, 2), np.nan),
        pulses=given.astype(np.int64),
        conductance=1 / np.stack([before, after], axis=1).ravel(),
        read_amplitude=math.nan,
        outcome=f"sweep, WL {word_line[0]:g} V",
    )
