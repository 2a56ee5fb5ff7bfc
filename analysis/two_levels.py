"""Two levels with noise, and a Markov chain that goes to and fro: fitted to many traces at once.

Expectation maximization (Baum, Petrie, Soules and Weiss, Ann. Math. Stat. 41, 164, 1970), all
traces in step. The noise on the levels is taken as white; who knows better takes it off
(`analysis.levels_among_noise`). Free of torch.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

FIRST_CHANCE = 0.05
"""Of leaving a level from one reading to the next, where the search starts."""
CHANCES = (1e-6, 0.999)
LEAST = 1e-24
"""Variance that is added to that of relative deviations, for traces that never change."""
FARTHEST = 60.0
"""Log-likelihood ratio of one reading beyond which it makes no difference any more."""


@dataclass(frozen=True, kw_only=True)
class TwoLevels:
    """The fit of k traces of n readings; every array has shape (k,) unless said otherwise."""

    low: FloatArray
    high: FloatArray
    variance: FloatArray
    """Of the noise on either level."""
    up: FloatArray
    """Probability of going from low to high, from one reading to the next."""
    down: FloatArray
    ups: FloatArray
    """Expected number of times that it went up, in the whole trace."""
    downs: FloatArray
    in_high: FloatArray
    """(k, n) probability of each reading to be on the high level."""
    gain: FloatArray
    """Natural log of the likelihood ratio against a single level with white noise."""

    def __getitem__(self, traces: NDArray[np.intp]) -> "TwoLevels":
        """The fit of the traces at these indices."""
        return TwoLevels(**{f.name: getattr(self, f.name)[traces] for f in fields(self)})


def fit_two_levels(
    traces: FloatArray, rounds: int = 10, start: TwoLevels | None = None
) -> TwoLevels:
    """Climb the likelihood of k traces (k, n) for so many rounds, from their best split in two or
    from another fit.
    """
    count = traces.shape[1]
    whole = traces.var(axis=1) + LEAST
    if start is None:
        low, high = _best_split(traces)
        variance = whole / 4
        up = down = np.full(len(traces), FIRST_CHANCE)
    else:
        low, high, variance = start.low, start.high, start.variance
        up, down = start.up, start.down
    # Recursions walk along readings, (n, k); sums over readings are of (k, n), or a trace's last
    # digit would depend on how many there are.
    readings = np.ascontiguousarray(traces.T)
    gain, on_high = np.zeros(len(traces)), np.empty_like(traces)
    for left in reversed(range(rounds)):
        log_ratio = (high - low) / variance * (readings - (high + low) / 2)
        predicted, filtered = _forward(np.exp(np.clip(log_ratio, -FARTHEST, FARTHEST)), up, down)
        if left == 0:
            on_low = (readings - low) ** 2 / variance + np.log(variance / whole) - 1
            on_either = np.logaddexp(np.log1p(-predicted), np.log(predicted) + log_ratio)
            gain = np.ascontiguousarray((on_either - on_low / 2).T).sum(axis=1)
        smooth, ups, downs = _backward(predicted, filtered, up, down)
        on_high = np.ascontiguousarray(smooth.T)
        in_high = on_high.sum(axis=1)
        in_low = count - in_high
        high = np.sum(on_high * traces, axis=1) / in_high
        low = np.sum((1 - on_high) * traces, axis=1) / in_low
        from_high, from_low = traces - high[:, None], traces - low[:, None]
        misfit = on_high * from_high**2 + (1 - on_high) * from_low**2
        variance = misfit.sum(axis=1) / count + LEAST
        up, down = np.clip(ups / in_low, *CHANCES), np.clip(downs / in_high, *CHANCES)
    return TwoLevels(
        low=low,
        high=high,
        variance=variance,
        up=up,
        down=down,
        ups=ups,
        downs=downs,
        in_high=on_high,
        gain=gain,
    )


def _best_split(traces: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(k,) means of the lower and the upper readings, cut where they differ most between (Otsu)."""
    ranked = np.sort(traces, axis=1)
    count = traces.shape[1]
    sums = np.cumsum(ranked, axis=1)
    below = np.arange(1, count)
    lower = sums[:, :-1] / below
    upper = (sums[:, -1:] - sums[:, :-1]) / (count - below)
    cut = np.argmax(below * (count - below) * (upper - lower) ** 2, axis=1)
    every = np.arange(len(traces))
    return lower[every, cut], upper[every, cut]


def _forward(ratio: FloatArray, up: FloatArray, down: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(n, k) probabilities of the high level, before and after each reading was seen."""
    predicted, filtered = np.empty_like(ratio), np.empty_like(ratio)
    chance = up / (up + down)
    stays = 1 - up - down
    for step, here in enumerate(ratio):
        predicted[step] = chance
        weight = chance * here
        filtered[step] = weight / (weight + 1 - chance)
        chance = up + stays * filtered[step]
    return predicted, filtered


def _backward(
    predicted: FloatArray, filtered: FloatArray, up: FloatArray, down: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(n, k) probabilities of the high level given the whole trace; (k,) expected ups and downs."""
    smooth = np.empty_like(filtered)
    smooth[-1] = filtered[-1]
    ups, downs = np.zeros_like(up), np.zeros_like(down)
    for step in range(len(smooth) - 2, -1, -1):
        next_high, was = smooth[step + 1] / predicted[step + 1], filtered[step]
        next_low = (1 - smooth[step + 1]) / (1 - predicted[step + 1])
        fell = was * down * next_low
        ups += (1 - was) * up * next_high
        downs += fell
        smooth[step] = was * (1 - down) * next_high + fell
    return np.clip(smooth, 0.0, 1.0), ups, downs  # rounding may lead out by a digit
