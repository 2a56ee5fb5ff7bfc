"""How well a telegraph's step and dwell times are known: a parametric bootstrap.

The fit takes noise as white and every reading's level as the likeliest mixture; 1/f noise, readings
that cannot be told apart, few jumps and jumps between readings each throw it off in their own way.
So telegraphs like the one found are made, among Gaussian noise that has the spectrum of what is
left beside it, rounded as the trace is, and fitted by the same rounds: by how much the fits miss
what was made is by how much the fit may miss the truth (Davison and Hinkley, Bootstrap Methods,
1997, section 5.2.1), its bias included. Errors are taken of ln(step), of the logit of the share of
the time spent on the upper level, and of the artanh of what one reading tells of the next (their
spread hardly depends on where they are). Few jumps are worse than that knows: dwell times reach at
least as far as Jeffreys' interval of the chance to jump. Free of torch.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, expit, logit

from analysis.noise_surrogates import resolution, surrogates
from analysis.two_levels import TwoLevels, fit_two_levels
from crossbar.units import Ratio, Seconds

FloatArray = NDArray[np.float64]

SETTLED = 40
"""Rounds of the fit that estimates, and of those that tell by how much it errs."""
BEYOND = 2
"""Bootstrap fits on either side of the interval, that one included on which it ends; their number
follows from the confidence."""
SURE = 1 - 1e-9
"""What one reading tells of the next, at most."""


def telegraph_estimate(levels: TwoLevels, interval: Seconds) -> FloatArray:
    """(k, 3) step as a fraction of the upper level, dwell times in seconds on the upper level and
    on the lower one, of k fits to relative deviations.
    """
    return _physical(_coordinates(levels), interval)


def telegraph_interval(
    trace: FloatArray,
    levels: TwoLevels,
    interval: Seconds,
    generator: np.random.Generator,
    confidence: Ratio,
) -> tuple[FloatArray, FloatArray]:
    """Low and high ends, (3,) each, in the order of `telegraph_estimate`, from a trace of relative
    deviations (n,) and its fit, k = 1.
    """
    tail = (1 - confidence) / 2
    number = round(BEYOND / tail) - 1
    found = _coordinates(levels)
    errors = _coordinates(_fits_alike(trace, levels, interval, generator, number)) - found
    # A chain that forgets more than everything is noise of the estimate, not of the cell.
    possible = np.maximum(found, [-np.inf, -np.inf, 0.0])
    low = np.sort(_physical(found - errors, interval), axis=0)[BEYOND - 1]
    high = np.sort(_physical(possible - errors, interval), axis=0)[-BEYOND]
    least, most = _few_jumps(levels, interval, tail)
    low[1:], high[1:] = np.minimum(low[1:], least), np.maximum(high[1:], most)
    return low, high


def _fits_alike(
    trace: FloatArray,
    levels: TwoLevels,
    interval: Seconds,
    generator: np.random.Generator,
    number: int,
) -> TwoLevels:
    """Fits of so many telegraphs like this one.

    What is left beside it is taken from levels drawn at their probabilities: beside their means,
    ambiguous readings would look too quiet.
    """
    (low,), (high,) = levels.low, levels.high
    drawn = generator.uniform(size=len(trace)) < levels.in_high[0]
    beside = trace - np.where(drawn, high, low)
    noise = surrogates(beside, interval, generator, number)
    jumps = _jumps(levels, generator, noise.shape)
    first, step = resolution(trace)
    made = np.where(jumps, high, low) + noise
    made = made if step == 0 else first + step * np.round((made - first) / step)
    return fit_two_levels((1 + made) / (1 + made.mean(axis=1, keepdims=True)) - 1, SETTLED)


def _jumps(
    levels: TwoLevels, generator: np.random.Generator, shape: tuple[int, ...]
) -> NDArray[np.bool_]:
    """Chains of this shape (number, n): whether each reading is on the upper level."""
    (up,), (down,) = levels.up, levels.down
    drawn = generator.uniform(size=shape)
    found = np.empty(shape, dtype=np.bool_)
    found[:, 0] = drawn[:, 0] < up / (up + down)
    for place in range(1, shape[1]):
        stays_or_comes = np.where(found[:, place - 1], 1 - down, up)
        found[:, place] = drawn[:, place] < stays_or_comes
    return found


def _coordinates(levels: TwoLevels) -> FloatArray:
    """(k, 3) ln of the step, logit of the share of the upper level, artanh of the memory."""
    step = (levels.high - levels.low) / (1 + levels.high)
    share = levels.up / (levels.up + levels.down)
    memory = np.clip(1 - levels.up - levels.down, -SURE, SURE)
    return np.column_stack([np.log(step), logit(share), np.arctanh(memory)])


def _physical(coordinates: FloatArray, interval: Seconds) -> FloatArray:
    """(k, 3) `telegraph_estimate`.

    There may be more than one jump between two readings: the rates are those of the chain in
    continuous time. Without memory from one reading to the next dwell times are 0: nothing tells
    how short.
    """
    memory = np.maximum(np.tanh(coordinates[:, 2]), np.finfo(np.float64).tiny)
    together = np.where(coordinates[:, 2] > 0, -interval / np.log(np.minimum(memory, SURE)), 0.0)
    free, captured = expit(coordinates[:, 1]), expit(-coordinates[:, 1])
    return np.column_stack([np.exp(coordinates[:, 0]), together / captured, together / free])


def _few_jumps(levels: TwoLevels, interval: Seconds, tail: Ratio) -> tuple[FloatArray, FloatArray]:
    """(2,) least and (2,) most dwell times on the upper and the lower level, by Jeffreys' prior, if
    every jump was seen.
    """
    on_high = levels.in_high[0, :-1].sum()
    on_low = levels.in_high.shape[1] - 1 - on_high
    (up,), (down,) = levels.up, levels.down
    sides = ((levels.downs[0], on_high, up), (levels.ups[0], on_low, down))
    least, most = (
        np.array([_dwell(_chance(went, of, end), coming, interval) for went, of, coming in sides])
        for end in (1 - tail, tail)
    )
    return least, most


def _chance(went: float, stayed_or_went: float, tail: Ratio) -> float:
    """Quantile of the probability of leaving a level, by Jeffreys' prior."""
    return float(betaincinv(went + 0.5, max(stayed_or_went - went, 0.0) + 0.5, tail))


def _dwell(leaving: float, coming: float, interval: Seconds) -> Seconds:
    """Mean dwell time from the probabilities of leaving a level, and of coming to it."""
    both = leaving + coming
    return 0.0 if both >= 1 else float(interval * both / (leaving * -np.log1p(-both)))
