"""What the cycles of many cells say of both states, and how far the usual description holds.

The usual description, which simulated cells follow, is: ln R of a state is normal, with a spread
from cell to cell and one from cycle to cycle, redrawn independently at every cycle. Numbers are
resistant to outliers (medians and quartiles within each cell); their intervals are percentiles of a
bootstrap over cells (Efron and Tibshirani 1993, chapter 13). Free of torch.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, norm, rankdata, shapiro

from analysis.intervals import check_confidence
from crossbar.errors import DataError
from crossbar.estimate import Estimate
from crossbar.units import Ratio

Values = NDArray[np.float64]

FEWEST_CELLS = 8
FEWEST_CYCLES = 20
"""Below these, spreads and their intervals mean nothing; ours."""
QUARTILES = 1.349
"""Distance of the quartiles of a standard normal."""
FAR = 4.0
"""Robust standard deviations beyond which a reading is of the tail; a normal has 6.3e-5 of it."""
FAILED: Ratio = 2.0
"""A RESET failed that leaves HIGH below this times the cell's LOW of the same cycle; ours."""
SAMPLES = 999
LEVEL = 0.05
"""Of the test of every single cell."""


@dataclass(frozen=True, kw_only=True)
class CyclingStatistics:
    """Parameters by name, each with its interval, and p-values of what the description claims."""

    parameters: dict[str, Estimate]
    p_values: dict[str, float]
    rejected: dict[str, Ratio]
    """Fraction of the cells that contradict a claim one by one, at a level of 5 %."""
    confidence: Ratio


def cycling_statistics(
    low: Values, high: Values, generator: np.random.Generator, confidence: Ratio = 0.95
) -> CyclingStatistics:
    """Describe resistances (cells, cycles) in ohm, of LOW and of HIGH, cycle by cycle.

    ``generator`` draws the bootstrap. Raises DataError for too few cells or cycles.
    """
    check_confidence(confidence)
    cells, cycles = low.shape
    if cells < FEWEST_CELLS or cycles < FEWEST_CYCLES or low.shape != high.shape:
        raise DataError(
            f"{cells} cells with {cycles} cycles are too few to tell spreads from cell to cell and "
            f"from cycle to cycle; it takes {FEWEST_CELLS} cells with {FEWEST_CYCLES} cycles."
        )
    logs = {"low": np.log(low), "high": np.log(high)}
    failed = (high < FAILED * low).sum(axis=1)
    # One row of numbers a cell, so that the bootstrap only has to draw rows.
    by_cell = {state: _of_each_cell(values) for state, values in logs.items()}
    drawn = generator.integers(0, cells, (SAMPLES, cells))
    parameters: dict[str, Estimate] = {}
    for state, rows in by_cell.items():
        for name, statistic in STATISTICS.items():
            values = statistic(rows[drawn], cycles)
            parameters[f"{state}_{name}"] = _interval(
                float(statistic(rows[None], cycles)[0]), values, confidence
            )
    parameters["failed"] = _interval(
        float(failed.mean()) / cycles, failed[drawn].mean(axis=1) / cycles, confidence
    )
    worst = _share_of_worst(failed[None])[0], _share_of_worst(failed[drawn])
    parameters["failures_in_worst_tenth"] = _interval(float(worst[0]), worst[1], confidence)
    expected = _expected_failures(by_cell["low"], by_cell["high"])
    parameters["failed_expected"] = _interval(
        float(expected.mean()), expected[drawn].mean(axis=1), confidence
    )
    p_values, rejected = _claims(logs)
    return CyclingStatistics(
        parameters=parameters, p_values=p_values, rejected=rejected, confidence=confidence
    )


def _of_each_cell(values: Values) -> Values:
    """(cells, 4): median, robust spread, fraction in the tail, memory of the cycle before."""
    median = np.median(values, axis=1)
    lower, upper = np.percentile(values, [25, 75], axis=1)
    spread = (upper - lower) / QUARTILES
    away = np.abs(values - median[:, None]) > FAR * spread[:, None]
    return np.stack([median, spread, away.mean(axis=1), lag_one(values)], axis=1)


def lag_one(values: Values) -> Values:
    """(cells,) rank correlation of each cycle with the one before."""
    ranks = rankdata(values, axis=1)
    ranks -= ranks.mean(axis=1, keepdims=True)
    return (ranks[:, 1:] * ranks[:, :-1]).sum(axis=1) / (ranks**2).sum(axis=1)


def _cell_to_cell(rows: Values, cycles: int) -> Values:
    """Spread of the medians, less what their own errors add (a median's variance is pi / 2 / n)."""
    lower, upper = np.percentile(rows[..., 0], [25, 75], axis=1)
    own = np.median(rows[..., 1], axis=1) ** 2 * np.pi / 2 / cycles
    return np.sqrt(np.maximum(((upper - lower) / QUARTILES) ** 2 - own, 0.0))


STATISTICS = {
    "median": lambda rows, cycles: np.exp(np.median(rows[..., 0], axis=1)),
    "cell_to_cell": _cell_to_cell,
    "cycle_to_cycle": lambda rows, cycles: np.median(rows[..., 1], axis=1),
    "tail": lambda rows, cycles: rows[..., 2].mean(axis=1),
    "memory": lambda rows, cycles: rows[..., 3].mean(axis=1),
}
"""By name, of one state: median in ohm; spreads of ln R; the tail as a fraction; the correlation
with the cycle before."""


def _interval(estimate: float, samples: Values, confidence: Ratio) -> Estimate:
    low, high = np.quantile(samples, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Estimate.of(estimate, low, high)


def _share_of_worst(failed: NDArray[np.int64]) -> Values:
    """(k,) part of all failures that the tenth of the cells with most of them has."""
    ordered = np.sort(failed, axis=1)[:, ::-1]
    worst = ordered[:, : max(1, ordered.shape[1] // 10)].sum(axis=1)
    return worst / np.maximum(ordered.sum(axis=1), 1)


def _claims(logs: dict[str, Values]) -> tuple[dict[str, float], dict[str, Ratio]]:
    """That each cell's ln R is normal (Shapiro and Wilk, Biometrika 52, 591, 1965), and that its
    cycles are independent (rank correlation with the cycle before, normal for many cycles).

    The p-value is that of so many cells contradicting at `LEVEL` by chance (binomial).
    """
    p_values, rejected = {}, {}
    for state, values in logs.items():
        cells, cycles = values.shape
        normal = np.asarray(shapiro(values, axis=1).pvalue)
        z = (lag_one(values) + 1 / cycles) * np.sqrt(cycles)
        for claim, found in (("log_normal", normal), ("independent", 2 * norm.sf(np.abs(z)))):
            against = int(np.count_nonzero(found < LEVEL))
            rejected[f"{state}_{claim}"] = against / cells
            p_values[f"{state}_{claim}"] = float(
                binomtest(against, cells, LEVEL, alternative="greater").pvalue
            )
    return p_values, rejected


def _expected_failures(low: Values, high: Values) -> Values:
    """(cells,) how often each would fail if ln R of both states were normal in it."""
    window = high[:, 0] - low[:, 0]
    return norm.cdf((np.log(FAILED) - window) / np.hypot(low[:, 1], high[:, 1]))
