"""By how much noise with a memory widens the intervals of a fit that took it for white.

The residuals of many cells together tell how much of the noise is 1/f: its covariance falls with
the logarithm of the distance. What that does to each parameter of a linear fit follows (the
covariance of ordinary least squares under correlated errors). Free of torch.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class LinearFit:
    """One cell's fit, all its readings in one row."""

    design: Values
    """(n, p) derivatives of the readings by the parameters."""
    weight: Values
    """(n,) 0 to 1: how far a reading counts."""
    residual: Values
    """(n,) in units of the white noise that the fit supposes."""
    covariance: Values
    """(n, n) of 1/f noise of unit size, see `one_over_f`."""


def one_over_f(place: Values, series: NDArray[np.int64]) -> Values:
    """(n, n) covariance of 1/f noise at these places, to a constant in every series.

    It falls with the logarithm of the distance (of readings that lie in one series; others have
    none). The constant does not matter where each series has a level of its own.
    """
    distance = np.abs(place[:, None] - place)
    nearest = float(np.min(distance[distance > 0], initial=np.ptp(place) or 1.0))
    logarithm = -np.log(np.maximum(distance, nearest / 2) / (np.ptp(place) or 1.0))
    return np.where(series[:, None] == series, logarithm, 0.0)


def widening(fits: list[LinearFit]) -> Values:
    """(cells, p) factors, at least 1, on the variances of the parameters; p is that of all fits."""
    sandwiches = [_projected(fit) for fit in fits]
    white, slow = _sizes(fits, sandwiches)
    factors = []
    for fit, (inverse, _) in zip(fits, sandwiches, strict=True):
        pull = inverse @ fit.design.T * fit.weight
        noise = white * np.eye(len(fit.weight)) + slow * fit.covariance
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = np.diagonal(pull @ noise @ pull.T) / np.diagonal(inverse)
        factors.append(np.where(np.isfinite(factor), np.maximum(factor, 1.0), 1.0))
    return np.array(factors)


def _projected(fit: LinearFit) -> tuple[Values, Values]:
    """The inverse of the normal equations, and what a fit leaves of noise (n, n)."""
    normal = fit.design.T * fit.weight @ fit.design
    inverse = np.asarray(np.linalg.pinv(normal, hermitian=True), np.float64)
    leaves = np.eye(len(fit.weight)) - fit.design @ inverse @ fit.design.T * fit.weight
    return inverse, fit.weight[:, None] * leaves


def _sizes(fits: list[LinearFit], projected: list[tuple[Values, Values]]) -> tuple[float, float]:
    """Variances of the white and the 1/f part by the moments of all residuals; neither negative."""
    found, expected = np.zeros(2), np.zeros((2, 2))
    for fit, (_, leaves) in zip(fits, projected, strict=True):
        seen = fit.weight * fit.residual
        found += seen @ seen, seen @ fit.covariance @ seen
        left_white = leaves @ leaves.T
        left_slow = leaves @ fit.covariance @ leaves.T
        expected[0] += np.trace(left_white), np.trace(left_slow)
        expected[1] += (
            np.sum(left_white * fit.covariance),
            np.sum(left_slow * fit.covariance),
        )
    white, slow = np.linalg.solve(expected, found)
    if slow <= 0:
        return float(found[0] / expected[0, 0]), 0.0
    return float(max(white, 0.0)), float(slow)
