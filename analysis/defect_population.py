"""From the defect maps of many dies to the population that they come from.

The result, a `physics.defects.DefectPopulation`, draws dies like the measured ones:
statistics-aware training learns on them.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.stats import nbinom

from analysis.line_defects import LINE_CLASSES, on_lines
from crossbar.defect_map import CellClass, DefectMap
from crossbar.errors import DataError
from physics.defects import DefectPopulation

POINT_CLASSES = tuple(c for c in CellClass if c is not CellClass.HEALTHY)
DISPERSION_RANGE = (0.1, 1000.0)
"""Shapes k of the die-to-die factor that are tried: a spread of 3 times the mean, to 3 % of it."""
QUANTILES = 21
"""Number of quantiles kept of what shorts, and opens, conduct."""

Values = NDArray[np.float64]


def fit_population(maps: Sequence[DefectMap]) -> DefectPopulation:
    """Estimate the population of defects, line defects and healthy conductances.

    Rates of single defects come from the cells off the defective lines, rates of lines from the
    lines found; both are means over all dies. The fill of a line is the mean fraction of its cells
    that are of its class. The dispersion is described at `fit_dispersion`; it takes ten dies and
    more to say something. Conductances are relative to each die's own median LOW conductance, so
    that a shift from die to die does not pass for cell-to-cell spread. Of cells clamped by a
    current limit, the conductance is that of the limit. A class that no die shows has the rate 0,
    and its conductance is that of the class's limit in `DefectThresholds`.

    Raises DataError without a map.
    """
    if not maps:
        raise DataError("No defect map to fit a population to: classify at least one die first.")
    covered = [on_lines(found.classes.shape, found.lines) for found in maps]
    counts, cells = point_counts(maps, covered)
    mean_rates = counts.sum(axis=0) / max(int(cells.sum()), 1)
    low, high = healthy_logarithms(maps)
    limits = maps[0].thresholds
    window = float(np.median([found.median_high / found.median_low for found in maps]))
    return DefectPopulation(
        point_rates={c: float(rate) for c, rate in zip(POINT_CLASSES, mean_rates, strict=True)},
        dispersion=fit_dispersion(counts, cells),
        column_rate=line_rates(maps, "column"),
        row_rate=line_rates(maps, "row"),
        line_fill=line_fill(maps),
        short_conductance=conductance_quantiles(maps, CellClass.SHORT, limits.short),
        open_conductance=conductance_quantiles(maps, CellClass.OPEN, limits.open * window),
        healthy_low_spread=robust_spread(low),
        healthy_high_spread=robust_spread(high),
        healthy_correlation=robust_correlation(low, high),
        window=window,
    )


def point_counts(
    maps: Sequence[DefectMap], covered: Sequence[NDArray[np.bool_]]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Defects off the lines, (dies, classes) in the order of `POINT_CLASSES`; and cells (dies,)."""
    counts = [
        [np.count_nonzero((found.classes == c) & ~lines) for c in POINT_CLASSES]
        for found, lines in zip(maps, covered, strict=True)
    ]
    return np.array(counts), np.array([np.count_nonzero(~lines) for lines in covered])


def fit_dispersion(counts: NDArray[np.int64], cells: NDArray[np.int64]) -> float:
    """Shape k of the factor Gamma(k, 1/k) that each die puts on the rate of each class.

    Counts (dies, classes) are then negative binomial around the mean rate times ``cells`` (dies,);
    k, the same for all classes, is the most likely in `DISPERSION_RANGE`. Its relative error is
    about ``(2 / (dies x classes seen)) ** 0.5``, and few dies make it come out too large, that is
    the dies too much alike; `analysis.defect_rates` has its interval. A single die says nothing and
    gives the upper bound.
    """
    lower, upper = np.log(DISPERSION_RANGE)
    expected = counts.sum(axis=0) / max(int(cells.sum()), 1) * cells[:, None]
    if len(cells) < 2 or not counts.any():
        return DISPERSION_RANGE[1]

    def loss(log_shape: float) -> float:
        return surprise(counts, expected, log_shape)

    best = minimize_scalar(loss, bounds=(lower, upper), method="bounded")
    return float(np.exp(best.x))


def surprise(counts: NDArray[np.int64], expected: Values, log_shape: float) -> float:
    """Minus the log-likelihood of negative binomial counts around what is expected, both of one
    shape; where nothing is expected they say nothing.
    """
    seen = expected > 0
    shape = np.exp(log_shape)
    return -float(nbinom.logpmf(counts[seen], shape, shape / (shape + expected[seen])).sum())


def line_rates(maps: Sequence[DefectMap], axis: str) -> dict[CellClass, float]:
    """Fraction of all lines along ``axis`` ("row" or "column") that are defective, by class."""
    lines = sum(
        subarrays * (columns if axis == "column" else rows)
        for subarrays, rows, columns in (found.classes.shape for found in maps)
    )
    found = [line.cell_class for each in maps for line in each.lines if line.axis == axis]
    return {cell_class: found.count(cell_class) / lines for cell_class in LINE_CLASSES}


def line_fill(maps: Sequence[DefectMap]) -> float:
    """Mean fraction of a defective line's cells that are of its class; 1 without any line."""
    fills = [
        line.cells / found.classes.shape[1 if line.axis == "column" else 2]
        for found in maps
        for line in found.lines
    ]
    return float(np.mean(fills)) if fills else 1.0


def conductance_quantiles(
    maps: Sequence[DefectMap], cell_class: CellClass, limit: float
) -> tuple[float, ...]:
    """What cells of a class conduct, relative to median LOW: evenly spaced quantiles, 0 to 1.

    The mean of a cell's two readings, at least 0: an open cell may read less by noise alone.
    """
    readings = [
        (found.low + found.high)[found.classes == cell_class] / (2 * found.median_low)
        for found in maps
    ]
    pooled = np.maximum(np.concatenate(readings), 0.0)
    if not pooled.size:
        return (limit, limit)
    return tuple(np.quantile(pooled, np.linspace(0, 1, QUANTILES)).tolist())


def healthy_logarithms(maps: Sequence[DefectMap]) -> tuple[Values, Values]:
    """ln of LOW and HIGH conductance over their medians, of all dies' healthy cells."""
    low, high = [], []
    for found in maps:
        healthy = found.classes == CellClass.HEALTHY
        low.append(np.log(found.low[healthy] / found.median_low))
        high.append(np.log(found.high[healthy] / found.median_high))
    return np.concatenate(low), np.concatenate(high)


def robust_spread(values: Values) -> float:
    """Standard deviation from the quartiles, which a few far-out cells do not move."""
    lower, upper = np.quantile(values, [0.25, 0.75])
    return float(upper - lower) / 1.3489795003921634


def robust_correlation(first: Values, second: Values) -> float:
    """Correlation from the spreads of sum and difference (Gnanadesikan and Kettenring 1972)."""
    scales = robust_spread(first), robust_spread(second)
    if min(scales) == 0:
        return 0.0
    plus = robust_spread(first / scales[0] + second / scales[1]) ** 2
    minus = robust_spread(first / scales[0] - second / scales[1]) ** 2
    return (plus - minus) / (plus + minus)
