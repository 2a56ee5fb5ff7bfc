"""MTJ: one pulse after the other, with the resistance after each, as JinChengZ18/vgsot-sim has it.

Tab separated, no header: V [V], R after the pulse [Ohm]. The width stands in the file's name
(`lab.importing.mtj_file_names`).
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crossbar.records import PulseTrain
from crossbar.units import Seconds
from lab.importing.measurements import Measurements, one_row
from lab.importing.mtj_file_names import width_of
from lab.importing.text_table import check_resistances, check_unit, numeric_columns, read_table


@dataclass(frozen=True, kw_only=True)
class PulseSweepParameters:
    """What the name of the file does not say."""

    width: Seconds | None = None
    cell: int = 0


def read_pulse_sweep(path: Path, parameters: PulseSweepParameters) -> Measurements:
    """One pulse after the other, each with the resistance after it.

    Raises DataError for a file that makes no sense, ConfigurationError for a width that nobody
    said.
    """
    table = read_table(path).without_header()
    volts, after = numeric_columns(table, ("V [V]", "R after [Ohm]")).T
    check_resistances(table, "R after", after)
    check_unit(table, "V", volts, 1e-3, 20.0, "volts")
    sign, note = _polarity(volts, after)
    train = PulseTrain(
        cell=parameters.cell,
        part=0,
        amplitude=sign * volts,
        width=np.full(len(volts), width_of(path, parameters.width)),
        pulses=np.ones(len(volts), np.int64),
        conductance=1 / after,
        read_amplitude=math.nan,
        outcome="pulse sweep",
    )
    return Measurements(
        technology="mtj",
        geometry=one_row(parameters.cell + 1),
        records=(train,),
        details={"sign": sign},
        notes=(note,) if note else (),
    )


def _polarity(volts: NDArray[np.float64], after: NDArray[np.float64]) -> tuple[int, str]:
    """1 if positive pulses write LOW, as ours do, else -1 and a remark."""
    strong = np.abs(volts) >= 0.9 * np.abs(volts).max()
    positive, negative = after[strong & (volts > 0)], after[strong & (volts < 0)]
    if len(positive) and len(negative) and np.median(positive) > np.median(negative):
        return -1, (
            "Positive pulses write HIGH in this file; they are stored as negative ones, since a "
            "positive pulse writes LOW here."
        )
    return 1, ""
