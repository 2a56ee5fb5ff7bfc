"""m1, t_star and m2 of every cell from readings of ln R over the number of weak RESET pulses.

The model is that of `physics.weak_reset` (Majumdar et al., IEEE TED 2021). Its noise is correlated:
the pink part remembers 15 pulses, so readings are used that lie at least as far apart; the
telegraph is followed by a likelihood that knows of it (`analysis.weak_reset_likelihood`); 1/f noise
of the readings themselves widens the intervals (`analysis.slow_noise`), and the test of the
residuals allows for it (`analysis.weak_reset_misfit`). Free of torch.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import f as fisher

from analysis.intervals import check_confidence
from analysis.slow_noise import LinearFit, one_over_f, widening
from analysis.telegraph_chain import Chain
from analysis.weak_reset_misfit import misfit
from analysis.weak_reset_scan import FEWEST_READINGS, KneeScan, Scanned, scan_knees
from analysis.weak_reset_trains import WeakResetTrains
from crossbar.errors import DataError
from crossbar.units import Ratio

Values = NDArray[np.float64]
MEMORY = 15
"""Pulses that the published pink noise remembers."""


@dataclass(frozen=True, kw_only=True)
class WeakResetFits:
    """The parameters of n cells under one amplitude and width.

    Intervals are (n, 2): low and high, at ``confidence`` each; an infinite end is open.
    """

    trains: WeakResetTrains
    """The readings that were used."""
    confidence: Ratio
    m1: Values
    """(n,) rise of ln R by a pulse before the knee."""
    m1_interval: Values
    t_star: Values
    """(n,) pulses at the knee; infinite if the train shows none."""
    t_star_interval: Values
    m2: Values
    """(n,) rise by a pulse after the knee; NaN if the train shows none."""
    m2_interval: Values
    start: Values
    """(n, k) ln(R / Ohm) at which the line of each train begins, the noise at its mean; NaN
    without a train."""
    start_error: Values
    """(n, k) standard errors."""
    level: Values
    """(n,) largest level of the telegraph; says nothing where it was never high."""
    noise: Values
    """(n,) standard deviation of ln R without the telegraph."""
    total_noise: Values
    """(n,) around the lines, with the telegraph."""
    chain: Chain
    """The telegraph's odds by the pulse, of all cells together."""
    log_likelihood: Values
    """(n,)"""
    misfit: Values
    """(n,) p-values of `analysis.weak_reset_misfit`, that around the lines nothing but the model's
    noise and 1/f noise is left: small where they are not straight, or where the noise remembers
    otherwise."""
    scan: KneeScan


def fit_weak_reset(
    trains: WeakResetTrains, confidence: float = 0.95, memory: int = MEMORY
) -> WeakResetFits:
    """Fit every cell; its trains share slopes and knee, and begin each where their SET left them.

    A parameter's interval holds the values at which the likelihood, maximized over the others, is
    within F(confidence; 1, readings - parameters) / 2 of its maximum. Cells with fewer than
    `FEWEST_READINGS` readings ``memory`` pulses apart are left out. Raises DataError if none is
    left, and ConfigurationError for a confidence outside 0 to 1.
    """
    check_confidence(confidence)
    used = _usable(trains.spaced(memory), memory)
    found = scan_knees(used)
    read = np.isfinite(used.log_r)
    parameters = np.any(read, -1).sum(1) + 5
    left = read.sum((1, 2)) - parameters
    allowed = fisher.ppf(confidence, 1, left) / 2
    linear = linear_fits(used, found)
    slow = widened_by_memory(linear, used.log_r.shape[1])
    scan = found.scan.widened(slow[:, 1:3], slow[:, 3])
    first, second = (slope_intervals(scan, axis, allowed) for axis in (0, 1))
    started = np.where(read.any(-1), found.curves.start, np.nan)
    spent = np.sum(np.where(read, found.readings.residual, 0.0) ** 2, axis=(1, 2))
    return WeakResetFits(
        trains=used,
        confidence=confidence,
        m1=found.slopes[:, 0],
        m1_interval=first,
        t_star=found.knee,
        t_star_interval=knee_intervals(scan, allowed),
        m2=np.where(np.isfinite(found.knee), found.slopes[:, 1], np.nan),
        m2_interval=second,
        start=started,
        start_error=np.where(
            read.any(-1), found.start_error * np.sqrt(slow[:, 0])[:, None], np.nan
        ),
        level=found.curves.level,
        noise=found.curves.noise * np.sqrt(1 + parameters / left),
        total_noise=np.sqrt(spent / left),
        chain=found.chain,
        log_likelihood=found.scan.log_likelihood.max(1),
        misfit=misfit(linear, found.curves, found.readings),
        scan=scan,
    )


