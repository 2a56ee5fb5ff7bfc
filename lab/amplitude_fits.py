"""The fits of an adaptive write error rate: what was wanted of every cell, beside its switching."""

from collections.abc import Sequence
from dataclasses import replace

from analysis.amplitude_interval import AmplitudeFits, fit_amplitudes, is_extrapolated
from analysis.switching_counts import gather_counts
from analysis.switching_posterior import AmplitudeForWer, Observed
from crossbar.pulses import State
from crossbar.records import WerPoint
from db.rows import Estimate, FitRow, RunRow
from lab.fits import analysis_of_run, switching_fits
from lab.parameters import build
from protocols.adaptive_write_error_rate import AdaptiveWriteErrorRateParameters

LOWEST_RATE = "lowest rate counted"


def amplitude_fits(points: Sequence[WerPoint], row: RunRow) -> list[FitRow]:
    """The amplitude for every rate that the run asks for, then delta, V_c0 and tau_D; of every cell
    and direction, with the same checks. Imports torch.
    """
    parameters = build(AdaptiveWriteErrorRateParameters, (f"run {row.id}", row.parameters))
    switching = switching_fits(points, row)
    exponent = float(analysis_of_run(row).get("barrier_exponent", 2.0))
    quantities = [replace(each, barrier_exponent=exponent) for each in parameters.quantities]
    counts = gather_counts(points)
    seen = Observed.of(counts)
    found = [
        (quantity, fit_amplitudes(seen, quantity, parameters.confidence)) for quantity in quantities
    ]
    beyond = [is_extrapolated(seen, fits, quantity) for quantity, fits in found]
    lowest = lowest_rates(points)
    pairs = zip(counts.cells.tolist(), counts.targets, switching, strict=True)
    wanted = [
        FitRow(
            cell=cell,
            target=target,
            kind="amplitude",
            parameters={
                **{parameter_name(quantity): _estimate(fits, place) for quantity, fits in found},
                LOWEST_RATE: lowest[cell, target],
            },
            log_likelihood=float(found[0][1].log_likelihood[place]),
            converged=bool(found[0][1].converged[place]),
            assumptions={
                **same.assumptions,
                "width": parameters.width,
                "extrapolated": ", ".join(
                    f"{quantity.wer:g}"
                    for (quantity, _), rests in zip(found, beyond, strict=True)
                    if rests[place]
                ),
            },
            checks=same.checks,
        )
        for place, (cell, target, same) in enumerate(pairs)
    ]
    return wanted + switching


def parameter_name(quantity: AmplitudeForWer) -> str:
    """What the amplitude for a rate is called in the database."""
    return f"amplitude at {quantity.wer:g}"


def lowest_rates(points: Sequence[WerPoint]) -> dict[tuple[int, State], Estimate]:
    """By cell and target, the smallest error rate that was counted: what an extrapolation leaps
    from, without any model.
    """
    lowest: dict[tuple[int, State], WerPoint] = {}
    for point in sorted(points, key=lambda each: each.interval_high):
        if point.attempts:
            lowest.setdefault((point.cell, point.target), point)
    return {
        key: Estimate(
            estimate=point.errors / point.attempts,
            low=point.interval_low,
            high=point.interval_high,
        )
        for key, point in lowest.items()
    }


def _estimate(fits: AmplitudeFits, place: int) -> Estimate:
    low, estimate, high = (float(values[place]) for values in (fits.low, fits.estimate, fits.high))
    return Estimate(estimate=estimate, low=low, high=high)
