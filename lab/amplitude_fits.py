"""The fits of an adaptive write error rate: what was wanted of every cell, beside its switching,
and whether its check attempts agree.
"""

from collections.abc import Sequence
from dataclasses import replace

from analysis.amplitude_check import AmplitudeCheck, check_amplitudes
from analysis.amplitude_density import AmplitudeForWer, Observed, observed_points
from analysis.amplitude_interval import AmplitudeFits, fit_amplitudes, is_extrapolated
from analysis.switching_counts import gather_counts
from crossbar.estimate import Estimate
from crossbar.pulses import State
from crossbar.records import WerPoint
from db.rows import Check, FitRow, RunRow
from lab.fits import analysis_of_run, switching_fits
from lab.parameters import build
from protocols.adaptive_write_error_rate import CHECK, AdaptiveWriteErrorRateParameters

LOWEST_RATE = "lowest rate counted"
PLACES = ("at the amplitude", "above it")
"""Where check attempts are made, in their order."""


def amplitude_fits(points: Sequence[WerPoint], row: RunRow) -> list[FitRow]:
    """The amplitude for every rate that the run asks for, then delta, V_c0 and tau_D; of every cell
    and direction, with the same checks; then what the check attempts say, which none of these
    knows. Imports torch.
    """
    checks = [point for point in points if point.stopped_by == CHECK]
    points = [point for point in points if point.stopped_by != CHECK]
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
                **{
                    parameter_name(quantity): Estimate.of(
                        fits.estimate[place], fits.low[place], fits.high[place]
                    )
                    for quantity, fits in found
                },
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
    held = check_fits(checks, (seen, found[0][1], quantities[0]), wanted) if checks else []
    return wanted + switching + held


def check_fits(
    checks: Sequence[WerPoint],
    fitted: tuple[Observed, AmplitudeFits, AmplitudeForWer],
    wanted: Sequence[FitRow],
) -> list[FitRow]:
    """The rates of the check attempts of every pair that has any, beside those that its fit says,
    and whether they agree; the false alarms are those of all pairs together.
    """
    by_pair: dict[tuple[int | None, State | None], list[WerPoint]] = {}
    for point in sorted(checks, key=lambda each: abs(each.amplitude)):
        by_pair.setdefault((point.cell, point.target), []).append(point)
    own = [by_pair.get((row.cell, row.target), []) for row in wanted]
    supposed = {"false_alarm_rate": float(wanted[0].assumptions["false_alarm_rate"])}
    found = check_amplitudes(*fitted, observed_points(own), supposed["false_alarm_rate"])
    return [
        replace(
            row,
            kind="check",
            parameters=_check_parameters(own[place], found, place),
            assumptions=supposed,
            checks={"prediction": _verdict(float(found.p_value[place]), **supposed)},
        )
        for place, row in enumerate(wanted)
        if own[place]
    ]


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


def _check_parameters(
    points: Sequence[WerPoint], found: AmplitudeCheck, place: int
) -> dict[str, Estimate]:
    """By where: volts, the rate counted (NaN without valid attempts), and the rate predicted."""
    parameters: dict[str, Estimate] = {}
    for column, (where, point) in enumerate(zip(PLACES, points, strict=False)):
        rate = point.errors / point.attempts if point.attempts else float("nan")
        predicted = (ends[place, column] for ends in (found.predicted, found.low, found.high))
        parameters |= {
            f"volts {where}": Estimate.alone(abs(point.amplitude)),
            f"rate {where}": Estimate.of(rate, point.interval_low, point.interval_high),
            f"predicted {where}": Estimate.of(*predicted),
        }
    return parameters


def _verdict(p_value: float, false_alarm_rate: float) -> Check:
    return Check(p_value=p_value, flagged=p_value < false_alarm_rate)
