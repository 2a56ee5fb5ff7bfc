"""Do the residuals of weak RESET trains contradict the model?

What is tested are the readings' quantiles given the readings before them (Rosenblatt, Ann. Math.
Stat. 23, 470, 1952), as normal numbers. The cell's own 1/f noise and the fit itself relate them to
each other even if the model is right; what that does is taken off first
(`analysis.slow_noise.innovations`). Free of torch.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri
from scipy.stats import chi2

from analysis.slow_noise import LinearFit, innovations
from analysis.telegraph_levels import fraction_below
from analysis.weak_reset_likelihood import Curves, Expected

Values = NDArray[np.float64]
LAGS = 5
"""Of the test. Ours: with 10 the stated rate of false alarms held less well."""


def misfit(fits: list[LinearFit], curves: Curves, found: Expected) -> Values:
    """(n,) p-values of the Ljung-Box test (`LAGS` lags; Biometrika 65, 297, 1978) of n cells.

    ``fits`` have the cells' readings, train after train, without places where none was read.
    """
    cells = zip(fits, normal_quantiles(curves, found), found.read, strict=True)
    return np.array([_p_value(fit, values, read) for fit, values, read in cells])


def normal_quantiles(curves: Curves, found: Expected) -> Values:
    """(n, k, m) of the readings given those before; anything where nothing was read."""
    noise = curves.noise[:, None, None]
    low = ndtr(found.residual / noise)
    below = fraction_below(found.residual / noise, curves.level[:, None, None] / noise)
    quantile = low + found.states.expected_high * (below - low)
    return np.asarray(ndtri(np.clip(quantile, 1e-9, 1 - 1e-9)))


def _p_value(fit: LinearFit, values: Values, read: NDArray[np.bool_]) -> float:
    found = np.zeros(read.shape)
    found[read] = innovations(fit, values[read])
    readings = int(read.sum())
    free = readings - int(np.linalg.matrix_rank(fit.design * fit.weight[:, None]))
    variance = np.sum(found**2)
    statistic = 0.0
    for lag in range(1, LAGS + 1):
        together = np.sum(found[:, lag:] * found[:, :-lag]) / variance
        pairs = np.sum(read[:, lag:] & read[:, :-lag]) * free / readings
        statistic += together**2 / max(pairs, 1.0)
    return float(chi2.sf(statistic * free * (free + 2), LAGS))
