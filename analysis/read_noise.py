"""All of a cell's read noise from one trace: telegraph first, then white and 1/f beside it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.read_noise_spectrum import SpectrumFit, fit_spectrum
from analysis.telegraph import FALSE_ALARMS, TelegraphFit, find_telegraphs, without_telegraph
from crossbar.units import Ratio, Seconds


@dataclass(frozen=True, kw_only=True)
class ReadNoiseFit:
    """What one trace says."""

    telegraph: TelegraphFit
    spectrum: SpectrumFit
    """Of the trace, without the telegraph if it is one."""


def fit_read_noise(
    traces: NDArray[np.float64],
    interval: Seconds,
    aperture: Seconds | None = None,
    *,
    generator: np.random.Generator,
    false_alarms: Ratio = FALSE_ALARMS,
    confidence: Ratio = 0.95,
) -> list[ReadNoiseFit]:
    """Fit traces (k, n) of conductances that were read every ``interval``.

    ``aperture`` is what the meter averages over for one reading, by default all of the interval;
    ``generator`` draws the surrogates of the telegraph rule. Raises DataError for a trace without a
    spectrum (`analysis.read_noise_spectrum`).
    """
    telegraphs = find_telegraphs(
        traces, interval, generator, false_alarms=false_alarms, confidence=confidence
    )
    fits = []
    for trace, telegraph in zip(traces, telegraphs, strict=True):
        quiet = without_telegraph(trace, telegraph) if telegraph.is_telegraph else trace
        spectrum = fit_spectrum(quiet, interval, aperture, confidence)
        fits.append(ReadNoiseFit(telegraph=telegraph, spectrum=spectrum))
    return fits


def reading_interval(time: NDArray[np.float64]) -> Seconds:
    """The time from one reading to the next (n,), the median: meters answer within a small jitter,
    which is neglected. 1 where nobody wrote down the times: frequencies are then by the reading.
    """
    interval = float(np.median(np.diff(time))) if len(time) > 1 else np.nan
    return interval if np.isfinite(interval) else 1.0
