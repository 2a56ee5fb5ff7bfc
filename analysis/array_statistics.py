"""The conductances of healthy cells over dies: medians, and spreads cell to cell, die to die."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2, norm
from scipy.stats import t as student

from analysis.intervals import check_confidence
from crossbar.defect_map import CellClass, DefectMap
from crossbar.errors import DataError
from crossbar.estimate import Estimate


@dataclass(frozen=True, kw_only=True)
class StateStatistics:
    """One state's conductance, whose logarithm is taken as normal."""

    median: Estimate
    """Siemens. Over dies where there are several: what another set of dies would give."""
    cell_to_cell: Estimate
    """Standard deviation of ln G within a die, the noise of one reading included."""
    die_to_die: Estimate | None
    """Of the dies' own medians; None for a single die."""


def state_statistics(
    maps: Sequence[DefectMap], state: str, confidence: float = 0.95
) -> StateStatistics:
    """Statistics of the healthy cells' conductance after writing ``state``, "low" or "high".

    Student's and chi-squared intervals of a one-way layout: cells within dies. A spread between
    dies is what is left of the scatter of their means when the cells' own share is taken off.
    Raises DataError without a die, or for a die with fewer than two healthy cells.
    """
    check_confidence(confidence)
    logarithms = [_healthy(found, state) for found in maps]
    if not logarithms or min(map(len, logarithms)) < 2:
        raise DataError("Each die needs two healthy cells, and one die is needed, for a spread.")
    numbers = np.array([len(values) for values in logarithms])
    means = np.array([values.mean() for values in logarithms])
    dof = int(numbers.sum() - len(numbers))
    within = sum(float(((v - v.mean()) ** 2).sum()) for v in logarithms) / dof
    share = within * float(np.mean(1 / numbers))
    if len(means) == 1:
        reach = norm.ppf(0.5 + confidence / 2) * np.sqrt(share)
        between = None
    else:
        scatter = float(means.var(ddof=1))
        reach = student.ppf(0.5 + confidence / 2, len(means) - 1) * np.sqrt(scatter / len(means))
        ends = _spread(scatter, len(means) - 1, confidence)
        between = Estimate.of(*np.sqrt(np.maximum(np.square(ends) - share, 0)))
    center = float(means.mean())
    return StateStatistics(
        median=Estimate.of(*np.exp([center, center - reach, center + reach])),
        cell_to_cell=Estimate.of(*_spread(within, dof, confidence)),
        die_to_die=between,
    )


def _healthy(found: DefectMap, state: str) -> NDArray[np.float64]:
    values = (found.low if state == "low" else found.high)[found.classes == CellClass.HEALTHY]
    return np.log(values)


def _spread(variance: float, dof: int, confidence: float) -> NDArray[np.float64]:
    """(3,) standard deviation of a normal sample, with chi-squared's interval."""
    tail = (1 - confidence) / 2
    ends = dof * variance / chi2.ppf([1 - tail, tail], dof)
    return np.sqrt([variance, *ends])
