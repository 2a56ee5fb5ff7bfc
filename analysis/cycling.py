"""Both states of many cells after so many cycles: medians and spreads, with their intervals.

Nothing is supposed of the distributions but that cells are independent: HIGH of HfOx is far from
log-normal. Medians have the interval of order statistics, exact and therefore a little too wide;
spreads (standard deviations of ln R) that of Bonett (Comput. Stat. Data Anal. 50, 775 (2006)),
which reckons with the kurtosis. Free of torch.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, norm, trim_mean

from analysis.bounded import Bounded
from analysis.intervals import check_confidence
from crossbar.errors import DataError
from crossbar.units import Ratio

FloatArray = NDArray[np.float64]
FEWEST_CELLS = 6
FOLLOWING: Ratio = 1.5
"""A cell whose LOW conductance is farther than this factor from the median does not follow its
SETs (short, open, stuck): it is left out of both states. Ours: five standard deviations."""


@dataclass(frozen=True, kw_only=True)
class CycledStates:
    """What a checkpoint found."""

    low_median: Bounded
    """Ohm."""
    low_spread: Bounded
    """Standard deviation of ln R, over cells and cycles together."""
    high_median: Bounded
    high_spread: Bounded
    cells: int
    """That follow their SETs."""
    left_out: int


def cycled_states(low: FloatArray, high: FloatArray, confidence: Ratio = 0.95) -> CycledStates:
    """From (n,) Siemens after the pulse that writes LOW, and after the one that writes HIGH.

    Raises DataError for too few cells that conduct.
    """
    check_confidence(confidence)
    median = float(np.median(low))
    follows = (low < FOLLOWING * median) & (low > median / FOLLOWING) & (high > 0)
    if np.count_nonzero(follows) < FEWEST_CELLS:
        raise DataError(
            f"{np.count_nonzero(follows)} of {len(low)} cells follow their SETs: "
            f"{FEWEST_CELLS} are the least for medians and spreads. Take more cells, or form them."
        )
    logs = [-np.log(conductance[follows]) for conductance in (low, high)]
    medians = [median_interval(values, confidence) for values in logs]
    return CycledStates(
        low_median=_exponential(medians[0]),
        low_spread=spread_interval(logs[0], confidence),
        high_median=_exponential(medians[1]),
        high_spread=spread_interval(logs[1], confidence),
        cells=int(np.count_nonzero(follows)),
        left_out=int(np.count_nonzero(~follows)),
    )


def median_interval(values: FloatArray, confidence: Ratio) -> Bounded:
    """Between two order statistics, by the binomial distribution of how many lie below the median;
    infinite where there are too few values.
    """
    ordered = np.sort(values)
    below = int(binom.ppf((1 - confidence) / 2, len(values), 0.5))
    if binom.cdf(below - 1, len(values), 0.5) > (1 - confidence) / 2:
        below -= 1
    low = ordered[below - 1] if below > 0 else -np.inf
    high = ordered[-below] if below > 0 else np.inf
    return Bounded(value=float(np.median(values)), low=float(low), high=float(high))


def spread_interval(values: FloatArray, confidence: Ratio) -> Bounded:
    """Of the standard deviation, whatever the shape of the distribution (Bonett)."""
    count = len(values)
    variance = float(np.var(values, ddof=1))
    if variance == 0:
        return Bounded(value=0.0, low=0.0, high=0.0)
    centre = trim_mean(values, 1 / (2 * np.sqrt(count - 4)))
    kurtosis = count * np.sum((values - centre) ** 4) / np.sum((values - values.mean()) ** 2) ** 2
    z = float(norm.ppf((1 + confidence) / 2))
    correction = count / (count - z)
    error = correction * np.sqrt((kurtosis - (count - 3) / count) / (count - 1))
    ends = np.sqrt(correction * variance * np.exp(z * error * np.array([-1.0, 1.0])))
    return Bounded(value=float(np.sqrt(variance)), low=float(ends[0]), high=float(ends[1]))


def _exponential(bounds: Bounded) -> Bounded:
    return Bounded(
        value=float(np.exp(bounds.value)),
        low=float(np.exp(bounds.low)),
        high=float(np.exp(bounds.high)),
    )
