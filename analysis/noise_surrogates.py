"""Gaussian noise that has the spectrum of a trace, and its rounding. Free of torch."""

import numpy as np
from numpy.typing import NDArray

from analysis.read_noise_spectrum import spectrum
from crossbar.units import Seconds

FloatArray = NDArray[np.float64]

SMOOTH = 1.3
"""From one frequency of the smoothed spectrum to the next."""
LONGER = 4
"""Surrogates are cut from noise so many times as long, or their ends would join."""


def surrogates(
    deviations: FloatArray, interval: Seconds, generator: np.random.Generator, number: int
) -> FloatArray:
    """(number, n) stretches of Gaussian noise with the smoothed spectrum of a trace (n,), rounded
    as it is.

    Below the lowest frequency of the trace the spectrum goes on as 1 / f.
    """
    found = spectrum(1 + deviations, interval, SMOOTH, first=1)
    count = LONGER * len(deviations)
    frequency = np.fft.rfftfreq(count, interval)[1:]
    density = np.exp(np.interp(np.log(frequency), np.log(found.frequency), np.log(found.density)))
    density *= np.maximum(found.frequency[0] / frequency, 1)
    shape = (number, len(frequency))
    drawn = generator.standard_normal(shape) + 1j * generator.standard_normal(shape)
    waves = np.zeros((number, len(frequency) + 1), dtype=np.complex128)
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
