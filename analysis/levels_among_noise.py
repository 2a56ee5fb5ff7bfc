"""Two levels among 1/f noise: the slow noise is found beside them and taken off, and they are found
again.

`analysis.two_levels` takes noise as white. Where levels lie near in noise that has a memory, its
states follow the noise for a while: dwell times come out too long. What is left beside the levels
has white and 1/f noise of a spectrum that `analysis.read_noise_spectrum` finds; of these Wiener's
filter estimates the 1/f part (Extrapolation, Interpolation and Smoothing of Stationary Time Series,
1949), reading by reading. Levels that are as slow as the noise are not mistaken for it as long as
they are seen. Free of torch.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.read_noise_spectrum import Folding, SpectrumFit, fit_spectrum
from analysis.two_levels import LEAST, TwoLevels, fit_two_levels
from crossbar.units import Seconds

FloatArray = NDArray[np.float64]

SETTLED = 40
"""Rounds of the fit that starts from nothing."""
AGAIN = 20
"""Rounds of each fit that goes on from another."""
PASSES = 2
"""Times that slow noise is taken off; the first one does most of it."""


@dataclass(frozen=True, kw_only=True)
class LevelsAmongNoise:
    """The fit of k traces of n readings."""

    levels: TwoLevels
    noise: tuple[SpectrumFit, ...]
    """(k) of what is left beside the levels."""

    def __getitem__(self, traces: NDArray[np.intp]) -> "LevelsAmongNoise":
        """The fit of the traces at these indices."""
        noise = tuple(self.noise[trace] for trace in traces)
        return LevelsAmongNoise(levels=self.levels[traces], noise=noise)

    def refit(self, traces: FloatArray) -> TwoLevels:
        """The levels of r traces like each one (k, r, n), by its own filter: a fit of k r."""
        together = traces.reshape(-1, traces.shape[-1])
        gain = np.array([_gain(noise, traces.shape[-1]) for noise in self.noise])
        gain = np.repeat(gain, traces.shape[1], axis=0)
        levels = fit_two_levels(together, SETTLED)
        for _ in range(PASSES):
            levels = fit_two_levels(together - _slow(together, levels, gain), AGAIN, levels)
        return levels


def levels_among_noise(
    traces: FloatArray, levels: TwoLevels, interval: Seconds, generator: np.random.Generator
) -> LevelsAmongNoise:
    """Go on from the ``levels`` of traces (k, n) of relative deviations that were fitted in
    `SETTLED` rounds.
    """
    noise = _beside(traces, levels, interval, generator)
    for _ in range(PASSES):
        gain = np.array([_gain(found, traces.shape[1]) for found in noise])
        levels = fit_two_levels(traces - _slow(traces, levels, gain), AGAIN, levels)
        noise = _beside(traces, levels, interval, generator)
    return LevelsAmongNoise(levels=levels, noise=noise)


def density_of(noise: SpectrumFit, frequency: FloatArray) -> FloatArray:
    """(m,) one-sided spectral density of readings at these frequencies, per hertz."""
    return _white(noise) + _flicker(noise, frequency)


def _beside(
    traces: FloatArray, levels: TwoLevels, interval: Seconds, generator: np.random.Generator
) -> tuple[SpectrumFit, ...]:
    """The noise beside levels that are drawn at their probabilities: beside their means, ambiguous
    readings would look too quiet.
    """
    on_high = generator.uniform(size=traces.shape) < levels.in_high
    beside = traces - np.where(on_high, levels.high[:, None], levels.low[:, None])
    beside += np.sqrt(LEAST) * generator.standard_normal(traces.shape)
    return tuple(fit_spectrum(1 + left, interval, gaussian=True) for left in beside)


def _gain(noise: SpectrumFit, count: int) -> FloatArray:
    """Wiener's filter for 1/f noise of 2 ``count`` readings; it leaves their mean alone."""
    frequency = np.fft.rfftfreq(2 * count, noise.interval)[1:].astype(np.float64)
    flicker = _flicker(noise, frequency)
    return np.concatenate([[0.0], flicker / (_white(noise) + flicker)])


def _slow(traces: FloatArray, levels: TwoLevels, gain: FloatArray) -> FloatArray:
    """(k, n) what the filters (k, n + 1) let pass of traces (k, n) beside their levels; reflected,
    or their ends would join.
    """
    step = (levels.high - levels.low)[:, None]
    left = traces - levels.low[:, None] - step * levels.in_high
    waves = np.fft.rfft(np.concatenate([left, left[:, ::-1]], axis=1), axis=1)
    return np.fft.irfft(waves * gain, axis=1)[:, : traces.shape[1]]


def _white(noise: SpectrumFit) -> float:
    return float(2 * noise.estimate[0] ** 2 * noise.interval)


def _flicker(noise: SpectrumFit, frequency: FloatArray) -> FloatArray:
    folding = Folding.of(frequency, noise.interval, noise.aperture)
    return noise.estimate[1] * folding.power(float(noise.estimate[2]))[0]
