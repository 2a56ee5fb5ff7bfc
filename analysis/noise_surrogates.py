"""Gaussian noise that has the spectrum of a trace, and its rounding. Free of torch."""

from collections.abc import Callable

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

    def density(frequency: FloatArray) -> FloatArray:
        within = np.interp(np.log(frequency), np.log(found.frequency), np.log(found.density))
        return np.exp(within) * np.maximum(found.frequency[0] / frequency, 1)

    made = gaussian_noise(density, (number, len(deviations)), interval, generator)
    return rounded_alike(made, deviations)


def gaussian_noise(
    density: Callable[[FloatArray], FloatArray],
    shape: tuple[int, int],
    interval: Seconds,
    generator: np.random.Generator,
) -> FloatArray:
    """Stretches of noise of this shape (number, n) with a one-sided spectral density that is a
    function of the frequency (m,) in hertz.
    """
    number, readings = shape
    count = LONGER * readings
    size = density(np.fft.rfftfreq(count, interval)[1:].astype(np.float64))
    drawn = generator.standard_normal((2, number, len(size)))
    waves = np.zeros((number, len(size) + 1), dtype=np.complex128)
    waves[:, 1:] = (drawn[0] + 1j * drawn[1]) * np.sqrt(size * count / interval) / 2
    return np.asarray(np.fft.irfft(waves, n=count, axis=1)[:, :readings])


def rounded_alike(made: FloatArray, deviations: FloatArray) -> FloatArray:
    """``made`` (number, n), rounded to the codes of a trace (n,)."""
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
