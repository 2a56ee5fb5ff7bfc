"""What reads over hours say of cells that were left alone: drift, and states that flipped.

Drift: ln G falls by ``exponent`` times ln(1 + t / onset), a straight line for each cell, fitted by
generalized least squares. What scatters about the line is part white, part 1/f noise, which is
correlated between readings that are close in time; in which proportion is the most likely one of
all cells of a state together. Flips: a cell that is found beyond the middle between the states'
medians. Free of torch.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import chi2
from scipy.stats import t as student

from analysis.normal_population import (
    CellTerms,
    fit_normal_population,
    mean_intervals,
    spread_intervals,
)
from crossbar.errors import DataError
from crossbar.estimate import Estimate
from crossbar.units import Ratio, Seconds
from physics.read_noise import SLOWEST, SPACING, flicker_memories
from physics.retention import flip_time

FloatArray = NDArray[np.float64]

ONSET: Seconds = 1.0
FEWEST = 4
"""Readings of a cell below which no line is fitted."""
PARTS = np.linspace(0.0, 0.99, 12)
"""Of 1/f noise in the scatter, as tried."""
FASTEST: Seconds = 1e-3
"""Memory below which 1/f noise is white for all readings."""
ATTEMPT_TIME: Seconds = 1e-9
"""For the thermal stability that a flip time implies; by custom."""
DELTAS = (5.0, 200.0)


@dataclass(frozen=True, kw_only=True)
class DriftFit:
    """Drift of n cells of one state; arrays have shape (n,)."""

    exponent: FloatArray
    """NaN where a cell cannot be fitted: it flipped, or does not conduct at every reading, or
    reads the same to the last digit."""
    low: FloatArray
    high: FloatArray
    scatter: FloatArray
    """Standard deviation of ln G about the line."""
    correlated: Ratio
    """Part of the scatter's variance that is 1/f noise, as far as readings share it: what forgets
    faster than they follow each other is white to them."""
    onset: Seconds
    confidence: Ratio


@dataclass(frozen=True, kw_only=True)
class DriftOfCells:
    """Mean and spread of the exponents over cells, the errors of the single fits set apart."""

    mean: Estimate
    spread: Estimate
    cells: int


@dataclass(frozen=True, kw_only=True)
class Flips:
    """How often cells of one state were found in the other."""

    flips: int
    exposure: Seconds
    """Cell-seconds of waiting, until the flip or the end."""
    flip_time: Estimate
    """Seconds, mean; infinite estimate and high end where nothing flipped."""
    delta: Estimate
    """Thermal stability factor for an attempt time of `ATTEMPT_TIME`."""


def fit_drift(
    time: FloatArray, conductance: FloatArray, *, onset: Seconds = ONSET, confidence: Ratio = 0.95
) -> DriftFit:
    """Fit cells (n, m), read at m times since they were written.

    Raises DataError for fewer than `FEWEST` readings.
    """
    if conductance.ndim != 2 or len(time) != conductance.shape[1] or len(time) < FEWEST:
        raise DataError(
            f"Readings of shape {conductance.shape} at {len(time)} times show no drift: at least "
            f"{FEWEST} readings of each cell are needed. Wait longer, or read more often."
        )
    usable = np.all(np.isfinite(conductance) & (conductance > 0), axis=1)
    usable &= np.ptp(conductance, axis=1) > 0  # or the converter resolves nothing of it
    logs = np.log(conductance[usable])
    design = np.column_stack([np.ones_like(time), -np.log1p(time / onset)])
    fits = [_least_squares(logs, design, _correlation(time, part)) for part in PARTS]
    best = int(np.argmax([found[2] for found in fits]))
    exponent, error, _, scatter = fits[best]
    reach = student.ppf((1 + confidence) / 2, len(time) - 2)
    whole = np.full((4, len(conductance)), np.nan)
    whole[:, usable] = exponent, exponent - reach * error, exponent + reach * error, scatter
    return DriftFit(
        exponent=whole[0],
        low=whole[1],
        high=whole[2],
        scatter=whole[3],
        correlated=float(PARTS[best]),
        onset=onset,
        confidence=confidence,
    )


def drift_of_cells(fit: DriftFit, readings: int) -> DriftOfCells:
    """The population behind single fits to so many readings each.

    Raises DataError for fewer than three cells.
    """
    known = np.isfinite(fit.exponent)
    if known.sum() < 3:
        raise DataError("Drift over cells takes three fitted cells or more. Measure more cells.")
    reach = student.ppf((1 + fit.confidence) / 2, readings - 2)
    error = (fit.high[known] - fit.low[known]) / (2 * reach)
    information = 1 / np.maximum(error, 1e-9) ** 2
    terms = CellTerms(
        pull=(fit.exponent[known] * information)[:, None],
        information=information[:, None, None],
    )
    found = fit_normal_population(terms)
    low, high = mean_intervals(found, int(known.sum()), fit.confidence)
    least, most = spread_intervals(terms, found, fit.confidence)
    return DriftOfCells(
        mean=Estimate.of(found.mean[0], low[0], high[0]),
        spread=Estimate.of(np.sqrt(found.covariance[0, 0]), least[0], most[0]),
        cells=int(known.sum()),
    )


def flipped_cells(
    conductance: FloatArray, low: NDArray[np.bool_], middle: float
) -> NDArray[np.bool_]:
    """(n, m) where cells that began on their own side of the ``middle`` are beyond it."""
    beyond = np.where(low[:, None], conductance < middle, conductance > middle)
    return np.asarray(beyond & ~beyond[:, :1])


def count_flips(time: FloatArray, flipped: NDArray[np.bool_], confidence: Ratio = 0.95) -> Flips:
    """First flips of n cells (n, m): exponential waiting, with Garwood's exact interval (1936).

    A flip counts at the reading that finds it: readings must be denser than flips.
    """
    ever = flipped.any(axis=1)
    until = np.where(ever, np.argmax(flipped, axis=1), len(time) - 1)
    exposure, flips = float(time[until].sum()), int(ever.sum())
    tail = (1 - confidence) / 2
    most = chi2.isf(tail, 2 * flips + 2) / 2
    least = chi2.ppf(tail, 2 * flips) / 2 if flips else 0.0
    times = [exposure / number if number else np.inf for number in (flips, most, least)]
    return Flips(
        flips=flips,
        exposure=exposure,
        flip_time=Estimate.of(*times),
        delta=Estimate.of(*map(stability, times)),
    )


def stability(mean_time: Seconds, attempt_time: Seconds = ATTEMPT_TIME) -> Ratio:
    """The thermal stability factor of junctions that flip after this time on average."""

    def excess(delta: float) -> float:
        found = flip_time(np.array([delta]), np.array([attempt_time]))[0]
        return float(np.log(found) - np.log(mean_time))

    if not 0 < mean_time < np.inf or excess(DELTAS[1]) < 0:
        return np.inf
    return float(brentq(excess, *DELTAS)) if excess(DELTAS[0]) < 0 else 0.0


def _correlation(time: FloatArray, part: float) -> FloatArray:
    """(m, m) of readings whose noise is this part 1/f with a memory, the rest white."""
    apart = np.abs(time[:, None] - time)
    nearest = np.min(np.diff(np.sort(time)))
    memories = np.array(flicker_memories(FASTEST))
    # Faster processes are white to these readings: as 1/f they would count as white noise that
    # no part of it can be rid of.
    memories = memories[memories > min(nearest, SLOWEST) / SPACING]
    flicker = np.mean(np.exp(-apart[:, :, None] / memories), axis=2)
    return np.asarray(part * flicker + (1 - part) * np.eye(len(time)))


def _least_squares(
    logs: FloatArray, design: FloatArray, correlation: FloatArray
) -> tuple[FloatArray, FloatArray, float, FloatArray]:
    """Slopes (n,) and their errors (n,), the restricted log-likelihood of all, scatter (n,)."""
    root = np.linalg.cholesky(correlation)
    white, target = np.linalg.solve(root, design), np.linalg.solve(root, logs.T)
    normal = white.T @ white
    solution = np.linalg.solve(normal, white.T @ target)
    freedom = len(design) - 2
    variance = np.sum((target - white @ solution) ** 2, axis=0) / freedom
    variance = np.maximum(variance, np.finfo(float).tiny)
    error = np.sqrt(variance * np.linalg.inv(normal)[1, 1])
    known = np.log(np.diagonal(root)).sum() + np.linalg.slogdet(normal)[1] / 2
    likelihood = -np.sum(freedom / 2 * np.log(variance) + known)
    return solution[1], error, float(likelihood), np.sqrt(variance)
