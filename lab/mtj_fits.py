"""Fits after the protocols beside the write error rate; lines of `lab.fits.RECIPES` lead here."""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, TypeVar

import numpy as np

from crossbar.errors import DataError
from crossbar.estimate import Estimate
from crossbar.records import ArrayMapBlock, PulseTrain, VoltageSweep, WerPoint
from crossbar.units import format_quantity
from db.rows import FitRow, RunRow

CONFIDENCE = 0.95
T = TypeVar("T")


def boundary_fits(points: Sequence[WerPoint], row: RunRow) -> list[FitRow]:
    """V_50 at each width of every cell and direction, and the boundary through them."""
    from analysis.phase_boundary import boundary, half_point

    fits = []
    for (cell, target), here in _grouped(points, lambda point: (point.cell, point.target)):
        widths = _grouped(here, lambda point: point.width)
        halves = [_or_none(half_point, list(at), CONFIDENCE) for _, at in widths]
        found = [half for half in halves if half is not None]
        parameters = {f"v50 at {format_quantity(half.width, 's')}": half.volts for half in found}
        if len(found) > 1:
            line = boundary(found, CONFIDENCE)
            parameters |= {
                "vc0": line.vc0,
                "t0": line.t0,
                "misfit": Estimate.alone(line.misfit),
            }
        fits.append(
            FitRow(
                kind="phase boundary",
                cell=cell,
                target=target,
                parameters=parameters,
                converged=len(found) > 1,
            )
        )
    return fits


def disturb_fits(points: Sequence[WerPoint], row: RunRow) -> list[FitRow]:
    """The rate of disturbs at each voltage of every cell and direction, and delta and V_c0 of the
    switching model where the counts tell delta from both sides. Imports torch.
    """
    from analysis.disturb_rate import disturb_rate
    from analysis.switching_counts import gather_counts
    from analysis.switching_fit import fit_switching
    from lab.fits import analysis_of_run

    exponent = float(analysis_of_run(row).get("barrier_exponent", 2.0))
    model = fit_switching(gather_counts(points), CONFIDENCE, exponent)
    fitted = {
        (int(cell), target): place
        for place, (cell, target) in enumerate(zip(model.cells, model.targets, strict=True))
    }
    fits = []
    for (cell, target), here in _grouped(points, lambda point: (point.cell, point.target)):
        parameters = {}
        for voltage, at in _grouped(here, lambda point: abs(point.amplitude)):
            name = f"rate at {format_quantity(voltage, 'V')}"
            parameters[name] = disturb_rate(list(at), CONFIDENCE)
        place = fitted[cell, target]
        told = model.low[place, 0] > 0 and np.isfinite(model.high[place, 0])
        for column, name in enumerate(("delta", "vc0") if told else ()):
            ends = (side[place, column] for side in (model.estimate, model.low, model.high))
            parameters[name] = Estimate.of(*ends)
        supposed = {"barrier_exponent": exponent}
        fits.append(
            FitRow(
                kind="read disturb",
                cell=cell,
                target=target,
                parameters=parameters,
                assumptions=supposed,
            )
        )
    return fits


def junction_fits(sweeps: Sequence[VoltageSweep], row: RunRow) -> list[FitRow]:
    """r_p, TMR and v_half of every cell that was swept in both states."""
    from analysis.iv_fit import fit_junction

    by_part = {(sweep.cell, sweep.part): sweep for sweep in sweeps}
    fits = []
    for cell in sorted({sweep.cell for sweep in sweeps}):
        if (cell, 0) not in by_part or (cell, 1) not in by_part:
            continue
        found = _or_none(fit_junction, by_part[cell, 0], by_part[cell, 1], CONFIDENCE)
        parameters = {}
        if found is not None:
            parameters = {
                "r_p": found.r_p,
                "tmr": found.tmr,
                "v_half": found.v_half,
                "noise": Estimate.alone(found.noise),
            }
        known = found is not None
        fits.append(FitRow(kind="junction", cell=cell, parameters=parameters, converged=known))
    return fits


def breakdown_fits(trains: Sequence[PulseTrain], row: RunRow) -> list[FitRow]:
    """Median and spread of the breakdown amplitude, log-normal and Weibull: the more likely one
    describes the cells better.
    """
    from analysis.breakdown_distribution import breakdown_fit

    fits = []
    for distribution in ("log-normal", "Weibull"):
        found = breakdown_fit(trains, distribution, CONFIDENCE)
        parameters = {"median": found.median, "spread": found.spread}
        fits.append(
            FitRow(
                kind=f"breakdown, {distribution}",
                parameters=parameters,
                log_likelihood=found.log_likelihood,
                assumptions={"distribution": distribution},
            )
        )
    return fits


def array_fits(blocks: Sequence[ArrayMapBlock], row: RunRow) -> list[FitRow]:
    """Median and cell-to-cell spread of both states over the die's healthy cells."""
    from analysis.array_statistics import state_statistics
    from analysis.classification import classify
    from lab.fits import wafer_of_run

    wafer = wafer_of_run(row)
    shape = (wafer["subarrays"], wafer["word_lines"], wafer["bit_lines"])
    ordered = sorted(blocks, key=lambda block: block.first_cell)
    low, high, clamped = (
        np.concatenate([getattr(block, name) for block in ordered])
        for name in ("low", "high", "in_compliance")
    )
    if low.size != np.prod(shape):
        raise DataError(f"{low.size} of {np.prod(shape)} cells are read; finish the array map.")
    found = classify(low.reshape(shape), high.reshape(shape), in_compliance=clamped.reshape(shape))
    parameters = {}
    for state in ("low", "high"):
        statistics = state_statistics([found], state, CONFIDENCE)
        parameters[f"{state} median"] = statistics.median
        parameters[f"{state} spread"] = statistics.cell_to_cell
    return [FitRow(kind="array map", parameters=parameters)]


def _grouped(
    points: Sequence[WerPoint], key: Callable[[WerPoint], Any]
) -> list[tuple[Any, list[WerPoint]]]:
    """Points with attempts by their key, in its order; states count as their words."""

    def sortable(point: WerPoint) -> Any:
        found = key(point)
        return (found[0], found[1].value) if isinstance(found, tuple) else found

    ordered = sorted((point for point in points if point.attempts), key=sortable)
    return [
        (key(group[0]), group) for _, each in groupby(ordered, sortable) if (group := list(each))
    ]


def _or_none(fit: Callable[..., T], *given: Any) -> T | None:
    """What a fit finds, or None for a cell whose records do not suffice."""
    try:
        return fit(*given)
    except DataError:
        return None
