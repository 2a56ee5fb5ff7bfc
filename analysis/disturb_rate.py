"""How fast a read switches the cell that it reads: a rate a voltage. Free of torch.

Below the critical current the state is lost at a constant rate, so reads of different lengths at
one voltage tell one number: WER = exp(-rate x duration). What `physics.switching_regimes` says of
short reads holds here too: reads below some 100 tau_d switch less often.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import chi2

from analysis.intervals import check_confidence, clopper_pearson
from crossbar.errors import DataError
from crossbar.records import WerPoint
from crossbar.units import Volts

WIDEST = 60.0
"""-ln(rate x shortest duration) beyond which no count resolves a rate."""
LARGEST = 6.0
"""ln(rate x shortest duration) at which nothing is left in its state: exp(-400)."""


@dataclass(frozen=True, kw_only=True)
class DisturbRate:
    """Switches a second of one cell under one voltage."""

    voltage: Volts
    """Signed, as applied."""
    rate: float
    """Per second; 0 where nothing switched."""
    low: float
    high: float
    """Infinite where everything switched."""


def disturb_rate(points: Sequence[WerPoint], confidence: float = 0.95) -> DisturbRate:
    """The rate from the points of one cell, direction and voltage, whatever their durations.

    The most likely one, with its likelihood-ratio interval. Where nothing switched, or everything,
    and where there is one duration, Clopper-Pearson's: exact. Raises DataError without a point.
    """
    check_confidence(confidence)
    tried = [point for point in points if point.attempts]
    if not tried:
        raise DataError("No read of this voltage has a valid attempt: no rate of disturbs.")
    duration = np.array([point.width for point in tried])
    kept = np.array([point.errors for point in tried], dtype=np.float64)
    attempts = np.array([point.attempts for point in tried], dtype=np.float64)
    voltage = tried[0].amplitude
    if len(set(duration)) == 1 or not 0 < kept.sum() < attempts.sum():
        return _one_duration(voltage, duration, kept, attempts, confidence)
    unit = float(duration.min())

    def slope(log_rate: float) -> float:
        return float(_score(np.exp(log_rate) * duration / unit, kept, attempts))

    best = float(brentq(slope, -WIDEST, LARGEST, xtol=1e-10))
    summit = _likelihood(np.exp(best) * duration / unit, kept, attempts)
    drop = chi2.ppf(confidence, 1) / 2

    def above(log_rate: float) -> float:
        return _likelihood(np.exp(log_rate) * duration / unit, kept, attempts) - summit + drop

    low = brentq(above, -WIDEST, best) if above(-WIDEST) < 0 else -np.inf
    high = brentq(above, best, best + WIDEST) if above(best + WIDEST) < 0 else np.inf
    rate, lower, upper = np.exp([best, low, high]) / unit
    return DisturbRate(voltage=voltage, rate=float(rate), low=float(lower), high=float(upper))


def _one_duration(
    voltage: Volts,
    duration: NDArray[np.float64],
    kept: NDArray[np.float64],
    attempts: NDArray[np.float64],
    confidence: float,
) -> DisturbRate:
    """Exact: from the longest reads where nothing switched at all, the shortest where all did."""
    place = int(np.argmin(duration) if not kept.any() else np.argmax(duration * attempts))
    same = duration == duration[place]
    stayed, made = kept[same].sum(), attempts[same].sum()
    fewest, most = clopper_pearson(stayed, made, confidence)
    with np.errstate(divide="ignore"):
        rate, low, high = -np.log([stayed / made, most, fewest]) / duration[place]
    return DisturbRate(
        voltage=voltage, rate=float(abs(rate)), low=float(abs(low)), high=float(high)
    )


def _likelihood(
    hazard: NDArray[np.float64], kept: NDArray[np.float64], attempts: NDArray[np.float64]
) -> float:
    """Of counts that stayed with probability exp(-hazard)."""
    hazard = np.clip(hazard, 1e-300, 1e300)
    with np.errstate(divide="ignore"):
        switched = np.where(attempts > kept, np.log(-np.expm1(-hazard)), 0.0)
    return float((-kept * hazard + (attempts - kept) * switched).sum())


def _score(
    hazard: NDArray[np.float64], kept: NDArray[np.float64], attempts: NDArray[np.float64]
) -> float:
    """Its derivative by the logarithm of the rate."""
    each = np.where(hazard < 1e-8, 1.0, hazard / np.expm1(np.clip(hazard, 1e-8, 700.0)))
    return float((-kept * hazard + (attempts - kept) * each).sum())
