"""Fits of pulse trains and read traces that describe the cells of a die together.

Each makes one row of `db.rows.FitRow`: parameters with intervals, and as checks what the cells
contradict, with a p-value. What they need is imported where they are made: see `lab.fits`.
"""

import logging
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from crossbar.errors import DataError
from crossbar.estimate import Estimate
from crossbar.pulses import State
from crossbar.records import PulseTrain, ReadTrace
from crossbar.units import Ratio
from db.rows import Check, FitRow, RunRow

logger = logging.getLogger(__name__)

FALSE_ALARMS: Ratio = 0.01
"""A claim counts as contradicted below this p-value."""
SEED = 0
"""Of the bootstraps: the same records have the same intervals."""
Values = NDArray[np.float64]


def cycling_fits(trains: Sequence[PulseTrain], row: RunRow) -> list[FitRow]:
    """Both states of many cells over their cycles. Raises DataError if they do not suffice."""
    from analysis.cycling_statistics import FAILED, cycling_statistics

    cells = sorted({train.cell for train in trains})
    readings = [both_states(trains, cell, row) for cell in cells]
    shortest = min(len(low) for low, _ in readings)
    low, high = (np.stack([pair[side][:shortest] for pair in readings]) for side in (0, 1))
    found = cycling_statistics(low, high, np.random.default_rng(SEED))
    checks = {name: _check(p_value) for name, p_value in found.p_values.items()}
    shares = {f"{name}_cells": ratio for name, ratio in found.rejected.items()}
    supposed = {"failed_below": FAILED} | shares
    return [
        FitRow(kind="cycling", parameters=found.parameters, assumptions=supposed, checks=checks)
    ]


def checkpoint_fits(trains: Sequence[PulseTrain], row: RunRow) -> list[FitRow]:
    """How many windows of cycled cells are closed (with Clopper-Pearson's interval), and medians
    and spreads of the cells that follow, where enough do: a row a checkpoint.
    """
    from analysis.cycled_states import cycled_states
    from analysis.intervals import clopper_pearson

    fits, cycles = [], 0
    for part in sorted({train.part for train in trains}):
        here = [train for train in trains if train.part == part]
        cycles += int(here[0].pulses[0])
        closed = sum(train.outcome == "closed window" for train in here)
        ends = clopper_pearson(closed, len(here))
        parameters = {"closed_windows": Estimate.of(closed / len(here), *ends)}
        assumed: dict[str, float] = {}
        readings = np.array([train.conductance for train in here])
        try:
            found = cycled_states(readings[:, 0], readings[:, 1])
        except DataError as error:  # the broken cells are what there is to tell
            logger.warning("After %d cycles: %s", cycles, error)
        else:
            assumed = {"cells": float(found.cells), "left_out": float(found.left_out)}
            for name in ("low_median", "low_spread", "high_median", "high_spread"):
                parameters[name] = getattr(found, name)
        kind = f"after {cycles} cycles"
        fits.append(FitRow(kind=kind, parameters=parameters, assumptions=assumed))
    return fits


def endurance_fits(trains: Sequence[PulseTrain], row: RunRow) -> list[FitRow]:
    """When each cell's window closed for good. Raises DataError for too few checkpoints."""
    from analysis.cycling_statistics import FAILED
    from analysis.end_of_life import end_of_life

    fits = []
    for cell in sorted({train.cell for train in trains}):
        low, high = both_states(trains, cell, row)
        pulses = np.concatenate([train.pulses[1::2] for train in trains if train.cell == cell])
        found = end_of_life(np.cumsum(pulses).astype(np.float64), high < FAILED * low)
        others = {"before": found.before, "after": found.after, "last_open": found.last_open}
        whole = {"cycles": found.cycles}
        whole |= {name: Estimate.alone(value) for name, value in others.items()}
        supposed = {"failed_below": FAILED}
        fits.append(FitRow(kind="end of life", cell=cell, parameters=whole, assumptions=supposed))
    return fits


def reset_sweep_fits(trains: Sequence[PulseTrain], row: RunRow) -> list[FitRow]:
    """Where RESET begins, and how it grows. Raises DataError if no train is such a sweep."""
    from analysis.reset_sweeps import ONSET, steps_of, sweep_statistics

    found = sweep_statistics(steps_of(trains), np.random.default_rng(SEED))
    assumed = {"onset_at": ONSET, "law_from": found.law[0], "law_to": found.law[1]}
    return [
        FitRow(
            kind="RESET sweeps",
            parameters=found.parameters,
            assumptions=assumed,
            checks={"e-fold law": _check(found.p_value)},
        )
    ]


def train_fits(trains: Sequence[PulseTrain], row: RunRow) -> list[FitRow]:
    """Trains of which nobody said what they are: RESET sweeps if they look it, else cycling."""
    try:
        return reset_sweep_fits(trains, row)
    except DataError:
        return cycling_fits(trains, row)


def drift_fits(traces: Sequence[ReadTrace], row: RunRow) -> list[FitRow]:
    """How cells that were left alone drift, a row a state. Raises DataError if they are too few."""
    from analysis.drift import drift_statistics

    fits = []
    for state in State:
        of_state = [trace for trace in traces if trace.state is state]
        if not of_state:
            continue
        shortest = min(len(trace.conductance) for trace in of_state)
        conductance = np.stack([trace.conductance[:shortest] for trace in of_state])
        found = drift_statistics(conductance, np.random.default_rng(SEED))
        checks = {"power law": _check(found.p_value)}
        assumed = {"power_law_cells": found.rejected}
        fits.append(
            FitRow(
                kind="drift",
                target=state,
                parameters=found.parameters,
                assumptions=assumed,
                checks=checks,
            )
        )
    return fits


def both_states(trains: Sequence[PulseTrain], cell: int, row: RunRow) -> tuple[Values, Values]:
    """A cell's LOW and HIGH resistances, cycle by cycle, as the signs of the pulses have it, or,
    where those are unknown, the order that was said on importing.
    """
    own = sorted((train for train in trains if train.cell == cell), key=lambda train: train.part)
    conductance = np.concatenate([train.conductance for train in own])
    amplitude = np.concatenate([train.amplitude for train in own])
    is_low = amplitude > 0
    if np.isnan(amplitude).all():
        first_is_low = row.parameters.get("first_state") == State.LOW.value
        is_low = np.arange(len(amplitude)) % 2 == (0 if first_is_low else 1)
    low, high = conductance[is_low], conductance[~is_low]
    if len(low) != len(high) or not len(low) or not np.all(conductance > 0):
        raise DataError(
            f"Cell {cell} was read {len(low)} times LOW and {len(high)} times HIGH; cycling takes "
            "as many of both, and positive conductances."
        )
    return 1 / low, 1 / high


def _check(p_value: float) -> Check:
    return Check(p_value=p_value, flagged=bool(p_value < FALSE_ALARMS))
