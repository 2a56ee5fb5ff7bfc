"""MTJ: every shot at one condition, as JinChengZ18/vgsot-sim keeps them.

Tab separated, no header: trial, R before [Ohm], R after [Ohm], switched (0 or 1). The condition
stands in the file's name (`lab.importing.mtj_file_names`).
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crossbar.errors import ConfigurationError
from crossbar.pulses import State
from crossbar.records import PulseTrain
from crossbar.units import Seconds, Volts
from lab.importing.measurements import Measurements, one_row
from lab.importing.mtj_file_names import magnitude_of, width_of
from lab.importing.text_table import check_resistances, numeric_columns, read_table
from lab.importing.wer_counts import Condition, Count, wer_point


@dataclass(frozen=True, kw_only=True)
class ShotsParameters:
    """What the name of the file does not say."""

    amplitude: Volts | None = None
    """Magnitude of the pulse."""
    width: Seconds | None = None
    target: State | None = None
    """What the pulses aimed at; needed only where no shot switched."""
    cell: int = 0


def read_shots(path: Path, parameters: ShotsParameters) -> Measurements:
    """Shots at one condition: their count, and every reading.

    A shot whose reading before is that of the state aimed at is rejected. Raises DataError for a
    file that makes no sense, ConfigurationError for a condition that nobody said.
    """
    table = read_table(path).without_header()
    names = ("trial", "R before [Ohm]", "R after [Ohm]", "switched")
    _, before, after, flags = numeric_columns(table, names).T
    check_resistances(table, "R before", before)
    check_resistances(table, "R after", after)
    for line, flag in zip(table.lines, flags, strict=True):
        if flag not in (0, 1):
            raise table.refusal(line, f"switched is {flag:g}; expected 0 or 1.")
    switched = flags == 1
    width = width_of(path, parameters.width)
    magnitude = magnitude_of(path, parameters.amplitude)
    target = _target(path, parameters.target, before, after, switched)
    valid, notes = _verified(before, after, switched)
    condition = Condition(cell=parameters.cell, target=target, magnitude=magnitude, width=width)
    attempts = int(np.count_nonzero(valid))
    errors = int(np.count_nonzero(valid & ~switched))
    rejected = len(flags) - attempts
    point = wer_point(condition, Count(attempts=attempts, errors=errors, rejected=rejected))
    # A reading alone, then the pulse; what restored the state in between is not in the file.
    given = np.tile([False, True], len(flags))
    train = PulseTrain(
        cell=parameters.cell,
        part=0,
        amplitude=np.where(given, target.write_sign * magnitude, np.nan),
        width=np.where(given, width, np.nan),
        pulses=given.astype(np.int64),
        conductance=1 / np.stack([before, after], axis=1).ravel(),
        read_amplitude=math.nan,
        outcome="shots",
    )
    return Measurements(
        technology="mtj",
        geometry=one_row(parameters.cell + 1),
        records=(point, train),
        notes=notes,
    )


def _target(
    path: Path,
    said: State | None,
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    switched: NDArray[np.bool_],
) -> State:
    """The state aimed at: where the switched shots went."""
    if switched.any():
        return State.HIGH if np.median(after[switched]) > np.median(before) else State.LOW
    if said is None:
        raise ConfigurationError(
            f"{path}: no shot switched, so that the file does not show what the pulses aimed at. "
            "Say it: --set target=low or --set target=high."
        )
    return said


def _verified(
    before: NDArray[np.float64], after: NDArray[np.float64], switched: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """Which shots began in the state that most began in, and a remark on flags that disagree."""
    if not switched.any():
        return np.ones_like(switched), ()
    threshold = (float(np.median(before)) + float(np.median(after[switched]))) / 2
    began = (before > threshold) == (np.median(before) > threshold)
    contrary = np.count_nonzero(((before > threshold) != (after > threshold)) != switched)
    notes = []
    if contrary:
        notes.append(
            f"{contrary} shots are flagged otherwise than their resistances say, with "
            f"{threshold:.4g} Ohm between the states; the flags are taken."
        )
    if rejected := np.count_nonzero(~began):
        notes.append(f"{rejected} shots did not begin in the initial state and are rejected.")
    return began, tuple(notes)
