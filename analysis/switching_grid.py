"""Where the search for switching parameters starts: the most likely points of a coarse grid."""

import torch
from torch import Tensor

from analysis.switching_likelihood import Observations, log_success, model

DELTAS = (30.0, 60.0, 110.0)
"""One start for each: the likelihood may have a ridge, or two summits, along delta."""
GRID_MEMORY = 2_000_000
"""Rates held at once, so that thousands of different pulses do not fill the memory."""


def grid_starts(seen: Observations) -> list[Tensor]:
    """Starting points (n, 3) for each pair, one for each of `DELTAS`.

    V_c0 and tau_D are sought around the pulses that were given. Cells share most of their pulses,
    so the model is evaluated once for each different pulse, and the likelihoods of all pairs at all
    points of the grid are two matrix products.
    """
    pulses, errors, successes = by_pulse(seen)
    vc0s = float(seen.amplitude.max()) * torch.logspace(-1.0, 0.2, 25, dtype=torch.float64)
    tau_ds = float(seen.width.min()) * torch.logspace(-1.5, 1.0, 16, dtype=torch.float64)
    starts = []
    for delta in DELTAS:
        here = torch.tensor([delta], dtype=torch.float64)
        grid = torch.cartesian_prod(here, vc0s, tau_ds).log()
        likelihoods = [
            grid_likelihood(part, pulses, errors, successes, seen.barrier_exponent)
            for part in grid.split(max(1, GRID_MEMORY // len(pulses)))
        ]
        starts.append(grid[torch.cat(likelihoods, dim=1).argmax(dim=1)])
    return starts


def by_pulse(seen: Observations) -> tuple[Tensor, Tensor, Tensor]:
    """The u different pulses (u, 2), and all pairs' errors and successes at them, (n, u)."""
    given = torch.stack([seen.amplitude, seen.width], dim=-1)
    pulses, place = torch.unique(given.reshape(-1, 2), dim=0, return_inverse=True)
    place = place.reshape(seen.errors.shape)
    empty = seen.errors.new_zeros((len(seen.errors), len(pulses)))
    return (
        pulses,
        empty.scatter_add(1, place, seen.errors),
        empty.scatter_add(1, place, seen.attempts - seen.errors),
    )


def grid_likelihood(
    grid: Tensor, pulses: Tensor, errors: Tensor, successes: Tensor, barrier_exponent: float = 2.0
) -> Tensor:
    """(n, g) log-likelihood of each pair's counts at each of g points of the grid (g, 3)."""
    log_error = model(grid, pulses[:, 0], pulses[:, 1], barrier_exponent)
    return errors @ log_error.T + successes @ log_success(log_error).T
