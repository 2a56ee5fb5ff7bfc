"""Delta, V_c0 and tau_D of a population of cells, by partial pooling.

The logarithms of the three parameters are normal across the cells (by custom; 4.4 % for V_c0 is
measured, IBM, IEDM 2010). Every cell's counts and the population speak together: a cell that was
measured well keeps its own values, one whose counts say little is drawn to the median. The
population's medians, spreads and correlations are the most likely ones (empirical Bayes; Efron and
Morris, J. Am. Stat. Assoc. 70, 311, 1975), with each cell's likelihood taken as normal around its
most probable values, again and again until neither changes (Laplace; Lindstrom and Bates,
Biometrics 46, 673, 1990).

A cell that another mechanism spoils pulls at the population like any other: leave out what
`analysis.goodness_of_fit` rejects.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import norm

from analysis.intervals import check_confidence
from analysis.normal_population import (
    CellTerms,
    NormalPopulation,
    correlation_intervals,
    fit_normal_population,
    mean_intervals,
    shrinkage,
    spread_intervals,
)
from analysis.switching_counts import SwitchingCounts
from analysis.switching_fit import best_optimum, search_range
from analysis.switching_likelihood import Observations, log_likelihood, score_and_information
from crossbar.errors import DataError
from crossbar.geometry import CellIndices
from crossbar.pulses import State
from crossbar.units import Ratio
from physics.mtj_laws import check_barrier_exponent

Values = NDArray[np.float64]
FEWEST_CELLS = 8
"""Below it six spreads and correlations cannot be told; ours."""
FIRST_SPREAD = 0.3
"""Standard deviation that the search supposes first: larger than any known one, so that it hardly
pulls. Ours."""
ROUNDS = 30
"""Of finding cells and population in turn; four are usual."""
SETTLED = 1e-3
"""The search ends when medians and spreads change by less than this share of the spread."""


@dataclass(frozen=True, kw_only=True)
class SwitchingPopulation:
    """What the counts of n cells say about all cells; columns are `switching_fit.PARAMETERS`."""

    target: State
    confidence: Ratio
    barrier_exponent: Ratio
    """That was supposed of all cells."""
    median: Values
    """(3,) with the interval ``median_low`` to ``median_high``."""
    median_low: Values
    median_high: Values
    spread: Values
    """(3,) standard deviations of the logarithm, cell to cell; low ends of 0 are open."""
    spread_low: Values
    spread_high: Values
    correlation: Values
    """(3, 3) of the logarithms; ends of -1 and 1 are open. Meaningless where a spread is not above
    zero."""
    correlation_low: Values
    correlation_high: Values
    cells: CellIndices
    """(n,) flat indices."""
    estimate: Values
    """(n, 3) each cell's most probable parameters, given its counts and the population."""
    low: Values
    """(n, 3) low end of the interval that holds the cell's own parameter."""
    high: Values
    terms: CellTerms
    """What each cell's own counts say: the logarithms of the parameters over ``origin``."""
    origin: Values
    """(3,)"""
    logarithms: NormalPopulation
    """Of the same logarithms."""


def towards(counts: SwitchingCounts, target: State) -> SwitchingCounts:
    """The counts of the writes that aim at one state. Raises DataError if there are none."""
    rows = np.array([aim is target for aim in counts.targets], dtype=bool)
    if not rows.any():
        raise DataError(f"Nothing was counted towards {target.value}; measure that direction.")
    names = ("cells", "amplitude", "width", "attempts", "errors")
    return SwitchingCounts(
        targets=(target,) * int(rows.sum()), **{name: getattr(counts, name)[rows] for name in names}
    )


def fit_hierarchy(
    counts: SwitchingCounts, confidence: float = 0.95, barrier_exponent: float = 2.0
) -> SwitchingPopulation:
    """Fit the population of cells, and each cell as one of it, to counts of one direction.

    Raises DataError for fewer than `FEWEST_CELLS` cells or mixed directions (see `towards`), and
    ConfigurationError for a confidence outside 0 to 1.
    """
    check_confidence(confidence)
    _check_cells(counts)
    seen = Observations.of(counts, check_barrier_exponent(barrier_exponent))
    bounds = search_range(seen)
    modes = best_optimum(seen, bounds).parameters
    origin = modes.median(dim=0).values
    bounds = (bounds[0] - origin, bounds[1] - origin)
    modes, mean = modes - origin, torch.zeros_like(origin)
    covariance = FIRST_SPREAD**2 * torch.eye(len(origin), dtype=origin.dtype)
    start = None
    for _ in range(ROUNDS):
        modes = most_probable(seen, origin, modes, (mean, torch.linalg.inv(covariance)), bounds)
        terms = cell_terms(seen, origin, modes)
        found = fit_normal_population(terms, start=start)
        settled = unchanged(mean.numpy(), covariance.numpy(), found)
        start = found.coordinates
        mean, covariance = torch.from_numpy(found.mean), torch.from_numpy(found.covariance)
        if settled:
            break
    return _described(counts, confidence, terms, found, (origin.numpy(), barrier_exponent))


