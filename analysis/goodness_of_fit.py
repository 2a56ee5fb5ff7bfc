"""Do a cell's counts contradict the switching model that was fitted to them?

The deviance of a fit is compared with those of counts drawn from the fit itself (parametric
bootstrap; Efron and Tibshirani 1993, chapter 16), with the very attempts that were made: exact
distributions, also where few errors are expected and chi-squared would not do. Each draw is fitted
anew by one step of Fisher scoring from the fit, which takes from its deviance what three free
parameters take.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import xlogy

from analysis.switching_counts import SwitchingCounts
from analysis.switching_fit import SwitchingFits
from analysis.switching_likelihood import linearized

DRAWS = 1999
"""Of each row; the smallest p-value is then 1 in 2,000."""
MEMORY = 4_000_000
"""Counts drawn at once."""

Values = NDArray[np.float64]


def goodness_of_fit(
    counts: SwitchingCounts, fits: SwitchingFits, generator: np.random.Generator, draws: int = DRAWS
) -> Values:
    """(n,) p-values of the fits to these counts; NaN where the fit did not converge.

    (1 + draws at least as deviant) / (1 + draws): a sound cell is below alpha with probability
    alpha, on average over what the fit leaves open.
    """
    p_values = np.full(len(fits.cells), np.nan)
    rows = np.flatnonzero(fits.converged)
    size = max(1, MEMORY // (draws * counts.errors.shape[1]))
    for start in range(0, len(rows), size):
        chosen = rows[start : start + size]
        drawn = drawn_deviances(counts, fits, chosen, generator, draws)
        beyond = np.count_nonzero(drawn >= fits.deviance[chosen, None], axis=1)
        p_values[chosen] = (1 + beyond) / (1 + draws)
    return p_values


def drawn_deviances(
    counts: SwitchingCounts,
    fits: SwitchingFits,
    rows: NDArray[np.intp],
    generator: np.random.Generator,
    draws: int,
) -> Values:
    """(rows, draws) deviances of counts drawn from the fits of these rows, fitted anew."""
    log_error, slopes = (
        found.numpy()
        for found in linearized(
            torch.from_numpy(fits.estimate[rows]).log(),
            torch.from_numpy(counts.amplitude[rows]),
            torch.from_numpy(counts.width[rows]),
            fits.barrier_exponent,
        )
    )
    rate, success = np.exp(log_error)[:, None], -np.expm1(log_error)[:, None]
    attempts = counts.attempts[rows][:, None]
    shape = (len(rows), draws, counts.errors.shape[1])
    errors = generator.binomial(np.broadcast_to(attempts, shape), np.broadcast_to(rate, shape))
    deviance = binomial_deviance(errors, attempts, rate, success)
    score = np.einsum("rdm,rmp->rdp", (errors - attempts * rate) / success, slopes)
    taken = np.einsum("rdp,rpq,rdq->rd", score, fits.covariance[rows], score)
    return deviance - taken


def binomial_deviance(
    errors: NDArray[np.int64], attempts: NDArray[np.int64], rate: Values, success: Values
) -> Values:
    """Twice what the observed rates gain over these ones, summed over the last axis."""
    right = attempts - errors
    tried = np.maximum(attempts, 1)
    gained = xlogy(errors, errors / tried) - xlogy(errors, rate)
    gained += xlogy(right, right / tried) - xlogy(right, success)
    return 2 * gained.sum(-1)
