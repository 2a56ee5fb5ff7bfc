"""How fast a read switches the cell that it reads: a rate a voltage. Free of torch.

Below the critical current the state is lost at a constant rate, so reads of different lengths at
one voltage tell one number: WER = exp(-rate x duration). What `physics.switching_regimes` says of
short reads holds here too: reads below some 100 tau_d switch less often.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import chi2

from analysis.intervals import check_confidence, clopper_pearson
from crossbar.errors import DataError
from crossbar.estimate import Estimate
from crossbar.records import WerPoint

WIDEST = 60.0
"""-ln(rate x shortest duration) beyond which no count resolves a rate."""
LARGEST = 6.0
"""ln(rate x shortest duration) at which nothing is left in its state: exp(-400)."""


def disturb_rate(points: Sequence[WerPoint], confidence: float = 0.95) -> Estimate:
    """Switches a second from the points of one cell, direction and voltage, of any durations.

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
    if len(set(duration)) == 1 or not 0 < kept.sum() < attempts.sum():
        return _one_duration(duration, kept, attempts, confidence)
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
    return Estimate.of(*np.exp([best, low, high]) / unit)


def _one_duration(
    duration: NDArray[np.float64],
    kept: NDArray[np.float64],
    attempts: NDArray[np.float64],
    confidence: float,
) -> Estimate:
    """Exact: from the longest reads where nothing switched at all, the shortest where all did."""
    place = int(np.argmin(duration) if not kept.any() else np.argmax(duration * attempts))
    same = duration == duration[place]
    stayed, made = kept[same].sum(), attempts[same].sum()
    fewest, most = clopper_pearson(stayed, made, confidence)
    with np.errstate(divide="ignore"):
        rate, low, high = -np.log([stayed / made, most, fewest]) / duration[place]
    return Estimate.of(abs(rate), abs(low), high)


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
