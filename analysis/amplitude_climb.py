"""Where the density of counted write errors is largest: batched Fisher scoring, free of torch.

The same method as `analysis.switching_likelihood.maximize` (Fisher scoring with
Levenberg-Marquardt damping), in the parameters of `analysis.amplitude_density`: that one fits whole
dies in torch when a run is over, this one plans the next pulse while a run waits.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.amplitude_density import Density, Expectation, Observed, search_range

FloatArray = NDArray[np.float64]

LONGEST_STEP = 0.5
"""No parameter changes by more than this factor (as a logarithm) in one step."""
NEGLIGIBLE = 1e-4
"""Log-likelihood that a search may leave on the table."""
STALLED = 1e5
"""Damping beyond which a step is too small to matter."""
UNFELT = 1e-20
"""Information below which the counts do not feel a parameter at all."""
DELTAS = (30.0, 60.0, 100.0)
"""Starts of a search: the likelihood may have a ridge, or two summits, along delta."""


@dataclass(frozen=True, kw_only=True)
class Summit:
    """Where the density of n pairs is largest."""

    at: FloatArray
    """(n, 3) ln V, ln delta, ln tau_d."""
    log_density: FloatArray
    """(n,)"""


def climb(
    density: Density,
    seen: Observed,
    start: FloatArray,
    *,
    hold_volts: bool = False,
    iterations: int = 40,
) -> Summit:
    """Climb from ``start`` (n, 3); ``hold_volts`` keeps ln V there, for profiles."""
    bounds = search_range()
    at = np.clip(start, *bounds)
    best = density.log(at, seen)
    damping = np.full(len(at), 1e-3)
    active = np.arange(len(at))
    for _ in range(iterations):
        if not len(active):
            break
        here = seen.rows(active)
        score, information = density.score_and_information(at[active], here)
        outward = np.where(score > 0, at[active] >= bounds[1], at[active] <= bounds[0])
        moving = ~outward & (np.diagonal(information, axis1=-2, axis2=-1) > UNFELT)
        moving[:, 0] &= not hold_volts
        step, gain = damped_step(score, information, moving, damping[active])
        trial = np.clip(at[active] + step, *bounds)
        value = density.log(trial, here)
        better = value > best[active]
        at[active] = np.where(better[:, None], trial, at[active])
        best[active] = np.where(better, value, best[active])
        stalled = damping[active] > STALLED
        damping[active] = np.maximum(damping[active] * np.where(better, 0.1, 10.0), 1e-9)
        active = active[(gain > NEGLIGIBLE) & ~stalled]
    return Summit(at=at, log_density=best)


def damped_step(
    score: FloatArray, information: FloatArray, moving: NDArray[np.bool_], damping: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The next step (n, 3) of the parameters that move, and the undamped step's gain (n,)."""
    # In units of each parameter's own standard error; one that does not move gets a unit of its own
    # and no score.
    diagonal = np.diagonal(information, axis1=-2, axis2=-1)
    scale = np.sqrt(np.where(moving, diagonal, 1.0))
    score = np.where(moving, score, 0.0) / scale
    both = moving[:, :, None] & moving[:, None, :]
    scaled = np.where(both, information / (scale[:, :, None] * scale[:, None, :]), 0.0)
    unit = np.eye(3)
    scaled = np.where(unit > 0, 1.0, scaled)
    whole = np.linalg.solve(scaled + 1e-10 * unit, score[..., None])[..., 0]
    step = np.linalg.solve(scaled + damping[:, None, None] * unit, score[..., None])[..., 0] / scale
    longest = np.maximum(np.abs(step).max(axis=-1, keepdims=True), LONGEST_STEP)
    return step * LONGEST_STEP / longest, 0.5 * np.sum(score * whole, axis=-1)


def summit_of(density: Density, seen: Observed) -> Summit:
    """The best end of climbs from several deltas.

    Where the density is a likelihood alone, they set out from where a weak expectation puts it:
    counts may say nothing about a parameter.
    """
    expectation = density.expectation or Expectation()
    guided = Density(quantity=density.quantity, expectation=expectation)
    middle = np.tile(expectation.mean(density.quantity), (len(seen.errors), 1))
    rough = climb(guided, seen, middle)
    starts = [rough.at]
    for delta in DELTAS:
        moved = rough.at.copy()
        moved[:, 1] = np.log(delta)
        starts.append(climb(guided, seen, moved, iterations=3).at)
    ends = [climb(density, seen, start) for start in starts]
    best = np.argmax([end.log_density for end in ends], axis=0)
    pairs = np.arange(len(best))
    return Summit(
        at=np.stack([end.at for end in ends])[best, pairs],
        log_density=np.stack([end.log_density for end in ends])[best, pairs],
    )
