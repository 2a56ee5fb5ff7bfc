"""How sure a ratio of two means is."""

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from analysis.intervals import check_confidence
from analysis.mean_interval import MeanInterval
from crossbar.errors import DataError


def ratio_interval(above: ArrayLike, below: ArrayLike, confidence: float = 0.95) -> MeanInterval:
    """Fieller's interval of mean(above) / mean(below), for pairs (n,) of about normal values.

    J. R. Stat. Soc. B 16, 175 (1954): all ratios r for which the mean of above - r below may be
    zero. Infinite for a single pair, and where the mean below may itself be zero: nothing is then
    known. Raises DataError for no pairs, or such as are not finite.
    """
    check_confidence(confidence)
    x, y = np.asarray(above, np.float64), np.asarray(below, np.float64)
    if x.shape != y.shape or x.ndim != 1 or not len(x) or not np.isfinite([x, y]).all():
        raise DataError(
            "A ratio with an interval needs two rows of as many finite values; there are "
            f"{x.shape} and {y.shape}."
        )
    count, ratio = len(x), float(x.mean() / y.mean()) if y.mean() else math.nan
    if count == 1:
        return MeanInterval(mean=ratio, low=-math.inf, high=math.inf, count=1)
    t2 = float(stdtrit(count - 1, (1 + confidence) / 2)) ** 2 / count
    (xx, xy), (_, yy) = np.cov(x, y)
    a = y.mean() ** 2 - t2 * yy
    b = x.mean() * y.mean() - t2 * xy
    c = x.mean() ** 2 - t2 * xx
    if a <= 0:
        return MeanInterval(mean=ratio, low=-math.inf, high=math.inf, count=count)
    half = math.sqrt(max(b * b - a * c, 0.0)) / a
    return MeanInterval(mean=ratio, low=b / a - half, high=b / a + half, count=count)
