"""What noise with a memory does to a fit that took it for white: wider intervals, other residuals.

How much of a cell's noise is 1/f, whose covariance falls with the logarithm of the distance, its
residuals tell by their restricted likelihood (Patterson and Thompson, Biometrika 58, 545, 1971).
What that does to each parameter of a linear fit follows (the covariance of least squares under
correlated errors), and so does what of the residuals should have no memory left. Free of torch.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import null_space, solve_triangular
from scipy.special import softmax

Values = NDArray[np.float64]
RATIOS = np.r_[0.0, np.geomspace(0.003, 3.0, 13)]
"""Variances of 1/f noise over the white one, as likely as each other before the residuals are seen.
Ours."""
COUNTS = 0.5
"""Weight above which a reading tells of the noise. Ours."""
DIFFUSE = 1e6
"""Variance of a parameter before anything was read, over the white one. Ours."""


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
    """(cells, p) factors, at least 1, on the variances of the parameters; p is that of all fits.

    The size of the noise, which a fit by maximum likelihood finds too small, is among them.
    """
    return np.array([np.maximum(_factors(fit), 1.0) for fit in fits])


def innovations(fit: LinearFit, values: Values) -> Values:
    """(n,) what each of the values says beyond those before it; nearly 0 for those that it took to
    find the parameters. ``values`` are the residuals where readings count fully, and know neither
    parameters nor 1/f noise where they do not count at all.

    The others are independent, of one size, if the model and the mean size of the 1/f noise are
    right (recursive residuals; Brown, Durbin and Evans, J. R. Stat. Soc. B 37, 149, 1975).
    """
    share, _ = _ratio_shares(fit)
    design = fit.design * fit.weight[:, None]
    slow = share @ RATIOS * fit.covariance * np.outer(fit.weight, fit.weight)
    covariance = np.eye(len(values)) + slow + DIFFUSE * design @ design.T
    return np.asarray(solve_triangular(np.linalg.cholesky(covariance), values, lower=True))


def _factors(fit: LinearFit) -> Values:
    """(p,) the mean over the ratios, each as likely as the residuals make it."""
    share, white = _ratio_shares(fit)
    normal = fit.design.T * fit.weight @ fit.design
    pull = np.linalg.pinv(normal, hermitian=True) @ fit.design.T * fit.weight
    with np.errstate(divide="ignore", invalid="ignore"):
        slow = np.diagonal(pull @ fit.covariance @ pull.T) / np.sum(pull**2, axis=1)
    slow = np.where(np.isfinite(slow), slow, 0.0)
    share = share * white
    return np.asarray(share.sum() + (share @ RATIOS) * slow)


def _ratio_shares(fit: LinearFit) -> tuple[Values, Values]:
    """(ratios,) how likely the residuals make each of `RATIOS`, and the white variance with it."""
    counts = fit.weight > COUNTS
    if counts.sum() < 2 * fit.design.shape[1]:
        counts[:] = True  # nearly all are doubtful alike
    free = null_space(fit.design[counts].T)
    sizes, axes = np.linalg.eigh(free.T @ fit.covariance[np.ix_(counts, counts)] @ free)
    square = (axes.T @ (free.T @ fit.residual[counts])) ** 2
    variance = 1 + RATIOS[:, None] * np.maximum(sizes, 0.0)
    white = np.mean(square / variance, axis=1)
    log_likelihood = -0.5 * (np.log(variance).sum(1) + len(sizes) * np.log(white))
    return softmax(log_likelihood), white
