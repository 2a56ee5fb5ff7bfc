"""The most likely values of a few parameters, and their profile-likelihood intervals, by scipy.

For one likelihood with a gradient. Thousands of cells at once: `analysis.profile_walk`. Free
of torch.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import chi2

from analysis.intervals import check_confidence

Values = NDArray[np.float64]
Loss = Callable[[Values], tuple[float, Values]]
"""Minus the log-likelihood of k parameters, and its gradient (k,)."""
FIRST_STEP = 0.05
"""Where the search for an end begins, in units of the parameter (a logarithm, as a rule)."""
SHARPNESS = 1e-3
"""How exactly an end is found, in the same units: far inside any interval that is worth having."""


def most_likely(loss: Loss, start: Values, bounds: Values) -> tuple[Values, float]:
    """The parameters (k,) of the smallest loss within ``bounds`` (k, 2), and that loss."""
    if not len(start):  # the profile of a single parameter leaves nothing to seek
        return start, loss(start)[0]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return np.asarray(found.x), float(found.fun)


def profile_interval(
    loss: Loss,
    summit: Values,
    axis: int,
    bounds: Values,
    confidence: float = 0.95,
    dispersion: float = 1.0,
) -> tuple[float, float]:
    """Ends between which the best fit with parameter ``axis`` held fixed stays good enough.

    Good enough is a loss within chi2(confidence, 1) / 2 of that at the ``summit`` (k,) (Wilks,
    Ann. Math. Stat. 9, 60, 1938), times ``dispersion``: the parameter's variance as a multiple of
    what the likelihood supposes. An end that is not met within ``bounds`` (k, 2) is infinite.
    Raises ConfigurationError for a confidence outside 0 to 1.
    """
    drop = float(chi2.ppf(check_confidence(confidence), 1)) / 2 * dispersion
    allowed = loss(summit)[0] + drop
    others = np.arange(len(summit)) != axis

    def excess(held: float, start: Values) -> tuple[float, Values]:
        """How much worse than allowed the best fit is with the parameter held, and that fit."""
        point = start.copy()
        point[axis] = held

        def held_loss(free: Values) -> tuple[float, Values]:
            point[others] = free
            value, gradient = loss(point)
            return value, gradient[others]

        point[others], least = most_likely(held_loss, start[others], bounds[others])
        return least - allowed, point

    low, high = (
        _end(excess, summit, axis, float(limit), 2.0 * side - 1)
        for side, limit in enumerate(bounds[axis])
    )
    return low, high


def _end(
    excess: Callable[[float, Values], tuple[float, Values]],
    summit: Values,
    axis: int,
    limit: float,
    sign: float,
) -> float:
    """Where ``excess`` turns positive between the summit and the limit on one side.

    Every trial starts from the best fit at the farthest value that is still inside, so that the
    search follows one ridge.
    """
    inside, fit, step, outside = float(summit[axis]), summit, FIRST_STEP, sign * np.inf
    while abs(outside - inside) > SHARPNESS:
        if np.isinf(outside):
            trial = sign * min(sign * inside + step, sign * limit)
            step *= 2
        else:
            trial = (inside + outside) / 2
        worse, there = excess(trial, fit)
        if worse > 0:
            outside = trial
        elif trial == limit:
            return sign * np.inf
        else:
            inside, fit = trial, there
    return inside
