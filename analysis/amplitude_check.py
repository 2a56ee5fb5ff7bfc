"""Do attempts at other pulses agree with what a switching fit says of them? No torch.

The fit knows the rate of a pulse only so well: ln(hazard) = ln(-ln WER) there has an error, by the
delta method from the information of the counts. The p-value of the new counts is the largest
binomial one over an interval of rates that misses the true one with probability b, plus b (Berger
and Boos, J. Am. Stat. Assoc. 89, 1012, 1994), two-sided as twice the smaller tail, times the number
of looks (Bonferroni). So sound cells are flagged, any of them, at most at the false-alarm rate, as
far as the normal approximation of ln(hazard) holds.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, norm

from analysis.amplitude_density import AmplitudeForWer, Density, Observed
from analysis.amplitude_interval import AmplitudeFits
from analysis.intervals import check_confidence
from crossbar.units import Ratio

FloatArray = NDArray[np.float64]

SHARE = 0.1
"""Of the false-alarm rate, for rates outside their interval. Ours."""


@dataclass(frozen=True, kw_only=True)
class AmplitudeCheck:
    """What k checks of n (cell, target) pairs found."""

    predicted: FloatArray
    """(n, k) write error rates that the fits say."""
    low: FloatArray
    """(n, k) ends of their intervals, at the confidence of the fits."""
    high: FloatArray
    """(n, k)"""
    p_value: FloatArray
    """(n,) times the number of looks, at most 1; NaN for pairs without a valid check attempt."""


def check_amplitudes(
    seen: Observed,
    fits: AmplitudeFits,
    quantity: AmplitudeForWer,
    checks: Observed,
    false_alarm_rate: Ratio,
) -> AmplitudeCheck:
    """Hold the check attempts (n, k) against the fits of what was ``seen`` (n, m).

    Raises ConfigurationError for a false-alarm rate, that of all n pairs together, outside 0 to 1.
    """
    check_confidence(1 - false_alarm_rate)
    density = Density(quantity=quantity)
    at = np.log(np.stack([fits.estimate, fits.parameters[:, 0], fits.parameters[:, 2]], axis=1))
    value, slopes = density.linearized(at, checks.amplitude, checks.width)
    _, information = density.score_and_information(at, seen)
    covariance = np.linalg.inv(information + 1e-8 * np.eye(3))
    error = np.sqrt(np.einsum("nkp,npq,nkq->nk", slopes, covariance, slopes))
    asked = checks.attempts > 0
    looks = max(int(np.count_nonzero(asked)), 1)
    missed = SHARE * false_alarm_rate / looks
    low, high = rates(value, error, 1 - missed)
    tails = np.minimum(
        binom.sf(checks.errors - 1, checks.attempts, high),
        binom.cdf(checks.errors, checks.attempts, low),
    )
    each = np.where(asked, looks * (2 * tails + missed), np.inf).min(axis=1)
    told = rates(value, error, fits.confidence)
    return AmplitudeCheck(
        predicted=np.exp(-np.exp(value)),
        low=told[0],
        high=told[1],
        p_value=np.where(np.isfinite(each), np.minimum(each, 1.0), np.nan),
    )


def rates(log_hazard: FloatArray, error: FloatArray, confidence: Ratio) -> tuple[FloatArray, ...]:
    """Both ends (...) of the write error rate from ln(hazard) and its standard error."""
    reach = float(norm.ppf(0.5 + confidence / 2)) * error
    low, high = (np.exp(-np.exp(log_hazard + side * reach)) for side in (1, -1))
    return low, high
