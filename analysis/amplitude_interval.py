"""The most likely amplitude for a write error rate, and its profile-likelihood interval.

An interval holds the amplitudes at which the likelihood, maximized over delta and tau_d, is within
chi2(confidence, 1) / 2 of its maximum (Wilks, Ann. Math. Stat. 9, 60, 1938). A design that looked
at the counts before it chose the next pulse leaves the likelihood as it is, and so the interval.
"""

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from analysis.amplitude_climb import Summit, climb, summit_of
from analysis.amplitude_density import AmplitudeForWer, Density, Observed, search_range
from analysis.intervals import check_confidence
from analysis.profile_walk import RISE, Indices, Walks, walk_to_ends
from analysis.switching_counts import SwitchingCounts
from crossbar.units import Ratio

FloatArray = NDArray[np.float64]

FARTHEST = 3.0
"""An end beyond a factor of e^3 from the estimate is open."""
TRIALS = 20


@dataclass(frozen=True, kw_only=True)
class AmplitudeFits:
    """The wanted amplitude of n (cell, target) pairs; volts, magnitudes."""

    estimate: FloatArray
    """(n,) most likely."""
    low: FloatArray
    """(n,) low end of the interval; 0 where the counts set none."""
    high: FloatArray
    """(n,) high end; infinite where the counts set none."""
    confidence: Ratio
    parameters: FloatArray
    """(n, 3) most likely delta, vc0, tau_d."""
    log_likelihood: FloatArray
    """(n,) at the estimate, without the binomial coefficients."""
    deviance: FloatArray
    """(n,) twice what a model with a free rate at each pulse gains."""
    p_value: FloatArray
    """(n,) of a cell that the model describes to deviate so much, by chi2 with as many degrees of
    freedom as there are pulses, less three; 1 for three pulses or fewer."""
    converged: NDArray[np.bool_]
    """(n,) True where both ends are finite, and on the way to them no fit was better."""

    @property
    def log_width(self) -> FloatArray:
        """(n,) ln(high / low): the relative width of each interval."""
        with np.errstate(divide="ignore"):
            return np.log(self.high) - np.log(self.low)

    def rows(self, index: NDArray) -> "AmplitudeFits":
        """Those of some pairs, by mask or indices."""
        arrays = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "confidence"}
        return replace(self, **{name: values[index] for name, values in arrays.items()})


def fit_amplitudes(
    counts: SwitchingCounts | Observed, quantity: AmplitudeForWer, confidence: Ratio = 0.95
) -> AmplitudeFits:
    """The amplitude that the quantity asks for, with its interval, for each row of counts.

    Raises ConfigurationError for a confidence outside 0 to 1.
    """
    check_confidence(confidence)
    density = Density(quantity=quantity)
    seen = counts if isinstance(counts, Observed) else Observed.of(counts)
    summit = summit_of(density, seen)
    wanted = float(np.sqrt(chi2.ppf(confidence, 1)))
    distances, risings = walk_to_ends(walks_of(density, seen, summit, wanted))
    distance, risen = distances.reshape(2, -1), risings.reshape(2, -1).any(axis=0)
    log_volts, delta, tau_d = summit.at[:, 0], np.exp(summit.at[:, 1]), np.exp(summit.at[:, 2])
    vc0 = np.exp(log_volts - quantity.log_current(delta, tau_d))
    deviance = np.maximum(2 * (saturated(seen) - summit.log_density), 0.0)
    dof = np.count_nonzero(seen.attempts, axis=1) - 3
    low, high = np.exp(log_volts - distance[0]), np.exp(log_volts + distance[1])
    return AmplitudeFits(
        estimate=np.exp(log_volts),
        low=low,
        high=high,
        confidence=confidence,
        parameters=np.stack([delta, vc0, tau_d], axis=-1),
        log_likelihood=summit.log_density,
        deviance=deviance,
        p_value=np.where(dof > 0, chi2.sf(deviance, np.maximum(dof, 1)), 1.0),
        converged=(low > 0) & np.isfinite(high) & ~risen,
    )


def saturated(seen: Observed) -> FloatArray:
    """(n,) log-likelihood of a model with a free rate at each pulse."""
    rate = seen.errors / np.maximum(seen.attempts, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        wrong = np.where(seen.errors > 0, seen.errors * np.log(rate), 0.0)
        right = np.where(rate < 1, (seen.attempts - seen.errors) * np.log1p(-rate), 0.0)
    return np.sum(wrong + right, axis=-1)


def is_extrapolated(
    seen: Observed, fits: AmplitudeFits, quantity: AmplitudeForWer
) -> NDArray[np.bool_]:
    """(n,) True where no pulse so strong was given for so long: the value rests on the model."""
    as_hard = (
        (seen.amplitude >= fits.estimate[:, None])
        & (seen.width >= quantity.width * (1 - 1e-9))
        & (seen.attempts > 0)
    )
    return np.asarray(~np.any(as_hard, axis=1))


def walks_of(density: Density, seen: Observed, summit: Summit, wanted: float) -> Walks:
    """Walks from n summits along ln V to both sides, 2 n of them: all low ends first.

    They follow the ridge that the information at the summit describes.
    """
    _, information = density.score_and_information(summit.at, seen)
    covariance = np.linalg.inv(information + 1e-8 * np.eye(3))
    variance = covariance[:, 0, 0]
    ridge = covariance[:, :, 0] / variance[:, None]
    profiles = Profiles(
        density=density,
        seen=seen.rows(np.tile(np.arange(len(variance)), 2)),
        summit=Summit(at=np.tile(summit.at, (2, 1)), log_density=np.tile(summit.log_density, 2)),
        direction=np.concatenate([-ridge, ridge]),
        wanted=wanted,
    )
    return Walks(
        gap=profiles.gap,
        first=np.tile(np.minimum(wanted * np.sqrt(variance), 0.5), 2),
        farthest=np.full(2 * len(variance), FARTHEST),
        wanted=wanted,
        trials=TRIALS,
        narrowest=1.0,
    )


@dataclass(frozen=True, kw_only=True)
class Profiles:
    """The densities along s walks from summits, each along ln V to one side."""

    density: Density
    seen: Observed
    """(s, m)"""
    summit: Summit
    """(s, 3) and (s,)"""
    direction: FloatArray
    """(s, 3) change of all parameters for each unit walked; +-1 for ln V."""
    wanted: float

    def gap(self, walks: Indices, distance: FloatArray) -> FloatArray:
        """That of `profile_walk.Walks`; the best delta and tau_d are sought from where the ridge
        leads to and from where they were at the summit.
        """
        ahead = self.summit.at[walks] + self.direction[walks] * distance[:, None]
        beside = self.summit.at[walks].copy()
        beside[:, 0] = ahead[:, 0]
        here = self.seen.rows(walks)
        ends = [
            climb(self.density, here, start, hold_volts=True, iterations=25).log_density
            for start in (np.clip(ahead, *search_range()), beside)
        ]
        drop = self.summit.log_density[walks] - np.maximum(*ends)
        root = np.sqrt(2 * np.maximum(drop, 0.0)) - self.wanted
        return np.where(drop < -RISE, np.nan, root)
