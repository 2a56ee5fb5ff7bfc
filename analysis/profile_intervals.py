"""Profile-likelihood intervals: how far a parameter may go before the best fit gets too poor."""

from dataclasses import dataclass

import torch
from torch import Tensor

from analysis.switching_likelihood import Observations, Optimum, maximize

ROUNDS = 15
"""Trial values at most for each end; three to six are usual."""
NEAR_ENOUGH = 0.01
"""An end is found when the root of twice the drop is this close to the one wanted: with 1.96
wanted, within about 0.5 % of the interval's half-width."""
ENOUGH = 5e-4
"""Log-likelihood left on the table at each trial: far less than the 1.92 that marks an end."""
RISE = 1e-2
"""A profile that gains more log-likelihood than this has found a higher summit."""


def profile_intervals(
    seen: Observations,
    optimum: Optimum,
    covariance: Tensor,
    bounds: tuple[Tensor, Tensor],
    drop: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """Low and high ends (n, 3) of the logarithms, and (n,) whether the optimum is the summit.

    An end is where the log-likelihood, maximized over the other two parameters, has fallen by
    ``drop``. An end that is not reached within ``bounds`` is open: -inf or inf. Where a profile
    rises above the optimum, that was not the maximum: the end is open, the third result False.
    """
    pairs = len(optimum.parameters)
    pair, axis, side = torch.cartesian_prod(
        torch.arange(pairs), torch.arange(3), torch.arange(2)
    ).unbind(1)
    ends = torch.arange(len(pair))
    sign = 2.0 * side - 1
    summit = optimum.parameters[pair]
    limit = torch.stack(bounds)[side, axis]
    variance = covariance[pair, axis, axis]
    held = torch.nn.functional.one_hot(axis, 3).to(torch.bool)
    walk = Walk(
        seen=seen.rows(pair),
        summit=summit,
        best=optimum.log_likelihood[pair],
        # The other two parameters follow along the ridge that the covariance describes.
        direction=covariance[pair, :, axis] * (sign / variance)[:, None],
        held=held,
        farthest=(limit - summit[ends, axis]).abs(),
        bounds=bounds,
        wanted=(2 * drop) ** 0.5,
    )
    distance, risen = walk_to_ends(walk, (walk.wanted * variance.sqrt()).clamp(max=0.5))
    at = (summit[ends, axis] + sign * distance).reshape(pairs, 3, 2)
    return at[..., 0], at[..., 1], ~risen.reshape(pairs, 6).any(1)


@dataclass(frozen=True, kw_only=True)
class Walk:
    """Where s walks from a summit, each along one parameter to one side, start and must end."""

    seen: Observations
    """(s, m)"""
    summit: Tensor
    """(s, 3)"""
    best: Tensor
    """(s,) log-likelihood at the summit."""
    direction: Tensor
    """(s, 3) change of all parameters for each unit walked; +-1 for the one walked along."""
    held: Tensor
    """(s, 3) True for the one parameter walked along."""
    farthest: Tensor
    """(s,) distance to the bound of the search range."""
    bounds: tuple[Tensor, Tensor]
    wanted: float
    """Root of twice the drop in log-likelihood that marks the end."""

    def gap(self, walks: Tensor, distance: Tensor) -> Tensor:
        """Root of twice the drop after ``distance``, less the one wanted; for some of the walks.

        Positive beyond the end. The drop is that of the best values of the other parameters.
        """
        start = self.summit[walks] + self.direction[walks] * distance[:, None]
        walked = torch.where(self.held[walks], start, start.clamp(*self.bounds))
        end = maximize(self.seen.rows(walks), walked, ~self.held[walks], self.bounds, ENOUGH, 30)
        drop = self.best[walks] - end.log_likelihood
        return torch.where(drop < -RISE, torch.nan, (2 * drop.clamp(min=0)).sqrt() - self.wanted)


def walk_to_ends(walk: Walk, first: Tensor) -> tuple[Tensor, Tensor]:
    """Distance (s,) to each end, infinite where open, and (s,) whether the likelihood rose.

    The gap is nearly a straight line in the distance, so the end is found by the secant between an
    inner and an outer distance; every third trial halves them instead, for lines that are not.
    """
    inner, inner_gap = torch.zeros_like(first), torch.full_like(first, -walk.wanted)
    outer, outer_gap = torch.full_like(first, torch.inf), torch.full_like(first, torch.inf)
    distance = first.minimum(walk.farthest)
    risen = torch.zeros_like(first, dtype=torch.bool)
    active = torch.arange(len(first))
    for turn in range(ROUNDS):
        gap = walk.gap(active, distance[active])
        risen[active] = gap.isnan()
        beyond = gap > 0
        outer[active] = torch.where(beyond, distance[active], outer[active])
        outer_gap[active] = torch.where(beyond, gap, outer_gap[active])
        inner[active] = torch.where(beyond, inner[active], distance[active])
        inner_gap[active] = torch.where(beyond, inner_gap[active], gap)
        at_bound = ~beyond & (distance[active] >= walk.farthest[active])
        distance[active] = torch.where(at_bound | gap.isnan(), torch.inf, distance[active])
        narrow = outer[active] < 1.01 * inner[active]
        active = active[~(gap.isnan() | at_bound | narrow | (gap.abs() < NEAR_ENOUGH))]
        if len(active) == 0:
            break
        onward = farther(inner[active], inner_gap[active], walk.wanted)
        bracket = (inner[active], inner_gap[active], outer[active], outer_gap[active])
        inward = between(*bracket, halve=turn % 3 == 2)
        known = outer[active].isfinite()
        distance[active] = torch.where(known, inward, onward.minimum(walk.farthest[active]))
    distance[active] = outer[active]  # out of patience: the end lies no farther than this
    return distance, risen


def farther(inner: Tensor, gap: Tensor, wanted: float) -> Tensor:
    """The next distance to try while no end is in sight: where a straight line would cross."""
    crossing = 1.1 * inner * wanted / (gap + wanted)
    return crossing.clamp(min=1.2 * inner, max=4 * inner)


def between(
    inner: Tensor, inner_gap: Tensor, outer: Tensor, outer_gap: Tensor, *, halve: bool
) -> Tensor:
    """The next distance to try inside a bracket: the secant's crossing, or the middle."""
    share = -inner_gap / (outer_gap - inner_gap)
    return inner + (outer - inner) * (torch.full_like(share, 0.5) if halve else share)
