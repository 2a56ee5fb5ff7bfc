"""How sure a median and a spread are where nothing is supposed of the values' distribution.

But that they are independent: of cells, say. Free of torch.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, norm, trim_mean

from crossbar.estimate import Estimate
from crossbar.units import Ratio

FloatArray = NDArray[np.float64]


def median_interval(values: FloatArray, confidence: Ratio) -> Estimate:
    """Median of (n,) values, between two order statistics: exact, hence a little too wide.

    By the binomial distribution of how many values lie below the median; open where there are too
    few of them.
    """
    ordered = np.sort(values)
    below = int(binom.ppf((1 - confidence) / 2, len(values), 0.5))
    ends = (ordered[below - 1], ordered[-below]) if below > 0 else (-np.inf, np.inf)
    return Estimate.of(np.median(values), *ends)


def spread_interval(values: FloatArray, confidence: Ratio) -> Estimate:
    """Standard deviation of (n,) values, five or more, with an interval that reckons with their
    kurtosis (Bonett, Comput. Stat. Data Anal. 50, 775, 2006).
    """
    count = len(values)
    variance = float(np.var(values, ddof=1))
    if variance == 0:
        return Estimate(estimate=0.0, low=0.0, high=0.0)
    centre = trim_mean(values, 1 / (2 * np.sqrt(count - 4)))
    kurtosis = count * np.sum((values - centre) ** 4) / np.sum((values - values.mean()) ** 2) ** 2
    z = float(norm.ppf((1 + confidence) / 2))
    correction = count / (count - z)
    error = correction * np.sqrt((kurtosis - (count - 3) / count) / (count - 1))
    ends = np.sqrt(correction * variance * np.exp(z * error * np.array([-1.0, 1.0])))
    return Estimate.of(np.sqrt(variance), *ends)
