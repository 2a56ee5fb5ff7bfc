"""What `lab run read-noise` and `lab run retention` find: fits for the database, all cells' too."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from analysis.distribution_free_intervals import median_interval
from analysis.intervals import clopper_pearson
from analysis.read_noise import ReadNoiseFit, fit_read_noise, reading_interval
from analysis.read_noise_spectrum import PARAMETERS as SPECTRUM
from analysis.read_noise_spectrum import relative
from analysis.retention_fit import (
    ATTEMPT_TIME,
    FEWEST,
    Flips,
    count_flips,
    drift_of_cells,
    fit_drift,
    flipped_cells,
)
from analysis.telegraph import FALSE_ALARMS
from analysis.telegraph import PARAMETERS as TELEGRAPH
from crossbar.errors import DataError
from crossbar.estimate import Estimate
from crossbar.pulses import State
from crossbar.records import ReadTrace, RetentionReading
from crossbar.units import Ratio
from db.rows import Check, FitRow, RunRow

CONFIDENCE: Ratio = 0.95
FEWEST_CELLS = 3
"""Fitted cells below which nothing is said of all."""


def read_noise_fits(traces: Sequence[ReadTrace], row: RunRow) -> list[FitRow]:
    """White, 1/f and telegraph noise of every cell and state, and of the cells of a state together.

    The surrogates of the telegraph rule are drawn by the run's number. A trace that says nothing
    has a fit that did not converge.
    """
    aperture = row.parameters.get("aperture")
    fits = _fits_of(traces, aperture, np.random.default_rng(row.id))
    rows = [_noise_row(traces[place], fit) for place, fit in enumerate(fits)]
    for state in State:
        of_state = [f for f, trace in zip(fits, traces, strict=True) if trace.state is state]
        rows += _noise_of_all(state, [fit for fit in of_state if fit is not None])
    return rows


def _fits_of(
    traces: Sequence[ReadTrace], aperture: float | None, generator: np.random.Generator
) -> list[ReadNoiseFit | None]:
    """The fit of each trace, or None for one that is too short or does not conduct. Those that are
    alike are fitted together, which is faster.
    """
    alike: dict[tuple[int, float], list[int]] = defaultdict(list)
    for place, trace in enumerate(traces):
        with suppress(DataError):
            relative(trace.conductance)
            alike[len(trace.conductance), reading_interval(trace.time)].append(place)
    fits: list[ReadNoiseFit | None] = [None] * len(traces)
    for (_, interval), places in alike.items():
        together = np.array([traces[place].conductance for place in places])
        found = fit_read_noise(
            together, interval, aperture, generator=generator, confidence=CONFIDENCE
        )
        for place, fit in zip(places, found, strict=True):
            fits[place] = fit
    return fits


def _noise_row(trace: ReadTrace, fit: ReadNoiseFit | None) -> FitRow:
    parameters: dict[str, Estimate] = {}
    checks = {}
    if fit is not None:
        found, noise = fit.telegraph, fit.spectrum
        parameters |= _estimates(SPECTRUM, noise.estimate, noise.low, noise.high)
        if found.is_telegraph:
            parameters |= _estimates(TELEGRAPH, found.estimate, found.low, found.high)
        checks["telegraph"] = Check(p_value=found.p_value, flagged=found.is_telegraph)
    return FitRow(
        cell=trace.cell,
        target=trace.state,
        kind="read noise",
        parameters=parameters,
        log_likelihood=np.nan if fit is None else fit.spectrum.log_likelihood,
        converged=fit is not None,
        assumptions={"false_alarm_rate": FALSE_ALARMS},
        checks=checks,
    )


def _noise_of_all(state: State, fits: Sequence[ReadNoiseFit]) -> list[FitRow]:
    """Medians over the cells, and the fraction that are telegraphs, false alarms among them."""
    if len(fits) < FEWEST_CELLS:
        return []
    values = np.array([fit.spectrum.estimate for fit in fits])
    parameters = {
        name: median_interval(values[:, column], CONFIDENCE) for column, name in enumerate(SPECTRUM)
    }
    telegraphs = sum(fit.telegraph.is_telegraph for fit in fits)
    ends = clopper_pearson(telegraphs, len(fits), CONFIDENCE)
    parameters["telegraphs"] = Estimate.of(telegraphs / len(fits), *ends)
    return [
        FitRow(
            kind="noise of all",
            target=state,
            parameters=parameters,
            assumptions={"false_alarm_rate": FALSE_ALARMS},
        )
    ]


def retention_fits(readings: Sequence[RetentionReading], row: RunRow) -> list[FitRow]:
    """Drift of every cell, drift and flips of all cells of a state."""
    ordered = sorted(readings, key=lambda reading: reading.step)
    time = np.array([reading.time for reading in ordered])
    conductance = np.array([reading.conductance for reading in ordered]).T
    cells, low = ordered[0].cells, ordered[0].written_low
    flipped = np.zeros(conductance.shape, dtype=np.bool_)
    if low.any() and not low.all():
        medians = [float(np.median(conductance[side, 0])) for side in (low, ~low)]
        middle = float(np.sqrt(max(medians[0] * medians[1], 0.0)))
        flipped = flipped_cells(conductance, low, middle)
    rows: list[FitRow] = []
    for state, side in ((State.LOW, low), (State.HIGH, ~low)):
        if side.any():
            rows += _retention_of(state, cells[side], time, conductance[side], flipped[side])
    return rows


def _retention_of(
    state: State,
    cells: NDArray[np.intp],
    time: NDArray[np.float64],
    conductance: NDArray[np.float64],
    flipped: NDArray[np.bool_],
) -> Iterator[FitRow]:
    """Each cell's drift, the drift over cells, and the flips. Nothing from too few readings."""
    if len(time) < FEWEST:
        return
    stayed = np.where(np.any(flipped, axis=1, keepdims=True), np.nan, conductance)
    fit = fit_drift(time, stayed, confidence=CONFIDENCE)
    supposed = {"onset": fit.onset, "correlated": fit.correlated}
    for place, cell in enumerate(cells):
        known = bool(np.isfinite(fit.exponent[place]))
        values = (fit.exponent[place], fit.low[place], fit.high[place])
        yield FitRow(
            cell=int(cell),
            target=state,
            kind="drift",
            parameters={"exponent": Estimate.of(*values)} if known else {},
            converged=known,
            assumptions=supposed,
        )
    if np.isfinite(fit.exponent).sum() >= FEWEST_CELLS:
        found = drift_of_cells(fit, len(time))
        parameters = {"exponent": found.mean, "spread": found.spread}
        yield FitRow(kind="drift of all", target=state, parameters=parameters, assumptions=supposed)
    yield _flips_row(state, count_flips(time, flipped, CONFIDENCE))


def _flips_row(state: State, found: Flips) -> FitRow:
    parameters = {
        "flips": Estimate(estimate=found.flips, low=found.flips, high=found.flips),
        "flip_time": found.flip_time,
        "delta": found.delta,
    }
    supposed = {"attempt_time": ATTEMPT_TIME}
    return FitRow(kind="flips", target=state, parameters=parameters, assumptions=supposed)


def _estimates(
    names: Sequence[str],
    estimate: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
) -> dict[str, Estimate]:
    return {
        name: Estimate.of(estimate[place], low[place], high[place])
        for place, name in enumerate(names)
    }
