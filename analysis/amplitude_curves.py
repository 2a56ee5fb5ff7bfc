"""How the write error rate falls with amplitude at one width, whatever the mechanism.

Four curves of two parameters, fitted by maximum likelihood. Where errors were counted they look
alike; how they go on beyond is what an extrapolation rests on. The amplitude for a wanted rate
carries a profile-likelihood interval under each, and an envelope over those that the counts do not
contradict. Free of torch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from analysis.falling_curves import CURVES, Curve
from analysis.intervals import check_confidence
from analysis.likelihood_profile import most_likely, profile_interval
from crossbar.errors import ConfigurationError, DataError
from crossbar.units import Ratio, Volts

Values = NDArray[np.float64]
SAMPLES = 499
"""Of the parametric bootstrap; the smallest p-value is 1 in 500."""
STEEPEST, FLATTEST = 1e-3, 20.0
"""Widths of a curve that the search may try, as parts of the span of amplitudes. Ours."""
SHIFT = 1e-5
SHIFTS = SHIFT * np.concatenate([np.zeros((1, 2)), np.eye(2), -np.eye(2)])
"""(5, 2) where a likelihood is evaluated for its value and its slope."""
FEWEST = 3
"""Amplitudes with attempts; two parameters take more than two."""


@dataclass(frozen=True, kw_only=True)
class CurveFit:
    """One curve, fitted to the counts of one cell, direction and width."""

    curve: Curve
    amplitude: Volts
    """Where the rate is the wanted one; magnitude."""
    low: Volts
    """Ends of its interval; 0 and infinite where open."""
    high: Volts
    width: Volts
    """Of the curve."""
    deviance: float
    dof: int
    p_value: float
    """How often counts drawn from the fitted curve deviate as much from their own fit."""
    log_likelihood: float

    def log_wer(self, amplitude: Values, rate: Ratio) -> Values:
        """Natural log of the rate over amplitudes; ``rate`` is that of the fitted amplitude."""
        return self.curve.log_error((amplitude - self.amplitude) / self.width + self.curve.at(rate))


def fit_curves(
    amplitude: Values,
    attempts: NDArray[np.int64],
    errors: NDArray[np.int64],
    rate: Ratio,
    generator: np.random.Generator,
    confidence: Ratio = 0.95,
    curves: Sequence[Curve] = CURVES,
) -> list[CurveFit]:
    """Each curve fitted to counts (m,) at magnitudes (m,), with the amplitude for ``rate``.

    Raises DataError for fewer than `FEWEST` amplitudes, or counts without both outcomes;
    ConfigurationError for a rate or confidence outside 0 to 1.
    """
    check_confidence(confidence)
    if not 0 < rate < 1:
        raise ConfigurationError(f"An error rate of {rate!r} was asked for; it is between 0 and 1.")
    tried = attempts > 0
    amplitude, attempts, errors = amplitude[tried], attempts[tried], errors[tried]
    if len(np.unique(amplitude)) < FEWEST or not 0 < errors.sum() < attempts.sum():
        raise DataError(
            f"{errors.sum()} errors in {attempts.sum()} attempts at {len(np.unique(amplitude))} "
            f"amplitudes do not make a curve; it takes {FEWEST} amplitudes, errors and successes."
        )
    counts = attempts.astype(np.float64), errors.astype(np.float64)
    return [_fit(curve, amplitude, *counts, rate, generator, confidence) for curve in curves]


def _fit(
    curve: Curve,
    amplitude: Values,
    attempts: Values,
    errors: Values,
    rate: Ratio,
    generator: np.random.Generator,
    confidence: Ratio,
) -> CurveFit:
    """One curve. Its parameters are the wanted amplitude, as a part of the span of amplitudes from
    their middle, and the logarithm of its width, in the same unit.
    """
    middle, span = float(np.mean(amplitude)), float(np.ptp(amplitude))
    x, z_wanted = (amplitude - middle) / span, curve.at(rate)

    def loss(point: Values) -> tuple[float, Values]:
        values = -_log_likelihood(curve, x, attempts, errors, point + SHIFTS, z_wanted)
        return float(values[0]), (values[1:3] - values[3:]) / (2 * SHIFT)

    reach = abs(z_wanted) * FLATTEST + 2
    bounds = np.array([[-reach, reach], [np.log(STEEPEST), np.log(FLATTEST)]])
    starts = [np.array([width * z_wanted, np.log(width)]) for width in (0.03, 0.1, 0.3)]
    summit, least = min((most_likely(loss, start, bounds) for start in starts), key=_second)
    ends = profile_interval(loss, summit, 0, bounds, confidence)
    expected = np.exp(_log_error(curve, x, summit, z_wanted))
    deviance = 2 * (_saturated(attempts, errors) + least)
    whole = attempts.astype(np.int64)
    drawn = generator.binomial(whole, expected, (SAMPLES, len(x))).astype(np.float64)
    beyond = np.count_nonzero(_deviances(curve, x, attempts, drawn, summit, z_wanted) >= deviance)
    return CurveFit(
        curve=curve,
        amplitude=middle + span * float(summit[0]),
        low=max(middle + span * ends[0], 0.0),
        high=middle + span * ends[1],
        width=span * float(np.exp(summit[1])),
        deviance=float(deviance),
        dof=len(x) - 2,
        p_value=float(1 + beyond) / (1 + SAMPLES),
        log_likelihood=-least,
    )


def _second(found: tuple[Values, float]) -> float:
    return found[1]


def _log_error(curve: Curve, x: Values, point: Values, z_wanted: float) -> Values:
    return curve.log_error((x - point[..., :1]) / np.exp(point[..., 1:]) + z_wanted)


def _log_likelihood(
    curve: Curve, x: Values, attempts: Values, errors: Values, point: Values, z_wanted: float
) -> Any:
    """(...,) of points (..., 2), without the binomial coefficients."""
    z = (x - point[..., :1]) / np.exp(point[..., 1:]) + z_wanted
    floor = -1e5
    wrong = np.maximum(curve.log_error(z), floor)
    right = np.maximum(curve.log_success(z), floor)
    return (errors * wrong + (attempts - errors) * right).sum(-1)


def _saturated(attempts: Values, errors: Values) -> Any:
    """Log-likelihood of a free rate at each amplitude."""
    right = attempts - errors
    return (xlogy(errors, errors / attempts) + xlogy(right, right / attempts)).sum(-1)


def _deviances(
    curve: Curve, x: Values, attempts: Values, drawn: Values, start: Values, z_wanted: float
) -> Values:
    """(k,) deviances of k drawn sets of counts (k, m) from curves fitted to each of them.

    Fitted together by Newton's method with halved steps, from the curve that they were drawn from.
    """
    point = np.tile(start, (len(drawn), 1))
    best: Values = _log_likelihood(curve, x, attempts, drawn, point, z_wanted)
    share = np.ones(len(drawn))
    for _ in range(25):
        step = _newton_step(curve, x, attempts, drawn, point, z_wanted)
        trial = point + share[:, None] * np.clip(step, -1, 1)
        trial[:, 1] = np.clip(trial[:, 1], np.log(STEEPEST), np.log(FLATTEST))
        value = _log_likelihood(curve, x, attempts, drawn, trial, z_wanted)
        better = value > best
        point = np.where(better[:, None], trial, point)
        best = np.where(better, value, best)
        share = np.where(better, 1.0, share / 4)
        if share.max() < 1e-4 or np.abs(step).max() < 1e-5:
            break
    return 2 * (_saturated(attempts, drawn) - best)


def _newton_step(
    curve: Curve, x: Values, attempts: Values, drawn: Values, point: Values, z_wanted: float
) -> Values:
    """(k, 2) steps by Fisher scoring with numeric slopes of the rate."""
    step = 1e-4
    log_error = _log_error(curve, x, point, z_wanted)
    slopes = np.stack(
        [
            (
                _log_error(curve, x, point + step * unit, z_wanted)
                - _log_error(curve, x, point - step * unit, z_wanted)
            ) / (2 * step)
            for unit in np.eye(2)
        ], axis=-1,
    )  # fmt: skip
    rate = np.clip(np.exp(log_error), 1e-12, 1 - 1e-12)
    slopes = np.where(log_error[..., None] < -700, 0.0, slopes)
    score = np.einsum("kmp,km->kp", slopes, (drawn - attempts * rate) / (1 - rate))
    weight = attempts * rate / (1 - rate)
    information = np.einsum("kmp,km,kmq->kpq", slopes, weight, slopes) + 1e-6 * np.eye(2)
    return np.linalg.solve(information, score[..., None])[..., 0]


def envelope(fits: Sequence[CurveFit], level: Ratio = 0.05) -> tuple[Volts, Volts]:
    """The widest ends of the intervals of all curves whose p-value is above ``level``.

    NaN twice if the counts contradict every one.
    """
    sound = [fit for fit in fits if fit.p_value > level]
    if not sound:
        return float("nan"), float("nan")
    return min(fit.low for fit in sound), max(fit.high for fit in sound)
