"""Two spreads in one another: between cells, and within a cell from one cycle to the next.

Values (cells, cycles), each with an error of known size: x = mean + cell + cycle + error, all of
them normal (a one-way random effects model; Searle, Casella and McCulloch, Variance Components,
1992). Free of torch.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from analysis.intervals import check_confidence
from analysis.likelihood_profile import most_likely, profile_interval
from crossbar.errors import DataError
from crossbar.estimate import Estimate

Values = NDArray[np.float64]
RANGE = (1e-3, 30.0)
"""Standard deviations that are tried, over that of all values; the smallest counts as none.
Ours."""


@dataclass(frozen=True, kw_only=True)
class NestedSpread:
    """In the unit of the values."""

    mean: Estimate
    between: Estimate
    """Standard deviation cell to cell; the low end is 0 where no spread is not excluded."""
    within: Estimate
    """Cycle to cycle. NaN if no cell has two cycles: then ``between`` holds both."""


def nested_spread(values: Values, errors: Values, confidence: float = 0.95) -> NestedSpread:
    """The most likely spreads, the mean integrated out, with profile-likelihood intervals.

    ``values`` (n, k) are NaN where a cell has fewer cycles. Raises DataError for fewer than three
    cells, and ConfigurationError for a confidence outside 0 to 1.
    """
    check_confidence(confidence)
    seen = np.isfinite(values)
    cells = int(np.count_nonzero(seen.any(1)))
    if cells < 3:
        raise DataError(f"{cells} cells cannot show a spread between cells; measure more cells.")
    unit = float(np.std(values[seen])) or 1.0
    x, squared = np.where(seen, values, 0.0) / unit, np.where(seen, errors / unit, 1.0) ** 2
    both = bool(np.any(seen.sum(1) > 1))

    def mean_and_loss(spreads: Values) -> tuple[float, float, float]:
        between, within = np.exp(2 * spreads[0]), np.exp(2 * spreads[1]) if both else 0.0
        weight = np.where(seen, 1 / (within + squared), 0.0)
        total = weight.sum(1)
        shared = total / (1 + between * total)  # of a cell's mean: Sherman and Morrison
        center = np.divide((weight * x).sum(1), total, out=np.zeros(len(x)), where=total > 0)
        mean = np.sum(shared * center) / np.sum(shared)
        rest = np.sum(weight * (x - center[:, None]) ** 2) + np.sum(shared * (center - mean) ** 2)
        size = np.sum(np.log(weight[seen])) - np.sum(np.log1p(between * total))
        return mean, 1 / np.sum(shared), 0.5 * (rest - size + np.log(np.sum(shared)))

    def loss(spreads: Values) -> tuple[float, Values]:
        steps = 1e-5 * np.eye(len(spreads))
        slopes = [
            (mean_and_loss(spreads + h)[2] - mean_and_loss(spreads - h)[2]) / 2e-5 for h in steps
        ]
        return mean_and_loss(spreads)[2], np.array(slopes)

    bounds = np.log([RANGE] * (1 + both))
    summit, _ = most_likely(loss, np.log([0.7] * (1 + both)), bounds)

    def spread(axis: int) -> Estimate:
        if axis >= len(summit):
            return Estimate.alone(np.nan)
        ends = profile_interval(loss, summit, axis, bounds, confidence)
        return Estimate.of(*(unit * np.exp(x) for x in (summit[axis], *ends)))

    mean, variance, _ = mean_and_loss(summit)
    half = student.ppf(0.5 + confidence / 2, cells - 1) * np.sqrt(variance)
    return NestedSpread(
        mean=Estimate.of(*(unit * x for x in (mean, mean - half, mean + half))),
        between=spread(0),
        within=spread(1),
    )
