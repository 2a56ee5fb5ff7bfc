"""Sweeps of single RESET pulses of rising amplitude: where RESET begins, and how it grows there.

Weak RESET pulses raise ln R by a step that grows e-fold with every so many millivolts
(`physics.weak_reset.reference_pulses`); this says whether they do, where, and how the onset
differs from cell to cell and from sweep to sweep. Free of torch.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2, norm

from analysis.cycling_statistics import QUARTILES
from crossbar.errors import DataError
from crossbar.estimate import Estimate
from crossbar.records import PulseTrain
from crossbar.units import Ratio, Volts

Values = NDArray[np.float64]
ONSET: Ratio = 0.1
"""ln(R / R before the sweep) at which a RESET counts as begun; ours: ten times the readings' noise
on the arrays of doi 10.1109/TED.2021.3097975."""
BEFORE = 6
"""Pulses at the beginning of a sweep whose readings make the R before."""
FEWEST_CELLS = 8
SAMPLES = 499


@dataclass(frozen=True, kw_only=True)
class Steps:
    """Pulses of k sweeps, one row each; NaN where a sweep has no such pulse."""

    cell: NDArray[np.intp]
    """(k,)"""
    amplitude: Values
    """(m,) volts, magnitudes, rising."""
    rise: Values
    """(k, m) of ln R by the pulse, from the reading right before to that right after."""
    total: Values
    """(k, m) of ln R after the pulse, over the mean of the first readings."""


@dataclass(frozen=True, kw_only=True)
class SweepStatistics:
    """Parameters by name, each with its interval, and how well the exponential law fits."""

    parameters: dict[str, Estimate]
    p_value: float
    """Of the mean rises within ``law`` to deviate so much from one e-fold scale, by chi-squared
    with the spread between cells as their error."""
    law: tuple[Volts, Volts]
    """The amplitudes that the law was fitted to."""
    mean_rise: Values
    """(m,) over all sweeps, beside ``Steps.amplitude``."""
    error: Values
    """(m,) standard errors, from the spread between cells."""
    onset: Values
    """(k,) amplitude of each sweep at which RESET begins; NaN where it never does."""
    confidence: Ratio


def steps_of(trains: Sequence[PulseTrain]) -> Steps:
    """Lay out sweeps whose every pulse has a reading before and after it.

    Amplitudes are rounded to a millivolt to find those that sweeps share. Raises DataError if no
    train is a sweep of RESET pulses.
    """
    sweeps = [train for train in trains if _is_sweep(train)]
    if not sweeps:
        raise DataError(
            "None of the trains is a sweep of RESET pulses: one pulse a step, of amplitudes that "
            "rise, with a reading alone before each."
        )
    volts = [np.round(-sweep.amplitude[1::2], 3) for sweep in sweeps]
    amplitude = np.unique(np.concatenate(volts))
    rise = np.full((len(sweeps), len(amplitude)), np.nan)
    total = rise.copy()
    for row, (sweep, given) in enumerate(zip(sweeps, volts, strict=True)):
        log_r = -np.log(np.where(sweep.conductance > 0, sweep.conductance, np.nan))
        place = np.searchsorted(amplitude, given)
        rise[row, place] = log_r[1::2] - log_r[::2]
        total[row, place] = log_r[1::2] - np.nanmean(log_r[: 2 * BEFORE])
    cells = np.array([sweep.cell for sweep in sweeps], np.intp)
    return Steps(cell=cells, amplitude=amplitude, rise=rise, total=total)


def _is_sweep(train: PulseTrain) -> bool:
    given = train.amplitude[1::2]
    return (
        len(train.pulses) >= 2 * BEFORE + 4
        and len(train.pulses) % 2 == 0
        and not train.pulses[::2].any()
        and bool(np.all(train.pulses[1::2] == 1))
        and bool(np.all(np.diff(given) < 0))
        and bool(np.all(given <= 0))
    )


def sweep_statistics(
    steps: Steps,
    generator: np.random.Generator,
    law: tuple[Volts, Volts] | None = None,
    confidence: Ratio = 0.95,
) -> SweepStatistics:
    """Where RESET begins, its spreads, and the e-fold scale of weak RESET.

    ``law`` bounds the amplitudes of weak RESET; by default from where the mean rise is 0.2 %
    to where it is 10 %. Raises DataError for fewer than `FEWEST_CELLS` cells, or amplitudes.
    """
    cells = np.unique(steps.cell)
    if len(cells) < FEWEST_CELLS:
        raise DataError(f"Sweeps of {len(cells)} cells show no spread; it takes {FEWEST_CELLS}.")
    by_cell = np.stack([_mean(steps.rise[steps.cell == cell]) for cell in cells])
    mean = _mean(by_cell)
    left = _mean((by_cell - mean) ** 2)
    error = np.sqrt(left / np.maximum(np.isfinite(by_cell).sum(axis=0) - 1, 1))
    window = law or _weak_window(steps.amplitude, mean)
    inside = (steps.amplitude >= window[0]) & (steps.amplitude <= window[1]) & (mean > 0)
    if np.count_nonzero(inside) < 3:
        raise DataError("Fewer than three amplitudes lie in the weak RESET; sweep in finer steps.")
    e_fold, unit_rise, p_value = _law(steps.amplitude[inside], by_cell[:, inside])
    onset = onsets(steps)
    drawn = generator.integers(0, len(cells), (SAMPLES, len(cells)))
    rows = _onsets_by_cell(onset, steps.cell, cells)
    tail = (1 - confidence) / 2

    def interval(statistic) -> Estimate:
        samples = [statistic(rows[one]) for one in drawn]
        low, high = np.nanquantile(samples, [tail, 1 - tail])
        return Estimate.of(statistic(rows), low, high)

    return SweepStatistics(
        parameters={
            "onset": interval(lambda chosen: np.nanmedian(chosen[:, 0])),
            "cell_to_cell": interval(_between),
            "cycle_to_cycle": interval(lambda chosen: np.nanmedian(chosen[:, 1])),
            "e_fold": _normal_interval(*e_fold, tail),
            "unit_rise": _normal_interval(*unit_rise, tail),
        },
        p_value=p_value,
        law=window,
        mean_rise=mean,
        error=error,
        onset=onset,
        confidence=confidence,
    )  # fmt: skip


def _normal_interval(estimate: float, error: float, tail: Ratio) -> Estimate:
    reach = float(norm.isf(tail)) * error
    return Estimate.of(estimate, estimate - reach, estimate + reach)


def onsets(steps: Steps) -> Values:
    """(k,) amplitude at which ln R first exceeds its beginning by `ONSET`, interpolated."""
    found = np.full(len(steps.cell), np.nan)
    for row, total in enumerate(steps.total):
        above = np.flatnonzero(total >= ONSET)
        if len(above) and above[0] > 0:
            last, first = above[0] - 1, above[0]
            share = (ONSET - total[last]) / (total[first] - total[last])
            volts = steps.amplitude
            found[row] = volts[last] + np.clip(share, 0, 1) * (volts[first] - volts[last])
    return found


def _mean(values: Values) -> Values:
    """Over the first axis, of what is there; NaN where nothing is."""
    there = np.isfinite(values).sum(axis=0)
    return np.where(there > 0, np.nansum(values, axis=0) / np.maximum(there, 1), np.nan)


def _weak_window(amplitude: Values, mean: Values) -> tuple[Volts, Volts]:
    """From the last amplitude at which the mean rise is below 0.2 % to the first above 10 %."""
    strong = np.flatnonzero(mean > 0.1)
    end = int(strong[0]) if len(strong) else len(amplitude)
    weak = np.flatnonzero(mean[:end] < 0.002)
    begin = int(weak[-1]) + 1 if len(weak) else 0
    return float(amplitude[begin]), float(amplitude[min(end, len(amplitude) - 1)])


def _law(
    amplitude: Values, by_cell: Values
) -> tuple[tuple[float, float], tuple[float, float], float]:
    """The e-fold scale and the amplitude of a rise of 1, each with its standard error, and the
    p-value: generalized least squares of the logarithm of the mean rise, the cells' covariance.
    """
    cells = len(by_cell)
    mean = by_cell.mean(axis=0)
    covariance = np.cov(by_cell, rowvar=False) / cells / np.outer(mean, mean)
    design = np.stack([np.ones_like(amplitude), amplitude - amplitude.mean()], axis=1)
    weight = np.linalg.inv(covariance)
    spread = np.linalg.inv(design.T @ weight @ design)
    offset, slope = spread @ design.T @ weight @ np.log(mean)
    left = np.log(mean) - design @ np.array([offset, slope])
    p_value = float(chi2.sf(left @ weight @ left, len(amplitude) - 2))
    scale = 1 / slope, np.sqrt(spread[1, 1]) / slope**2
    place = amplitude.mean() - offset / slope
    gradient = np.array([-1 / slope, offset / slope**2])
    return (
        (float(scale[0]), float(scale[1])),
        (float(place), float(np.sqrt(gradient @ spread @ gradient))),
        p_value,
    )


def _onsets_by_cell(onset: Values, cell: NDArray[np.intp], cells: NDArray[np.intp]) -> Values:
    """(cells, 3): each cell's mean onset, its standard deviation from sweep to sweep, and how many
    sweeps it has.
    """
    rows = []
    for one in cells:
        own = onset[cell == one]
        own = own[np.isfinite(own)]
        spread = np.std(own, ddof=1) if len(own) > 1 else np.nan
        rows.append((np.mean(own) if len(own) else np.nan, spread, len(own)))
    return np.array(rows)


def _between(rows: Values) -> float:
    """Standard deviation of the cells' own onsets: that of their means, less what sweeps add."""
    lower, upper = np.nanpercentile(rows[:, 0], [25, 75])
    own = np.nanmedian(rows[:, 1]) ** 2 / np.nanmedian(rows[:, 2])
    return float(np.sqrt(max(((upper - lower) / QUARTILES) ** 2 - own, 0.0)))
