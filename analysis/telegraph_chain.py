"""A telegraph that nobody sees: a two-state chain behind noisy readings.

Forward and backward recursions (Baum et al., Ann. Math. Stat. 41, 164, 1970), for many trains of
readings at once. Free of torch.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Values = NDArray[np.float64]
ODDS_RANGE = (1e-6, 0.3)
"""Of rise and fall, by the pulse, that the search may try. Ours."""


@dataclass(frozen=True, kw_only=True)
class Chain:
    """By one pulse; `physics.weak_reset.PulseNoise` has the published numbers."""

    rise: float = 8e-4
    """Probability to go from low to high."""
    fall: float = 2e-3
    """From high to low."""

    def over(self, pulses: Values) -> Values:
        """(..., 2, 2) transition matrices over so many pulses; index 1 is high."""
        stationary = self.rise / (self.rise + self.fall)
        memory = np.exp(np.log1p(-self.rise - self.fall) * pulses)
        up, down = stationary * (1 - memory), (1 - stationary) * (1 - memory)
        return np.stack([np.stack([1 - up, up], -1), np.stack([down, 1 - down], -1)], -2)


@dataclass(frozen=True, kw_only=True)
class Smoothed:
    """What all readings together say of the states; trains are (...), readings (..., n)."""

    log_likelihood: Values
    """(...)"""
    high: Values
    """(..., n) probability of high, given all readings."""
    expected_high: Values
    """(..., n) the same, given the readings before only."""
    forward: Values
    """(..., n, 2) given the readings up to this one."""
    backward: Values
    """(..., n, 2) how much likelier the later readings are from either state, to a factor."""


def smooth(log_density: Values, steps: Values) -> Smoothed:
    """The states of trains that begin low.

    ``log_density`` (..., n, 2) of each reading if the telegraph is low, or high; zeros where
    nothing was read. ``steps`` (n, 2, 2) are the transitions that lead to each reading.
    """
    largest = log_density.max(-1)
    # Readings first and states apart: what the recursions walk along lies together in memory.
    low, high = (
        np.ascontiguousarray(np.moveaxis(np.exp(log_density[..., state] - largest), -1, 0))
        for state in (0, 1)
    )
    expected = np.empty_like(low)
    forward, backward = np.empty((2, *low.shape)), np.ones((2, *low.shape))
    norms = np.empty_like(low)
    before = np.zeros(low.shape[1:])
    for place, step in enumerate(steps):
        expected[place] = step[0, 1] + (step[1, 1] - step[0, 1]) * before
        in_high = expected[place] * high[place]
        norms[place] = low[place] - expected[place] * low[place] + in_high
        before = forward[1, place] = in_high / norms[place]
    forward[0] = 1 - forward[1]
    for place in range(len(steps) - 2, -1, -1):
        step = steps[place + 1]
        from_low = backward[0, place + 1] * low[place + 1] / norms[place + 1]
        from_high = backward[1, place + 1] * high[place + 1] / norms[place + 1]
        backward[0, place] = step[0, 0] * from_low + step[0, 1] * from_high
        backward[1, place] = step[1, 0] * from_low + step[1, 1] * from_high
    return Smoothed(
        log_likelihood=largest.sum(-1) + np.log(norms).sum(0),
        high=np.moveaxis(forward[1] * backward[1], 0, -1),
        expected_high=np.moveaxis(expected, 0, -1),
        forward=np.moveaxis(forward, (0, 1), (-1, -2)),
        backward=np.moveaxis(backward, (0, 1), (-1, -2)),
    )


def pooled_chain(log_density: Values, gaps: Values, start: Chain) -> Chain:
    """One step of expectation and maximization for the chain of many trains.

    ``gaps`` (n,) are the pulses that lead to each reading.
    """
    steps = start.over(gaps)
    found = smooth(log_density, steps)
    density = np.exp(log_density - log_density.max(-1, keepdims=True))
    before = np.zeros_like(found.forward)
    before[..., 0, 0] = 1.0
    before[..., 1:, :] = found.forward[..., :-1, :]
    pairs = before[..., :, None] * steps * (density * found.backward)[..., None, :]
    pairs = pairs / pairs.sum((-1, -2), keepdims=True)
    counted = pairs.reshape(-1, *pairs.shape[-3:]).sum(0)

    def loss(logarithms: Values) -> float:
        chain = Chain(rise=float(np.exp(logarithms[0])), fall=float(np.exp(logarithms[1])))
        return -float(np.sum(counted * np.log(np.maximum(chain.over(gaps), 1e-300))))

    result = minimize(
        loss,
        np.log([start.rise, start.fall]),
        method="L-BFGS-B",
        bounds=[tuple(np.log(ODDS_RANGE))] * 2,
    )
    return Chain(rise=float(np.exp(result.x[0])), fall=float(np.exp(result.x[1])))
