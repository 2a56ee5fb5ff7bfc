"""What `iv-sweep` and `write-error-rate` say of HfOx cells: `lab.fits.HFOX_RECIPES` leads here."""

from collections.abc import Sequence

import numpy as np

from analysis.distribution_free_intervals import median_interval
from analysis.intervals import clopper_pearson
from analysis.switching_voltage import median_voltage, reset_voltage, set_voltage
from crossbar.errors import DataError
from crossbar.estimate import Estimate
from crossbar.pulses import State
from crossbar.records import PulseTrain, WerPoint
from crossbar.units import Ratio, format_quantity
from db.rows import FitRow, RunRow

CONFIDENCE: Ratio = 0.95
WINDOW: Ratio = 1.15
"""LOW conducts at least this times HIGH, or a cell has no window to tell voltages by."""


def switching_voltage_fits(trains: Sequence[PulseTrain], row: RunRow) -> list[FitRow]:
    """Medians over the cells that switch, then SET and RESET voltage and both resistances of each.

    Raises DataError if no cell has a train of either direction and a window.
    """
    by_part = {(train.cell, train.part): train for train in trains}
    cells = sorted({cell for cell, part in by_part if (cell, 1 - part) in by_part})
    found = {}
    for cell in cells:
        rising, falling = by_part[cell, 0], by_part[cell, 1]
        if falling.conductance[0] > WINDOW * max(rising.conductance[0], 0.0):
            found[cell] = set_voltage(rising), reset_voltage(falling)
    if not found:
        raise DataError(
            f"None of {len(cells)} cells with pulses in both directions has a window. Form them "
            "(lab run forming), and set switching_stop of iv-sweep."
        )
    low = {cell: 1 / by_part[cell, 1].conductance[0] for cell in found}
    high = {cell: 1 / max(by_part[cell, 0].conductance[0], 1e-15) for cell in found}
    medians = {
        "set_voltage": median_voltage([pair[0] for pair in found.values()], CONFIDENCE),
        "reset_voltage": median_voltage([pair[1] for pair in found.values()], CONFIDENCE),
        "low_resistance": median_interval(np.array(list(low.values())), CONFIDENCE),
        "high_resistance": median_interval(np.array(list(high.values())), CONFIDENCE),
    }
    supposed = {"cells": float(len(found)), "left_out": float(len(cells) - len(found))}
    rows = [FitRow(kind="medians over cells", parameters=medians, assumptions=supposed)]
    for cell, (sets, resets) in found.items():
        own = {
            "set_voltage": sets,
            "reset_voltage": resets,
            "low_resistance": Estimate.alone(low[cell]),
            "high_resistance": Estimate.alone(high[cell]),
        }
        whole = all(np.isfinite(each.high) for each in (sets, resets))
        rows.append(FitRow(kind="SET and RESET", cell=cell, parameters=own, converged=whole))
    return rows


def write_error_fits(points: Sequence[WerPoint], row: RunRow) -> list[FitRow]:
    """No model: for each direction the rate of all attempts at a pulse over all cells, and those of
    each cell, with Clopper and Pearson's intervals. Raises DataError without a valid attempt.
    """
    counted = [point for point in points if point.attempts]
    if not counted:
        raise DataError("None of the write-error points has a valid attempt; nothing to tell.")
    rows = []
    for target in State:
        here = [point for point in counted if point.target is target]
        for cell in (None, *sorted({point.cell for point in here})):
            own = [point for point in here if cell in (None, point.cell)]
            if own:
                kind = "write errors, all attempts" if cell is None else "write errors"
                rows.append(FitRow(kind=kind, cell=cell, target=target, parameters=_rates(own)))
    return rows


def _rates(points: Sequence[WerPoint]) -> dict[str, Estimate]:
    """By pulse."""
    pulses = sorted({(abs(point.amplitude), point.width) for point in points})
    found = {}
    for volts, width in pulses:
        here = [p for p in points if (abs(p.amplitude), p.width) == (volts, width)]
        errors, attempts = sum(p.errors for p in here), sum(p.attempts for p in here)
        ends = clopper_pearson(errors, attempts, CONFIDENCE)
        name = f"{format_quantity(volts, 'V')} {format_quantity(width, 's')}"
        found[name] = Estimate.of(errors / attempts, *ends)
    return found
