"""Profile-likelihood intervals of delta, V_c0 and tau_D, all cells and parameters in step."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from analysis.profile_walk import RISE, Indices, Values, Walks, walk_to_ends
from analysis.switching_likelihood import Observations, Optimum, maximize

TRIALS = 15
NARROWEST = 1.01
ENOUGH = 5e-4
"""Log-likelihood left on the table at each trial: far less than the 1.92 that marks an end."""


def switching_intervals(
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
    sign = 2.0 * side - 1
    summit = optimum.parameters[pair]
    height = summit.gather(1, axis[:, None])[:, 0]
    variance, wanted = covariance[pair, axis, axis], (2 * drop) ** 0.5
    profiles = Profiles(
        seen=seen.rows(pair),
        summit=summit,
        best=optimum.log_likelihood[pair],
        # The other two parameters follow along the ridge that the covariance describes.
        direction=covariance[pair, :, axis] * (sign / variance)[:, None],
        held=torch.nn.functional.one_hot(axis, 3).to(torch.bool),
        bounds=bounds,
        wanted=wanted,
    )
    distance, risen = walk_to_ends(
        Walks(
            gap=profiles.gap,
            first=(wanted * variance.sqrt()).clamp(max=0.5).numpy(),
            farthest=(torch.stack(bounds)[side, axis] - height).abs().numpy(),
            wanted=wanted,
            trials=TRIALS,
            narrowest=NARROWEST,
        )
    )
    at = (height + sign * torch.from_numpy(distance)).reshape(pairs, 3, 2)
    summits = torch.from_numpy(~np.any(risen.reshape(pairs, 6), axis=1))
    return at[..., 0], at[..., 1], summits


@dataclass(frozen=True, kw_only=True)
class Profiles:
    """The likelihoods along s walks, each from a summit along one parameter to one side."""

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
    bounds: tuple[Tensor, Tensor]
    wanted: float

    def gap(self, chosen: Indices, distance: Values) -> Values:
        """That of `profile_walk.Walks`, after ``distance`` on the ``chosen`` walks."""
        walks = torch.from_numpy(chosen)
        start = self.summit[walks] + self.direction[walks] * torch.from_numpy(distance)[:, None]
        walked = torch.where(self.held[walks], start, start.clamp(*self.bounds))
        end = maximize(self.seen.rows(walks), walked, ~self.held[walks], self.bounds, ENOUGH, 30)
        drop = self.best[walks] - end.log_likelihood
        root = (2 * drop.clamp(min=0)).sqrt() - self.wanted
        found: Values = torch.where(drop < -RISE, torch.nan, root).numpy()
        return found
