"""Cells that were left alone and read again and again: where they drift, and whether as G ~ n^-nu.

The usual description of retention is a power law of time, a straight line of ln G over ln n (n
counts readings at even intervals), with nu different from cell to cell, and noise around it that
forgets. Intervals are percentiles of a bootstrap over cells. Free of torch.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, norm

from analysis.cycling_statistics import LEVEL, lag_one
from analysis.intervals import check_confidence
from crossbar.errors import DataError
from crossbar.estimate import Estimate
from crossbar.units import Ratio

Values = NDArray[np.float64]
FEWEST_CELLS = 8
FEWEST_READINGS = 64
END: Ratio = 0.05
"""Part of a trace, at its end, whose mean is where the cell has come to."""
SAMPLES = 999


@dataclass(frozen=True, kw_only=True)
class DriftStatistics:
    """Parameters by name with intervals, and what contradicts the power law."""

    parameters: dict[str, Estimate]
    p_value: float
    """That around the power law's line readings are independent, cell by cell at 5 %: how likely so
    many cells contradict by chance (binomial)."""
    rejected: Ratio
    """Fraction of the cells that contradict."""
    confidence: Ratio


def drift_statistics(
    conductance: Values, generator: np.random.Generator, confidence: Ratio = 0.95
) -> DriftStatistics:
    """Describe k traces (k, n) in siemens, read at even intervals from just after the write on.

    Raises DataError for too few traces or readings, or readings that are not positive.
    """
    check_confidence(confidence)
    cells, readings = conductance.shape
    if cells < FEWEST_CELLS or readings < FEWEST_READINGS:
        raise DataError(
            f"{cells} traces of {readings} readings are too few for a drift; it takes "
            f"{FEWEST_CELLS} of {FEWEST_READINGS}."
        )
    if not np.all(conductance > 0):
        raise DataError("A conductance is not positive and has no logarithm; leave that cell out.")
    log_g = np.log(conductance)
    log_n = np.log(np.arange(1, readings + 1))
    centred = log_n - log_n.mean()
    exponent = -(log_g @ centred) / (centred @ centred)
    left = log_g - log_g.mean(axis=1, keepdims=True) + exponent[:, None] * centred
    explained = 1 - (left**2).sum(axis=1) / ((log_g.T - log_g.mean(axis=1)).T ** 2).sum(axis=1)
    change = log_g[:, -max(1, int(END * readings)) :].mean(axis=1) - log_g[:, 0]
    memory = lag_one(left)
    drawn = generator.integers(0, cells, (SAMPLES, cells))
    tail = (1 - confidence) / 2

    def interval(values: Values, statistic: Callable[..., Values]) -> Estimate:
        low, high = np.quantile(statistic(values[drawn], axis=1), [tail, 1 - tail])
        return Estimate.of(statistic(values), low, high)

    against = int(np.count_nonzero(2 * norm.sf(np.abs(memory) * np.sqrt(readings)) < LEVEL))
    return DriftStatistics(
        parameters={
            "exponent": interval(exponent, np.median),
            "exponent_spread": interval(exponent, np.std),
            "change": interval(change, np.median),
            "change_spread": interval(change, np.std),
            "explained": interval(explained, np.median),
            "memory": interval(memory, np.median),
        },
        p_value=float(binomtest(against, cells, LEVEL, alternative="greater").pvalue),
        rejected=against / cells,
        confidence=confidence,
    )
