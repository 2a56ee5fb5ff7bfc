"""What follows from the trains of `protocols.weak_reset`: rows of the database for every condition.

For each amplitude and width: every cell's parameters, the distributions over the cells, and the
parts of the spread of ln R; then, over all conditions, how m1 grows with the pulse.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from crossbar.errors import DataError
from crossbar.estimate import Estimate
from crossbar.records import PulseTrain
from crossbar.units import Ratio, format_quantity
from db.rows import Check, FitRow, RunRow

if TYPE_CHECKING:
    from analysis.weak_reset_fit import WeakResetFits

CONFIDENCE: Ratio = 0.95


def weak_reset_fits(trains: Sequence[PulseTrain], row: RunRow) -> list[FitRow]:
    """All of a die's fits. Raises DataError if there are no trains, or too few cells."""
    from analysis.weak_reset_fit import fit_weak_reset
    from analysis.weak_reset_population import pulse_scaling
    from analysis.weak_reset_trains import gather_trains
    from lab.fits import analysis_of_run

    rate = float(analysis_of_run(row).get("false_alarm_rate", 0.01))
    found = [fit_weak_reset(condition, CONFIDENCE) for condition in gather_trains(trains)]
    rows = [row for fits in found for row in die_rows(fits, rate)]
    if len(found) > 1:
        scaling = pulse_scaling(found, CONFIDENCE)
        parameters = {"e_fold": scaling.e_fold, "width_exponent": scaling.width_exponent}
        known = {n: part for n, part in parameters.items() if np.isfinite(part.estimate)}
        if known:
            cells = {"cells": scaling.cells}
            rows.append(FitRow(kind="weak reset scaling", parameters=known, assumptions=cells))
    return rows + [row for fits in found for row in cell_rows(fits, rate)]


def cell_rows(fits: "WeakResetFits", rate: Ratio) -> list[FitRow]:
    """Each cell's own parameters, and whether its readings contradict the model."""
    rows = []
    for place, cell in enumerate(fits.trains.cells):
        values = {
            name: Estimate.of(getattr(fits, name)[place], *getattr(fits, f"{name}_interval")[place])
            for name in ("m1", "t_star", "m2")
        }
        p_value = float(fits.misfit[place])
        rows.append(
            FitRow(
                cell=int(cell),
                kind=f"weak reset cells {_pulse(fits)}",
                parameters=values,
                log_likelihood=float(fits.log_likelihood[place]),
                assumptions={"false_alarm_rate": rate},
                checks={"misfit": Check(p_value=p_value, flagged=p_value < rate)},
            )
        )
    return rows


def die_rows(fits: "WeakResetFits", rate: Ratio) -> list[FitRow]:
    """The distributions over the cells, and the parts of the spread at the end of the trains."""
    from analysis.weak_reset_population import fit_population, separate_parts

    try:
        population = fit_population(fits, CONFIDENCE)
        parts = separate_parts(fits, confidence=CONFIDENCE)
    except DataError:
        return []  # too few cells for distributions; their own parameters stand

    def of_family(name: str, of: str, power: bool = False) -> Estimate:
        family = getattr(population, of)
        ends = (family.estimate[name], *family.interval[name])
        return Estimate.of(*(np.exp(x) if power else x for x in ends))

    start = population.start.mean
    parameters = {
        "m1_scale": of_family("scale", "m1"),
        "m1_location": of_family("location", "m1"),
        "t_star_median": of_family("mean", "log_t_star", power=True),
        "t_star_spread": of_family("sd", "log_t_star"),
        "m2_scale": of_family("scale", "m2"),
        "r0_median": Estimate.of(*(np.exp(x) for x in (start.estimate, start.low, start.high))),
    }
    checks = {
        name: Check(p_value=p_value, flagged=p_value < rate)
        for name, p_value in (
            ("m1 exponential", population.m1.goodness),
            ("t_star log-normal", population.log_t_star.goodness),
            ("m2 exponential", population.m2.goodness),
        )
    }
    shares = {
        name: getattr(parts, name)
        for name in ("progress", "cell_to_cell", "start_cell_to_cell", "cycle_to_cycle", "noise")
    }
    cells = {"cells": len(fits.trains.cells)}
    return [
        FitRow(
            kind=f"weak reset {_pulse(fits)}",
            parameters=parameters,
            assumptions=cells,
            checks=checks,
        ),
        FitRow(
            kind=f"weak reset parts {_pulse(fits)}",
            parameters=shares,
            assumptions=cells | {"pulses": parts.pulses},
        ),
    ]


def _pulse(fits: "WeakResetFits") -> str:
    trains = fits.trains
    return f"{trains.amplitude:.4g} V {format_quantity(trains.width, 's')}"