def _check_cells(counts: SwitchingCounts) -> None:
    """Refuse too few cells, and two populations in one."""
    if len(set(counts.targets)) > 1:
        raise DataError(
            "Counts towards LOW and towards HIGH are of two populations with critical voltages of "
            "their own; fit one direction at a time."
        )
    if len(counts.cells) < FEWEST_CELLS:
        raise DataError(
            f"A population of {len(counts.cells)} cells is too small to tell spreads and "
            f"correlations; it takes {FEWEST_CELLS}. Measure more cells."
        )


def most_probable(
    seen: Observations,
    origin: torch.Tensor,
    start: torch.Tensor,
    prior: tuple[torch.Tensor, torch.Tensor],
    bounds: tuple[torch.Tensor, torch.Tensor],
) -> torch.Tensor:
    """(n, 3) where likelihood times population is largest, by Fisher scoring with halved steps.

    ``prior`` is the population's mean (3,) and the inverse of its covariance (3, 3).
    """
    mean, precision = prior

    def probability(at: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        away = at - mean
        pull = torch.einsum("ni,ij,nj->n", away, precision, away)
        return log_likelihood(at + origin, seen.rows(rows)) - pull / 2

    at = start.clamp(*bounds)
    active = torch.arange(len(at))
    best, share = probability(at, active), torch.ones(len(at), dtype=at.dtype)
    for _ in range(40):
        score, information = score_and_information(at[active] + origin, seen.rows(active))
        score = score - (at[active] - mean) @ precision
        step = torch.linalg.solve(information + precision, score)
        gain = (score * step).sum(-1) / 2
        trial = (at[active] + share[active, None] * step.clamp(-0.5, 0.5)).clamp(*bounds)
        value = probability(trial, active)
        better = value > best[active]
        at[active] = torch.where(better[:, None], trial, at[active])
        best[active] = torch.where(better, value, best[active])
        share[active] = torch.where(better, 1.0, share[active] / 4)
        active = active[(gain > 1e-6) & (share[active] > 1e-4)]
        if len(active) == 0:
            break
    return at


def cell_terms(seen: Observations, origin: torch.Tensor, modes: torch.Tensor) -> CellTerms:
    """Each cell's log-likelihood around its mode: its slope there, and the expected curvature."""
    score, information = score_and_information(modes + origin, seen)
    pull = score + torch.einsum("nij,nj->ni", information, modes)
    return CellTerms(pull=pull.numpy(), information=information.numpy())


def unchanged(mean: Values, covariance: Values, found: NormalPopulation) -> bool:
    """Whether the population is the one that the cells' modes were sought with."""
    spread = np.sqrt(np.diagonal(found.covariance))
    moved = np.abs(found.mean - mean) / spread
    grown = np.abs(np.sqrt(np.diagonal(covariance)) / spread - 1)
    return bool(max(moved.max(), grown.max()) < SETTLED)


def _described(
    counts: SwitchingCounts,
    confidence: float,
    terms: CellTerms,
    found: NormalPopulation,
    supposed: tuple[Values, float],
) -> SwitchingPopulation:
    """The result, in the parameters' own units; ``supposed`` are origin and barrier exponent."""
    origin, barrier_exponent = supposed
    spread = np.sqrt(np.diagonal(found.covariance))
    median_low, median_high = mean_intervals(found, len(counts.cells), confidence)
    spread_low, spread_high = spread_intervals(terms, found, confidence)
    correlation_low, correlation_high = correlation_intervals(terms, found, confidence)
    center, half = pooled_cells(terms, found, confidence)
    return SwitchingPopulation(
        target=counts.targets[0],
        confidence=confidence,
        barrier_exponent=barrier_exponent,
        median=np.exp(origin + found.mean),
        median_low=np.exp(origin + median_low),
        median_high=np.exp(origin + median_high),
        spread=spread,
        spread_low=spread_low,
        spread_high=spread_high,
        correlation=found.covariance / np.outer(spread, spread),
        correlation_low=correlation_low,
        correlation_high=correlation_high,
        cells=counts.cells,
        estimate=np.exp(origin + center),
        low=np.exp(origin + center - half),
        high=np.exp(origin + center + half),
        terms=terms,
        origin=origin,
        logarithms=found,
    )


def pooled_cells(
    terms: CellTerms, found: NormalPopulation, confidence: float
) -> tuple[Values, Values]:
    """Each cell's logarithms (n, 3), and the half-widths (n, 3) of their intervals.

    The error of a cell is what its counts and the population leave open, and what it inherits of
    the mean's own error (Kackar and Harville, J. Am. Stat. Assoc. 79, 853, 1984).
    """
    share = shrinkage(found.covariance, terms)
    gained = terms.pull - np.einsum("nij,j->ni", terms.information, found.mean)
    center = found.mean + np.einsum("ij,njk,nk->ni", found.covariance, share, gained)
    inherited = np.swapaxes(share, 1, 2) @ found.mean_covariance @ share
    variance = np.diagonal(found.covariance @ share + inherited, axis1=1, axis2=2)
    return center, norm.ppf(0.5 + confidence / 2) * np.sqrt(variance)
