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
from scipy.signal import detrend

from analysis.levels_among_noise import SETTLED, levels_among_noise
from analysis.noise_surrogates import resolution, surrogates
from analysis.read_noise_spectrum import relative
from analysis.telegraph_intervals import (
    bootstrap_fits,
    telegraph_estimate,
    telegraph_intervals,
)
from analysis.two_levels import fit_two_levels
from crossbar.units import Ratio, Seconds

FloatArray = NDArray[np.float64]

PARAMETERS = ("captured", "dwell_free", "dwell_captured")
"""Order of the columns: the fraction of the conductance that is missing on the lower level, and
mean dwell times on the upper and on the lower level in seconds."""
SURROGATES = 99
FALSE_ALARMS: Ratio = 0.01
NEAREST = 1.5
"""Codes of the converter between two levels, at least."""
TOGETHER = 1000
"""Traces and surrogates fitted in step: enough to be fast, few enough to fit into memory."""


@dataclass(frozen=True, kw_only=True)
class TelegraphFit:
    """What one trace of n readings says about a telegraph; others have shape (3,): `PARAMETERS`."""

    p_value: float
    """How often Gaussian noise of the same spectrum looks as much like a telegraph."""
    is_telegraph: bool
    estimate: FloatArray
    low: FloatArray
    """By `analysis.telegraph_intervals`; open, 0 to infinity, where it is no telegraph. Dwell times
    begin at 0 where levels cannot be told apart in some 3 % of the readings."""
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
    telegraphs = (p_values <= false_alarms) & (levels.high - levels.low > NEAREST * codes)
    estimate, on_high = telegraph_estimate(levels, interval), levels.in_high.copy()
    low, high = np.zeros_like(estimate), np.full_like(estimate, np.inf)
    at_once = max(1, TOGETHER // bootstrap_fits(confidence))
    places = np.flatnonzero(telegraphs)
    for start in range(0, len(places), at_once):
        block = places[start : start + at_once]
        found = levels_among_noise(deviations[block], levels[block], interval, generator)
        estimate[block] = telegraph_estimate(found.levels, interval)
        on_high[block] = found.levels.in_high
        low[block], high[block] = telegraph_intervals(
            deviations[block], found, interval, generator, confidence
        )
    return [
        TelegraphFit(
            p_value=float(p_values[place]),
            is_telegraph=bool(telegraphs[place]),
            estimate=estimate[place],
            low=low[place],
            high=high[place],
            confidence=confidence,
            in_captured=1 - on_high[place],
        )
        for place in range(len(traces))
    ]


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
        beside = [
            np.vstack([trace, surrogates(trace, interval, generator, SURROGATES)])
            for trace in block
        ]
        gain = fit_two_levels(detrend(np.concatenate(beside), axis=1)).gain
        found.append(np.mean(gain.reshape(len(block), -1) >= gain[:: SURROGATES + 1, None], axis=1))
    return np.concatenate(found)
