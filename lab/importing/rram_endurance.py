"""RRAM: both states of one cell over its life, as akashlevy/NI-RRAM-Python keeps them.

Tab separated, no header: R after SET, R after RESET [Ohm]; a line every so many cycles.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from crossbar.errors import ConfigurationError
from crossbar.pulses import State
from crossbar.records import PulseTrain
from lab.importing.measurements import Measurements, one_row
from lab.importing.text_table import check_resistances, numeric_columns, read_table


@dataclass(frozen=True, kw_only=True)
class EnduranceParameters:
    """What the file does not say."""

    cycles_per_line: int = 500
    cell: int = 0

    def __post_init__(self) -> None:
        if self.cycles_per_line < 1 or self.cell < 0:
            raise ConfigurationError(
                f"cycles_per_line must be at least 1 and cell at least 0, got "
                f"{self.cycles_per_line} and {self.cell}."
            )


def read_endurance(path: Path, parameters: EnduranceParameters) -> Measurements:
    """One train: two steps a line, of as many pulses as there are cycles between lines.

    Raises DataError for a file that makes no sense.
    """
    table = read_table(path).without_header()
    readings = numeric_columns(table, ("R after SET [Ohm]", "R after RESET [Ohm]"))
    check_resistances(table, "R after SET", readings[:, 0])
    check_resistances(table, "R after RESET", readings[:, 1])
    steps = readings.size
    train = PulseTrain(
        cell=parameters.cell,
        part=0,
        amplitude=np.full(steps, np.nan),
        width=np.full(steps, np.nan),
        pulses=np.full(steps, parameters.cycles_per_line, np.int64),
        conductance=1 / readings.ravel(),
        read_amplitude=math.nan,
        outcome="cycled",
    )
    return Measurements(
        technology="hfox",
        geometry=one_row(parameters.cell + 1),
        records=(train,),
        details={"first_state": State.LOW.value},
        notes=(
            f"{len(readings)} lines are taken as {parameters.cycles_per_line} cycles each, "
            f"{len(readings) * parameters.cycles_per_line:,} in all "
            "(--set cycles_per_line=NUMBER says otherwise).",
        ),
    )
