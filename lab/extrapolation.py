"""The amplitude for a write error rate beyond what was counted, with its interval and its grounds.

Two kinds of grounds: the switching model, whose amplitude and interval come from all widths
together (`analysis.amplitude_interval`), and four curves fitted at the one width alone
(`analysis.amplitude_curves`), which know no mechanism. What the counts contradict (p below 5 %) is
shown and not counted into the envelope.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.amplitude_curves import envelope, fit_curves
from analysis.amplitude_density import AmplitudeForWer
from analysis.amplitude_interval import fit_amplitudes
from analysis.switching_counts import SwitchingCounts, gather_counts
from crossbar.errors import DataError
from crossbar.estimate import Estimate
from crossbar.geometry import DieAddress
from crossbar.records import WerPoint
from crossbar.units import Ratio, Seconds, format_quantity
from db.rows import Check, FitRow
from db.store import Store

LEVEL: Ratio = 0.05
"""A model counts as contradicted below this p-value."""
SWITCHING = "switching model"
ENVELOPE = "all that fit"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The rate that is asked for, and at which widths; none means all that were measured."""

    wer: Ratio
    width: Seconds | None = None


def extrapolations(store: Store, run: int, wanted: Wanted) -> dict[DieAddress, list[FitRow]]:
    """Amplitudes for the wanted rate, by die; stored as fits of a kind of their own.

    Raises DataError if the run counted no write errors, or none at the width.
    """
    row = store.run(run)
    found: dict[DieAddress, list[FitRow]] = {}
    for die in row.dies:
        points = [p for p in store.wer_points(row.wafer_id, die, run_id=run) if p.attempts]
        if points:
            found[die] = extrapolate(points, wanted)
            store.save_fits(run, die, found[die])
    if not any(found.values()):
        at = "" if wanted.width is None else f" at {format_quantity(wanted.width, 's')}"
        raise DataError(
            f"Run {run} counted no write errors{at} that make a curve (three amplitudes with "
            "errors and successes); nothing to extrapolate."
        )
    return found


def extrapolate(points: Sequence[WerPoint], wanted: Wanted) -> list[FitRow]:
    """A row for each cell, direction and width whose counts make a curve."""
    counts = gather_counts(points)
    widths = sorted(set(counts.width[counts.attempts > 0].tolist()))
    chosen = [w for w in widths if wanted.width is None or abs(w / wanted.width - 1) < 1e-6]
    return [
        row
        for width in chosen
        for place in range(len(counts.cells))
        if (row := _at_width(counts, place, width, wanted.wer)) is not None
    ]


def _at_width(counts: SwitchingCounts, place: int, width: Seconds, wer: Ratio) -> FitRow | None:
    """One cell and direction; None where its counts make no curve."""
    here = (counts.width[place] == width) & (counts.attempts[place] > 0)
    amplitude = counts.amplitude[place][here]
    tried, wrong = counts.attempts[place][here], counts.errors[place][here]
    try:
        # A fixed seed: the same counts have the same p-values.
        curves = fit_curves(amplitude, tried, wrong, wer, np.random.default_rng(0))
    except DataError:
        return None
    parameters = {
        fit.curve.name: Estimate(estimate=fit.amplitude, low=fit.low, high=fit.high)
        for fit in curves
    }
    checks = {
        fit.curve.name: Check(p_value=fit.p_value, flagged=fit.p_value < LEVEL) for fit in curves
    }
    ends = [envelope(curves, LEVEL)]
    model = _by_switching_model(counts, place, AmplitudeForWer(wer=wer, width=width))
    if model is not None:
        parameters[SWITCHING], checks[SWITCHING] = model
        if not checks[SWITCHING].flagged:
            ends.append((parameters[SWITCHING].low, parameters[SWITCHING].high))
    low, high = np.array(ends).T
    if not np.isnan(low).all():
        low, high = np.nanmin(low), np.nanmax(high)
        parameters[ENVELOPE] = Estimate.of(float("nan"), low, high)
    return FitRow(
        cell=int(counts.cells[place]),
        target=counts.targets[place],
        kind=f"WER {wer:g} at {format_quantity(width, 's')}",
        parameters=parameters,
        log_likelihood=max(fit.log_likelihood for fit in curves),
        converged=ENVELOPE in parameters,
        assumptions={"wer": wer, "width": width, "level": LEVEL},
        checks=checks,
    )


def _by_switching_model(
    counts: SwitchingCounts, place: int, quantity: AmplitudeForWer
) -> tuple[Estimate, Check] | None:
    """The switching model's answer from all widths; None where its fit has no sound interval."""
    one = SwitchingCounts(
        cells=counts.cells[place : place + 1],
        targets=(counts.targets[place],),
        **{
            name: getattr(counts, name)[place : place + 1]
            for name in ("amplitude", "width", "attempts", "errors")
        },
    )
    found = fit_amplitudes(one, quantity)
    if not found.converged[0]:
        return None
    p_value = float(found.p_value[0])
    estimate = Estimate.of(found.estimate[0], found.low[0], found.high[0])
    return estimate, Check(p_value=p_value, flagged=p_value < LEVEL)
