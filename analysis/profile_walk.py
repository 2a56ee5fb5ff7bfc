"""Walks from many summits of a likelihood at once, each to where it has fallen far enough.

Along one parameter, with the others at their best: the ends of profile-likelihood intervals of
thousands of cells in step. For one likelihood alone there is `analysis.likelihood_profile`. Free of
torch.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Indices = NDArray[np.intp]

NEAR_ENOUGH = 0.01
"""An end is found when the root of twice the drop is this close to the one wanted: with 1.96
wanted, within about 0.5 % of the interval's half-width."""
RISE = 1e-2
"""A profile that gains more log-likelihood than this has found a higher summit."""


@dataclass(frozen=True, kw_only=True)
class Walks:
    """Of s walks, where to begin and how far to go."""

    gap: Callable[[Indices, Values], Values]
    """(which walks, how far each has gone) -> root of twice the drop in log-likelihood, less the
    one wanted, for the best values of the others there: positive beyond an end, NaN where the
    likelihood rose by more than `RISE`."""
    first: Values
    """(s,) the distance to try first."""
    farthest: Values
    """(s,) beyond it an end is open."""
    wanted: float
    """Root of twice the drop that marks an end."""
    trials: int
    """Distances tried at most for an end; three to six are usual."""
    narrowest: float
    """A bracket whose ends differ by no more than this factor is an end, whatever the gap."""


def walk_to_ends(walks: Walks) -> tuple[Values, NDArray[np.bool_]]:
    """Distance (s,) to each end, infinite where open, and (s,) whether the likelihood rose.

    The gap is nearly a straight line in the distance, so the end is found by the secant between an
    inner and an outer distance; every third trial halves them instead, for lines that are not.
    """
    distance = np.minimum(walks.first, walks.farthest)
    inner, inner_gap = np.zeros_like(distance), np.full_like(distance, -walks.wanted)
    outer, outer_gap = np.full_like(distance, np.inf), np.full_like(distance, np.inf)
    risen = np.zeros(len(distance), dtype=np.bool_)
    active = np.arange(len(distance))
    for turn in range(walks.trials):
        here = distance[active]
        gap = walks.gap(active, here)
        risen[active] = np.isnan(gap)
        beyond = gap > 0
        outer[active] = np.where(beyond, here, outer[active])
        outer_gap[active] = np.where(beyond, gap, outer_gap[active])
        inner[active] = np.where(beyond, inner[active], here)
        inner_gap[active] = np.where(beyond, inner_gap[active], gap)
        lost = risen[active] | (~beyond & (here >= walks.farthest[active]))
        distance[active] = np.where(lost, np.inf, here)
        narrow = outer[active] < walks.narrowest * inner[active]
        active = active[~(lost | narrow | (np.abs(gap) < NEAR_ENOUGH))]
        if not len(active):
            break
        bracket = inner[active], inner_gap[active], outer[active], outer_gap[active]
        inward = between(*bracket, halve=turn % 3 == 2)
        onward = farther(*bracket[:2], walks.wanted)
        known = np.isfinite(outer[active])
        distance[active] = np.where(known, inward, np.minimum(onward, walks.farthest[active]))
    distance[active] = outer[active]  # out of patience: the end lies no farther than this
    return distance, risen


def farther(inner: Values, gap: Values, wanted: float) -> Values:
    """The next distance to try while no end is in sight: where a straight line would cross."""
    crossing = 1.1 * inner * wanted / np.maximum(gap + wanted, 1e-9)
    return np.clip(crossing, 1.2 * inner, 4 * inner)


def between(
    inner: Values, inner_gap: Values, outer: Values, outer_gap: Values, *, halve: bool
) -> Values:
    """The next distance to try inside a bracket: the secant's crossing, or the middle."""
    with np.errstate(invalid="ignore"):
        share = -inner_gap / (outer_gap - inner_gap)
        return inner + (outer - inner) * (np.full_like(share, 0.5) if halve else share)
