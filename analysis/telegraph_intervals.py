"""How well a telegraph's step and dwell times are known: a parametric bootstrap.

Readings that cannot be told apart, few jumps, jumps between readings and what is left of 1/f noise
each throw the fit off in their own way. So telegraphs like the one found are made, among Gaussian
noise with the white and 1/f noise that was found beside it, rounded as the trace is, and fitted in
the same way. The spectrum is the fitted one, not the periodogram: of the slowest noise, which moves
few levels by most, a trace has one sample only, and levels take part of it away. By how much fits
miss what was made is by how much the fit may miss the truth (Davison and Hinkley, Bootstrap
Methods, 1997, section 5.2.1), its bias included. Errors are taken of ln(step), of the logit of the
share of the time spent on the upper level, and of the artanh of what one reading tells of the next
(their spread hardly depends on where they are). Few jumps are worse than that knows: dwell times
reach at least as far as Jeffreys' interval of the chance to jump. Free of torch.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, expit, logit

from analysis.levels_among_noise import LevelsAmongNoise, density_of
from analysis.noise_surrogates import gaussian_noise, rounded_alike
from analysis.two_levels import TwoLevels
from crossbar.units import Ratio, Seconds

FloatArray = NDArray[np.float64]
Flags = NDArray[np.bool_]

BEYOND = 2
"""Bootstrap fits on either side of the interval, that one included on which it ends; their number
follows from the confidence."""
SURE = 1 - 1e-9
"""What one reading tells of the next, at most."""
ATTEMPTS = 20
"""At a chain that jumps."""
TOLD_APART: Ratio = 0.03
"""Part of the readings on the wrong level beyond which dwell times may be as short as they like:
fits that follow the noise find them too long. Ours, of the cells of one seed."""


def telegraph_estimate(levels: TwoLevels, interval: Seconds) -> FloatArray:
    """(k, 3) step as a fraction of the upper level, dwell times in seconds on the upper level and
    on the lower one, of k fits to relative deviations.
    """
    return _physical(_coordinates(levels), interval)


def telegraph_intervals(
    traces: FloatArray,
    found: LevelsAmongNoise,
    interval: Seconds,
    generator: np.random.Generator,
    confidence: Ratio,
) -> tuple[FloatArray, FloatArray]:
    """Low and high ends, (k, 3) each, in the order of `telegraph_estimate`, from traces (k, n) of
    relative deviations and their fit.
    """
    tail = (1 - confidence) / 2
    number = bootstrap_fits(confidence)
    alike = [
        _alike(trace, found[np.array([place])], interval, generator, number)
        for place, trace in enumerate(traces)
    ]
    made, on_high = (np.array(parts) for parts in zip(*alike, strict=True))
    again = found.refit(made)
    summit = _coordinates(found.levels)[:, None]
    errors = _coordinates(again).reshape(*made.shape[:2], -1) - summit
    # A chain that forgets more than everything is noise of the estimate, not of the cell.
    possible = np.maximum(summit, [-np.inf, -np.inf, 0.0])
    low = np.sort(_physical(summit - errors, interval), axis=1)[:, BEYOND - 1]
    high = np.sort(_physical(possible - errors, interval), axis=1)[:, -BEYOND]
    least, most = _few_jumps(found.levels, interval, tail)
    low[:, 1:], high[:, 1:] = np.minimum(low[:, 1:], least), np.maximum(high[:, 1:], most)
    low[_mistaken(again, on_high) > TOLD_APART, 1:] = 0.0
    return low, high


def bootstrap_fits(confidence: Ratio) -> int:
    """How many telegraphs like the one found are fitted for an interval of this confidence."""
    return round(2 * BEYOND / (1 - confidence)) - 1


def _alike(
    trace: FloatArray,
    found: LevelsAmongNoise,
    interval: Seconds,
    generator: np.random.Generator,
    number: int,
) -> tuple[FloatArray, Flags]:
    """(number, n) telegraphs like a trace (n,) with a fit of k = 1, among noise like that beside
    it, and which of their readings were made on the upper level.
    """

    def density(frequency: FloatArray) -> FloatArray:
        return density_of(found.noise[0], frequency)

    levels = found.levels
    noise = gaussian_noise(density, (number, len(trace)), interval, generator)
    on_high = _chains(levels, generator, noise.shape)
    made = rounded_alike(np.where(on_high, levels.high, levels.low) + noise, trace)
    return (1 + made) / (1 + made.mean(axis=1, keepdims=True)) - 1, on_high


def _chains(levels: TwoLevels, generator: np.random.Generator, shape: tuple[int, int]) -> Flags:
    """Chains of this shape (number, n): whether each reading is on the upper level.

    They begin where the trace did, and jump, as it did: those that do not are drawn anew, if need
    be `ATTEMPTS` times.
    """
    found = _drawn(levels, generator, shape)
    for _ in range(ATTEMPTS):
        still = np.flatnonzero(np.all(found == found[:, :1], axis=1))
        found[still] = _drawn(levels, generator, (len(still), shape[1]))
    return found


def _drawn(levels: TwoLevels, generator: np.random.Generator, shape: tuple[int, int]) -> Flags:
    """Chains of this shape (number, n)."""
    (up,), (down,) = levels.up, levels.down
    drawn = generator.uniform(size=shape)
    found = np.empty(shape, dtype=np.bool_)
    found[:, 0] = drawn[:, 0] < levels.in_high[0, 0]
    for place in range(1, shape[1]):
        stays_or_comes = np.where(found[:, place - 1], 1 - down, up)
        found[:, place] = drawn[:, place] < stays_or_comes
    return found


def _mistaken(again: TwoLevels, on_high: Flags) -> FloatArray:
    """(k,) part of the readings that a fit puts on the wrong level: the median over telegraphs of
    known levels (k, number, n).
    """
    wrong = np.mean((again.in_high > 0.5).reshape(on_high.shape) != on_high, axis=2)
    return np.median(wrong, axis=1)


def _coordinates(levels: TwoLevels) -> FloatArray:
    """(k, 3) ln of the step, logit of the share of the upper level, artanh of the memory."""
    step = (levels.high - levels.low) / (1 + levels.high)
    share = levels.up / (levels.up + levels.down)
    memory = np.clip(1 - levels.up - levels.down, -SURE, SURE)
    return np.column_stack([np.log(step), logit(share), np.arctanh(memory)])


def _physical(coordinates: FloatArray, interval: Seconds) -> FloatArray:
    """(..., 3) `telegraph_estimate` of coordinates (..., 3).

    There may be more than one jump between two readings: the rates are those of the chain in
    continuous time. Without memory from one reading to the next dwell times are 0: nothing tells
    how short.
    """
    memory = np.maximum(np.tanh(coordinates[..., 2]), np.finfo(np.float64).tiny)
    together = np.where(coordinates[..., 2] > 0, -interval / np.log(np.minimum(memory, SURE)), 0.0)
    free, captured = expit(coordinates[..., 1]), expit(-coordinates[..., 1])
    parts = (np.exp(coordinates[..., 0]), together / captured, together / free)
    return np.stack(parts, axis=-1)


def _few_jumps(levels: TwoLevels, interval: Seconds, tail: Ratio) -> tuple[FloatArray, FloatArray]:
    """(k, 2) least and most dwell times on the upper and the lower level, by Jeffreys' prior, if
    every jump was seen.
    """
    on_high = levels.in_high[:, :-1].sum(axis=1)
    on_low = levels.in_high.shape[1] - 1 - on_high
    sides = ((levels.downs, on_high, levels.up), (levels.ups, on_low, levels.down))
    least, most = (
        np.column_stack(
            [_dwell(_chance(went, of, end), coming, interval) for went, of, coming in sides]
        )
        for end in (1 - tail, tail)
    )
    return least, most


def _chance(went: FloatArray, stayed_or_went: FloatArray, tail: Ratio) -> FloatArray:
    """(k,) quantile of the probability of leaving a level, by Jeffreys' prior."""
    stayed = np.maximum(stayed_or_went - went, 0.0)
    return np.asarray(betaincinv(went + 0.5, stayed + 0.5, tail))


def _dwell(leaving: FloatArray, coming: FloatArray, interval: Seconds) -> FloatArray:
    """(k,) mean dwell times from the probabilities of leaving a level, and of coming to it."""
    both = np.minimum(leaving + coming, 1.0)
    with np.errstate(divide="ignore"):
        return np.asarray(interval * both / (leaving * -np.log1p(-both)))
