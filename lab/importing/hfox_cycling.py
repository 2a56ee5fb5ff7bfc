"""HfOx 1T1R: RESET and SET in turn on many cells, as akashlevy/RRAM-RADAR-Tuning keeps it.

Tab separated, no header, a line a cell: address, then R after RESET, R after SET, alternating
[Ohm]. The pulses themselves are not in the file.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from crossbar.pulses import State
from crossbar.records import PulseTrain
from lab.importing.chip_lines import CHIP, cell_of, readings_of
from lab.importing.measurements import Measurements
from lab.importing.text_table import check_last_value, check_resistances, read_table


@dataclass(frozen=True, kw_only=True)
class CyclingParameters:
    """What the file does not say."""

    first_state: State = State.HIGH
    """The state after the first pulse of every line: HIGH after a RESET."""


def read_cycling(path: Path, parameters: CyclingParameters) -> Measurements:
    """A train a line, with unknown amplitudes. Raises DataError for a file that makes no sense."""
    table = read_table(path).without_header()
    if len(table.lines[0].values) % 2 == 0 or len(table.lines[0].values) < 3:
        raise table.refusal(
            table.lines[0],
            f"holds {len(table.lines[0].values)} values; expected an address and pairs of "
            "resistances, after RESET and after SET. Is the file of another format, or cut off?",
        )
    parts: dict[int, int] = {}
    trains = []
    for line in table.lines:
        cell = cell_of(table, line)
        parts[cell] = parts.get(cell, -1) + 1
        readings = readings_of(table, line, 1, "an address and pairs of resistances")
        steps = len(readings)
        trains.append(
            PulseTrain(
                cell=cell,
                part=parts[cell],
                amplitude=np.full(steps, np.nan),
                width=np.full(steps, np.nan),
                pulses=np.ones(steps, np.int64),
                conductance=1 / readings,
                read_amplitude=math.nan,
                outcome="cycled",
            )
        )
    check_last_value(table)
    check_resistances(table, "R", np.concatenate([1 / train.conductance for train in trains]))
    return Measurements(
        technology="hfox",
        geometry=CHIP,
        records=tuple(trains),
        details={"first_state": parameters.first_state.value},
    )