def widened_by_memory(fits: list[LinearFit], trains: int) -> Values:
    """(n, 4) factors on the variances of start, m1, m2 and knee: for the size of the noise, which
    was estimated, and for noise that remembers more than the pulses between two readings (1/f noise
    of the reading itself; `analysis.slow_noise`).
    """
    factors = widening(fits)
    return np.concatenate([factors[:, :trains].max(1, keepdims=True), factors[:, trains:]], 1)


def linear_fits(trains: WeakResetTrains, found: Scanned) -> list[LinearFit]:
    """Every cell's readings, train after train, around its likeliest curves. The parameters are the
    starts, the slopes and the knee; a reading counts as far as the telegraph was low.
    """
    cells, repeats, readings = trains.log_r.shape
    high, read = found.readings.states.high, found.readings.read.reshape(cells, -1)
    expected = found.curves.level[:, None, None] * found.readings.levels.mean * high
    residual = (found.readings.residual - expected) / found.curves.noise[:, None, None]
    residual, weight = residual.reshape(cells, -1), (1 - high).reshape(cells, -1)
    series = np.repeat(np.arange(repeats), readings)
    place = np.tile(trains.pulses.astype(np.float64), repeats)
    covariance = one_over_f(place, series)
    starts = (series[:, None] == np.arange(repeats)).astype(np.float64)
    fits = []
    for cell, seen in enumerate(read):
        early = np.minimum(place, found.knee[cell])
        lines = np.stack([early, place - early], 1) / place.max()
        after = (place > found.knee[cell]).astype(np.float64)[:, None]
        fits.append(
            LinearFit(
                design=np.concatenate([starts, lines, after], 1)[seen],
                weight=weight[cell, seen],
                residual=residual[cell, seen],
                covariance=covariance[np.ix_(seen, seen)],
            )
        )
    return fits


def _usable(trains: WeakResetTrains, memory: int) -> WeakResetTrains:
    """The cells with enough readings. Raises DataError if there are none."""
    enough = np.isfinite(trains.log_r).sum(-1).max(1, initial=0) >= FEWEST_READINGS
    if not enough.any():
        raise DataError(
            f"No cell has {FEWEST_READINGS} readings of one train that lie {memory} pulses apart, "
            "which is what two lines with a knee take. Give more pulses, or read more often."
        )
    return trains.of_cells(np.flatnonzero(enough))


def slope_intervals(scan: KneeScan, axis: int, allowed: Values) -> Values:
    """(n, 2) ends for m1 (axis 0) or m2 (axis 1).

    Given the knee the likelihood of a slope is close to normal; over the knees the best counts.
    """
    spare = allowed[:, None] - (scan.log_likelihood.max(1)[:, None] - scan.log_likelihood)
    with np.errstate(invalid="ignore"):
        reach = np.sqrt(2 * scan.covariance[:, :, axis, axis] * np.maximum(spare, 0))
    possible = spare > 0
    low = np.where(possible, scan.slopes[:, :, axis] - reach, np.inf).min(1)
    high = np.where(possible, scan.slopes[:, :, axis] + reach, -np.inf).max(1)
    return np.stack([low, high], -1)


def knee_intervals(scan: KneeScan, allowed: Values) -> Values:
    """(n, 2) ends for t_star; 0 and infinity where an end of the train is not excluded."""
    ends = np.empty((len(allowed), 2))
    for row, drop in enumerate(scan.log_likelihood.max(1)[:, None] - scan.log_likelihood):
        # The root of the drop is close to a straight line in the logarithm of the knee.
        root, most = np.sqrt(drop), np.sqrt(allowed[row])
        inside = np.flatnonzero(root <= most)
        knee = np.log(scan.knee[row])
        first, last = int(inside[0]), int(inside[-1])
        low = -np.inf if first == 0 else _crossing(root, knee, most, first, first - 1)
        if last == len(root) - 1:
            high = np.inf
        elif last == len(root) - 2:
            high = knee[last]  # one line is excluded, and beyond is no knee that was tried
        else:
            high = _crossing(root, knee, most, last, last + 1)
        ends[row] = low, high
    return np.exp(ends)


def _crossing(root: Values, knee: Values, most: float, inside: int, outside: int) -> float:
    share = (most - root[inside]) / (root[outside] - root[inside])
    return float(knee[inside] + share * (knee[outside] - knee[inside]))
