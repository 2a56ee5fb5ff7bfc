"""How sure a mean over seeds or dies is."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from analysis.intervals import check_confidence
from crossbar.errors import DataError


@dataclass(frozen=True, kw_only=True)
class MeanInterval:
    """A mean, and what it would be over many more of the same, in the unit of the values."""

    mean: float
    low: float
    high: float
    count: int
    """Values that it is the mean of."""


def mean_interval(values: ArrayLike, confidence: float = 0.95) -> MeanInterval:
    """Student's interval for the mean of independent, about normal values (Biometrika 6, 1, 1908).

    ``values`` (n,): one of each seed, or die. A single value has no spread to judge by: its
    interval is infinite. Values that are all equal have an interval of width zero, which says that
    they do not spread, not that the mean is exact. Raises DataError for no values, or such as are
    not finite, and ConfigurationError for a confidence outside 0 to 1.
    """
    check_confidence(confidence)
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 1 or not found.size or not np.isfinite(found).all():
        raise DataError(
            f"A mean with an interval needs a row of finite values; there are {found.size} in "
            f"shape {found.shape}, {np.count_nonzero(~np.isfinite(found))} of them not finite."
        )
    mean, count = float(found.mean()), len(found)
    if count == 1:
        return MeanInterval(mean=mean, low=-math.inf, high=math.inf, count=1)
    half = float(stdtrit(count - 1, (1 + confidence) / 2) * found.std(ddof=1) / math.sqrt(count))
    return MeanInterval(mean=mean, low=mean - half, high=mean + half, count=count)
