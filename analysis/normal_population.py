"""Mean and covariance of a normal population whose members are known with an error each.

Of each cell there is a likelihood of its k values, taken as normal: it may be narrow, wide, or say
nothing at all about some of them. The covariance of the population is the most likely one after
the mean has been integrated out (restricted likelihood, Patterson and Thompson, Biometrika 58, 545,
1971), so that few cells do not make the spreads come out too small. Free of torch.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from analysis.likelihood_profile import Loss, most_likely, profile_interval

Values = NDArray[np.float64]
SPREADS = (1e-4, 3.0)
"""Standard deviations that are tried; ours. The smallest counts as none: the values are logarithms,
and a hundredth of a per cent does not matter."""
LARGEST_CORRELATION = 0.9995
"""Beyond it two values count as one; ours."""


@dataclass(frozen=True, kw_only=True)
class CellTerms:
    """Log-likelihoods of n cells: ``pull @ x - x @ information @ x / 2``, and a constant."""

    pull: Values
    """(n, k)"""
    information: Values
    """(n, k, k)"""


@dataclass(frozen=True, kw_only=True)
class NormalPopulation:
    """What was found."""

    mean: Values
    """(k,)"""
    mean_covariance: Values
    """(k, k) of the error of ``mean``."""
    covariance: Values
    """(k, k) of the population."""
    coordinates: Values
    """Where the search ended; a start for others like it."""


def fit_normal_population(
    terms: CellTerms, weights: Values | None = None, start: Values | None = None
) -> NormalPopulation:
    """The most likely population of these cells, each counted ``weights`` (n,) times."""
    size = terms.pull.shape[1]
    if start is None:
        start = np.concatenate([np.full(size, np.log(0.1)), np.zeros(size * (size - 1) // 2)])
    loss = restricted_loss(terms, np.arange(size), weights)
    coordinates, _ = most_likely(loss, start, search_bounds(size))
    covariance = covariance_at(coordinates)
    mean, mean_covariance = mean_given(covariance, terms, weights)
    return NormalPopulation(
        mean=mean,
        mean_covariance=mean_covariance,
        covariance=covariance,
        coordinates=coordinates,
    )


def mean_intervals(found: NormalPopulation, cells: int, confidence: float) -> tuple[Values, Values]:
    """Ends (k,) and (k,) for the mean; Student's t, for the spreads come from few cells too."""
    reach = student.ppf(0.5 + confidence / 2, cells - 1)
    half = reach * np.sqrt(np.diagonal(found.mean_covariance))
    return found.mean - half, found.mean + half


def spread_intervals(
    terms: CellTerms, found: NormalPopulation, confidence: float
) -> tuple[Values, Values]:
    """Profile-likelihood intervals (k,) and (k,) of the standard deviations; open ends 0 and inf.

    The mean is integrated out, so each end is where the restricted likelihood has dropped.
    """
    size = len(found.mean)
    loss, bounds = restricted_loss(terms, np.arange(size)), search_bounds(size)
    ends = [
        profile_interval(loss, found.coordinates, axis, bounds, confidence) for axis in range(size)
    ]
    low, high = np.exp(np.array(ends)).T
    return low, high


def correlation_intervals(
    terms: CellTerms, found: NormalPopulation, confidence: float
) -> tuple[Values, Values]:
    """The same for the correlations, (k, k) and (k, k); open ends are -1 and 1."""
    size = len(found.mean)
    low, high, bounds = np.eye(size), np.eye(size), search_bounds(size)
    for pair in combinations(range(size), 2):
        # The correlation of the first two values is itself a coordinate, so these two come first.
        order = np.array([*pair, *(other for other in range(size) if other not in pair)])
        summit = coordinates_of(found.covariance[np.ix_(order, order)])
        loss = restricted_loss(terms, order)
        ends = profile_interval(
            loss, np.clip(summit, *bounds.T), size, bounds, confidence=confidence
        )
        low[pair], high[pair] = low[pair[::-1]], high[pair[::-1]] = np.tanh(ends)
    return low, high


