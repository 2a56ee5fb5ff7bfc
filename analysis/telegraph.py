"""Telegraph noise: which cells jump between two levels, by how much, and how long they stay.

The rule. The statistic of a trace is by how much two levels with a Markov chain between them
describe it better than one (`analysis.two_levels`). It is compared with that of `SURROGATES`
stretches of Gaussian noise that have the trace's own smoothed spectrum, so that 1/f noise, drift
and whatever else is slow but has no levels does not count. A trace is called a telegraph if no more
than ``false_alarms`` of all, itself included, score as high: one in a hundred traces of any
Gaussian noise then is called one by chance. `benchmarks/coverage_read_noise.py` checks that rate. A
converter of few codes makes two levels of any noise: surrogates are rounded as the trace is, and
levels closer than two codes count as one. A trace that is not Gaussian for another reason, such as
a single step, is called a telegraph, too. Free of torch.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_toeplitz
from scipy.signal import detrend, lfilter
from scipy.special import betaincinv, ndtri

from analysis.read_noise_spectrum import relative, spectrum
from analysis.two_levels import TwoLevels, fit_two_levels
from crossbar.units import Ratio, Seconds

FloatArray = NDArray[np.float64]

PARAMETERS = ("captured", "dwell_free", "dwell_captured")
"""Order of the columns: the fraction of the conductance that is missing on the lower level, and
mean dwell times on the upper and on the lower level in seconds."""
SURROGATES = 99
FALSE_ALARMS: Ratio = 0.01
SMOOTH = 1.3
"""From one frequency of the smoothed spectrum to the next."""
LONGER = 4
"""Surrogates are cut from noise so many times as long, or their ends would join."""
NEAREST = 1.5
"""Codes of the converter between two levels, at least."""
TOGETHER = 1000
"""Traces and surrogates fitted in step: enough to be fast, few enough to fit into memory."""
SETTLED = 60
"""Rounds of the fit that estimates."""
MEMORY = 16
"""Readings over which what is left beside the levels is whitened."""


@dataclass(frozen=True, kw_only=True)
class TelegraphFit:
    """What one trace of n readings says about a telegraph; others have shape (3,): `PARAMETERS`."""

    p_value: float
    """How often Gaussian noise of the same spectrum looks as much like a telegraph."""
    is_telegraph: bool
    estimate: FloatArray
    low: FloatArray
    high: FloatArray
    confidence: Ratio
    in_captured: FloatArray
    """(n,) Probability of each reading to be on the lower level."""


def find_telegraphs(
    traces: FloatArray,
    interval: Seconds,
    generator: np.random.Generator,
    *,
    false_alarms: Ratio = FALSE_ALARMS,
    confidence: Ratio = 0.95,
) -> list[TelegraphFit]:
    """Look for a telegraph in each trace (k, n) of conductances read every ``interval``.

    Raises DataError for a trace that has no spectrum (`analysis.read_noise_spectrum`).
    """
    deviations = np.array([relative(trace) for trace in traces])
    p_values = _p_values(deviations, interval, generator)
    levels = fit_two_levels(deviations, SETTLED)
    codes = np.array([resolution(trace)[1] for trace in deviations])
    apart = (levels.high - levels.low > NEAREST * codes).tolist()
    fits = []
    for place, trace in enumerate(deviations):
        estimate, low, high = _parameters(trace, levels, place, interval, confidence)
        fits.append(
            TelegraphFit(
                p_value=float(p_values[place]),
                is_telegraph=bool(p_values[place] <= false_alarms) and apart[place],
                estimate=estimate,
                low=low,
                high=high,
                confidence=confidence,
                in_captured=1 - levels.in_high[place],
            )
        )
    return fits


def without_telegraph(trace: FloatArray, fit: TelegraphFit) -> FloatArray:
    """The trace (n,) as if it had stayed on its upper level."""
    return trace / (1 - fit.estimate[0] * fit.in_captured)


def _p_values(
    deviations: FloatArray, interval: Seconds, generator: np.random.Generator
) -> FloatArray:
    """(k,) rank of each trace's gain among those of its surrogates."""
    at_once = max(1, TOGETHER // (SURROGATES + 1))
    found = []
    for start in range(0, len(deviations), at_once):
        block = deviations[start : start + at_once]
        beside = [np.vstack([trace, surrogates(trace, interval, generator)]) for trace in block]
        gain = fit_two_levels(detrend(np.concatenate(beside), axis=1)).gain
        found.append(np.mean(gain.reshape(len(block), -1) >= gain[:: SURROGATES + 1, None], axis=1))
    return np.concatenate(found)


def surrogates(
    deviations: FloatArray, interval: Seconds, generator: np.random.Generator
) -> FloatArray:
    """(`SURROGATES`, n) stretches of Gaussian noise with the smoothed spectrum of a trace (n,).

    Below the lowest frequency of the trace the spectrum goes on as 1 / f.
    """
    found = spectrum(1 + deviations, interval, SMOOTH, first=1)
    count = LONGER * len(deviations)
    frequency = np.fft.rfftfreq(count, interval)[1:]
    density = np.exp(np.interp(np.log(frequency), np.log(found.frequency), np.log(found.density)))
    density *= np.maximum(found.frequency[0] / frequency, 1)
    shape = (SURROGATES, len(frequency))
    drawn = generator.standard_normal(shape) + 1j * generator.standard_normal(shape)
    waves = np.zeros((SURROGATES, len(frequency) + 1), dtype=np.complex128)
    waves[:, 1:] = drawn * np.sqrt(density * count / interval) / 2
    made = np.fft.irfft(waves, n=count, axis=1)[:, : len(deviations)]
    first, step = resolution(deviations)
    return made if step == 0 else first + step * np.round((made - first) / step)


def resolution(trace: FloatArray) -> tuple[float, float]:
    """A reading, and the step from one of the converter's codes to the next; a step of 0 where
    nearly every reading of the trace (n,) is another one.
    """
    codes = np.unique(trace)
    if len(codes) > len(trace) / 2 or len(codes) < 2:
        return float(codes[0]), 0.0
    steps = np.diff(codes)
    return float(codes[0]), float(np.min(steps[steps > np.max(steps) * 1e-6]))


def _parameters(
    trace: FloatArray, levels: TwoLevels, place: int, interval: Seconds, confidence: Ratio
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Estimates, low and high ends, (3,) each."""
    in_high = levels.in_high[place]
    step, error = _step(trace, in_high, levels, place)
    top = 1 + levels.high[place]
    z = float(ndtri((1 + confidence) / 2))
    half = z * error
    chances = [(float(levels.down[place]), float(levels.up[place]))]
    tails = ((1 - confidence) / 2, (1 + confidence) / 2)
    for tail in tails:
        chances.append(
            (
                _chance(levels.downs[place], in_high[:-1].sum(), tail),
                _chance(levels.ups[place], (1 - in_high[:-1]).sum(), tail),
            )
        )
    (down, up), (least_down, least_up), (most_down, most_up) = chances
    # What one reading tells of the next is itself known to about 1 / sqrt(n) only: with too little
    # of it, the dwell times may be as short as you like.
    memory = 1 - up - down
    reach = z * float(np.sqrt((1 - memory**2) / len(trace)))
    faster = (1 - memory + reach) / (1 - memory)
    shortest = _dwell(faster * down, faster * up, interval)
    return (
        np.array([step / top, _dwell(down, up, interval), _dwell(up, down, interval)]),
        np.array(
            [
                (step - half) / top,
                min(_dwell(most_down, up, interval), shortest),
                min(_dwell(most_up, down, interval), shortest * down / up),
            ]
        ),
        np.array(
            [(step + half) / top, _dwell(least_down, up, interval),
             _dwell(least_up, down, interval)]
        ),
    )  # fmt: skip


def _chance(went: float, stayed_or_went: float, tail: float) -> float:
    """Quantile of the probability of leaving a level, by Jeffreys' prior."""
    return float(betaincinv(went + 0.5, max(stayed_or_went - went, 0.0) + 0.5, tail))


def _dwell(leaving: float, coming: float, interval: Seconds) -> Seconds:
    """Mean dwell time from the probabilities of leaving a level, and of coming to it, per reading.

    There may be more than one jump between two readings: the rates are those of the chain in
    continuous time. Without memory from one reading to the next it is 0: nothing tells how short.
    """
    both = leaving + coming
    if both >= 1:
        return 0.0
    return float(interval * both / (leaving * -np.log1p(-both)))


def _step(
    trace: FloatArray, in_high: FloatArray, levels: TwoLevels, place: int
) -> tuple[float, float]:
    """The distance of the levels and its standard error, with what is left beside them whitened.

    An autoregression of what is left (Yule and Walker) filters both the trace and the levels: slow
    noise then weighs little, and the rest is independent from reading to reading.
    """
    left = trace - levels.low[place] - (levels.high[place] - levels.low[place]) * in_high
    left = left - left.mean()
    memory = min(MEMORY, len(trace) // 8)
    lags = np.array([left[: len(left) - lag] @ left[lag:] for lag in range(memory + 1)])
    lags[0] *= 1 + 1e-9
    whiten = np.r_[1.0, -solve_toeplitz(lags[:-1], lags[1:])]
    design = np.column_stack([in_high, np.ones_like(in_high)])
    filtered = lfilter(whiten, 1.0, design, axis=0)[memory:]
    target = lfilter(whiten, 1.0, trace)[memory:]
    solution = np.linalg.lstsq(filtered, target)[0]
    rest = target - filtered @ solution
    covariance = np.linalg.pinv(filtered.T @ filtered) * (rest @ rest) / (len(rest) - 2)
    return float(solution[0]), float(np.sqrt(covariance[0, 0]))