def search_bounds(size: int) -> Values:
    """Bounds (k + k (k - 1) / 2, 2) of the coordinates."""
    turn = np.arctanh(LARGEST_CORRELATION)
    return np.concatenate(
        [
            np.tile(np.log(SPREADS), (size, 1)),
            np.tile([-turn, turn], (size * (size - 1) // 2, 1)),
        ]
    )


def covariance_at(coordinates: NDArray) -> NDArray:
    """Covariances (..., k, k) at coordinates (..., k + k (k - 1) / 2): any are allowed.

    They are the logarithms of the standard deviations, then the inverse hyperbolic tangents of the
    partial correlations of value pairs (0, 1), (0, 2), (1, 2) given 0, and so on (Lewandowski,
    Kurowicka and Joe, J. Multivar. Anal. 100, 1989, 2009).
    """
    size = int((np.sqrt(8 * coordinates.shape[-1] + 1) - 1) / 2)
    partial = np.tanh(coordinates[..., size:])
    root = np.zeros((*coordinates.shape[:-1], size, size), dtype=coordinates.dtype)
    place = 0
    left = np.ones((*coordinates.shape[:-1], size), dtype=coordinates.dtype)
    for column in range(size):
        root[..., column, column] = left[..., column]
        for row in range(column + 1, size):
            root[..., row, column] = partial[..., place] * left[..., row]
            left[..., row] = left[..., row] * np.sqrt(1 - partial[..., place] ** 2)
            place += 1
    root = np.exp(coordinates[..., :size, None]) * root
    return root @ np.swapaxes(root, -1, -2)


def coordinates_of(covariance: Values) -> Values:
    """The coordinates (k + k (k - 1) / 2,) of one covariance (k, k)."""
    size = len(covariance)
    spreads = np.sqrt(np.diagonal(covariance))
    root = np.linalg.cholesky(covariance / np.outer(spreads, spreads))
    partial = [
        root[row, column] / np.sqrt(1 - np.sum(root[row, :column] ** 2))
        for column in range(size)
        for row in range(column + 1, size)
    ]
    return np.concatenate([np.log(spreads), np.arctanh(partial)])


def mean_given(
    covariance: Values, terms: CellTerms, weights: Values | None = None
) -> tuple[Values, Values]:
    """The most likely mean (k,) of a population of this covariance, and its covariance (k, k)."""
    share = shrinkage(covariance, terms)
    counted = np.ones(len(share)) if weights is None else weights
    error = np.linalg.inv(np.einsum("n,nij->ij", counted, share @ terms.information))
    return error @ np.einsum("n,nij,nj->i", counted, share, terms.pull), error


def shrinkage(covariance: Values, terms: CellTerms) -> Values:
    """(n, k, k) how much of its distance to the mean each cell gives up: (1 + J covariance)^-1."""
    retained = np.eye(len(covariance)) + terms.information @ covariance
    return np.asarray(np.linalg.inv(retained), dtype=np.float64)


def restricted_loss(terms: CellTerms, order: NDArray, weights: Values | None = None) -> Loss:
    """Minus the restricted log-likelihood, with gradient, of coordinates (k + k (k - 1) / 2,).

    The coordinates describe the values taken in this ``order`` (k,).
    """
    back = np.argsort(order)
    counted = np.ones(len(terms.pull)) if weights is None else weights

    def loss(coordinates: Values) -> tuple[float, Values]:
        # The derivative of an analytic function by an imaginary step has all its digits.
        steps = coordinates + 1e-30j * np.eye(len(coordinates))
        slopes = (covariance_at(steps).imag / 1e-30)[:, back][:, :, back]
        covariance = covariance_at(coordinates)[np.ix_(back, back)]
        share = shrinkage(covariance, terms)
        weight = share @ terms.information
        pull = np.einsum("nij,nj->ni", share, terms.pull)
        total = np.einsum("n,nij->ij", counted, weight)
        error = np.linalg.inv(total)
        whole = counted @ pull
        residual = pull - weight @ (error @ whole)
        spent = np.einsum("ni,nij,nj->n", terms.pull, covariance @ share, terms.pull)
        value = 0.5 * (
            counted @ (np.linalg.slogdet(share)[1] + spent)
            - np.linalg.slogdet(total)[1]
            + whole @ error @ whole
        )
        inner = residual[:, :, None] * residual[:, None, :] - weight + weight @ error @ weight
        gradient = 0.5 * np.einsum("n,nij,cij->c", counted, inner, slopes)
        return -float(value), -gradient

    return loss
