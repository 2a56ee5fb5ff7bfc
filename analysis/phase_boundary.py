"""Where pulses switch half of the time: V_50 at each width, and the boundary through them.

Free of torch: around 50 % no cell model is needed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy
from scipy.stats import norm

from analysis.intervals import check_confidence
from crossbar.errors import DataError
from crossbar.estimate import Estimate
from crossbar.records import WerPoint
from crossbar.units import Ratio, Seconds

HALF = float(np.log(np.log(2.0)))
"""ln(-ln WER) where half of the pulses switch."""
WITHIN: Ratio = 0.25
"""Amplitudes this close to V_50, relative, take part: there a parabola in 1 / V describes
ln(-ln WER) so well that V_50 of the cells of `physics.mtj` is off by a twentieth of its error
(with a parabola in ln V: a sixth). Ours."""
STEPS = 40
"""Of the search for the most likely curve; ten are usual."""

Values = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class HalfPoint:
    """V_50 of one cell and direction at one width."""

    width: Seconds
    volts: Estimate
    """A magnitude; its standard error is that of the logarithm times it."""
    log_error: Ratio
    """Standard error of ln V_50."""


@dataclass(frozen=True, kw_only=True)
class Boundary:
    """V_50(t) = V_c0 (1 + t_0 / t) through the widths of one cell and direction.

    An empirical summary (Auspex' ``f_macrospin``), by least squares in V_50 over 1 / t with equal
    weights: so ``vc0`` and ``t0`` are defined by the true V_50 at the widths that were measured,
    whether or not the boundary has this form, and ``misfit`` tells how well it does. Where long
    pulses are among them, thermal activation bends it, and ``vc0`` lies below the critical voltage
    that `analysis.switching_fit` finds.
    """

    vc0: Estimate
    """Volts."""
    t0: Estimate
    """Seconds."""
    misfit: Ratio
    """Root mean square of the relative residuals."""


def half_point(points: Sequence[WerPoint], confidence: float = 0.95) -> HalfPoint:
    """V_50 from the points of one cell, direction and width.

    ln(-ln WER) is fitted by a parabola in 1 / V to the counts within `WITHIN` of where the observed
    rates pass a half, most likely (a binomial model with the complementary log-log link). The
    interval is by the delta method; with some hundred switches near 50 % it is close to exact.
    Raises DataError where the points do not enclose 50 %.
    """
    check_confidence(confidence)
    amplitude, kept, tried = (
        np.array([getattr(point, name) for point in points if point.attempts], dtype=np.float64)
        for name in ("amplitude", "errors", "attempts")
    )
    order = np.argsort(np.abs(amplitude))
    volts, kept, tried = np.abs(amplitude)[order], kept[order], tried[order]
    rough = _crossing(volts, kept / np.maximum(tried, 1))
    near = np.abs(np.log(volts / rough)) < WITHIN
    x = 1 - rough / volts[near]
    terms = min(3, len(np.unique(x)))
    coefficients, covariance = _most_likely(
        np.stack([x**power for power in range(terms)], axis=1), kept[near], tried[near]
    )
    root = _root(coefficients)
    slope = sum(power * coefficients[power] * root ** (power - 1) for power in range(1, terms))
    gradient = np.array([root**power for power in range(terms)]) / slope
    error = float(np.sqrt(gradient @ covariance @ gradient)) / (1 - root)
    reach = float(norm.ppf(0.5 + confidence / 2)) * error
    center = rough / (1 - root)
    return HalfPoint(
        width=points[0].width,
        volts=Estimate.of(center, center * np.exp(-reach), center * np.exp(reach)),
        log_error=error,
    )


def _crossing(volts: Values, rate: Values) -> float:
    """Roughly where rates, made monotone by running means of their two sides, pass a half."""
    falling = (np.minimum.accumulate(rate) + np.maximum.accumulate(rate[::-1])[::-1]) / 2
    below = np.flatnonzero(falling < 0.5)
    if not len(below) or below[0] == 0:
        width = "" if len(volts) else ", none with a valid attempt"
        raise DataError(
            f"{len(volts)} points{width} do not enclose 50 %: nothing switches half of the time. "
            "Measure smaller and larger amplitudes: --set start=... --set stop=..."
        )
    last, first = below[0] - 1, below[0]
    share = (falling[last] - 0.5) / (falling[last] - falling[first])
    return float(volts[last] + share * (volts[first] - volts[last]))


def _most_likely(design: Values, kept: Values, tried: Values) -> tuple[Values, Values]:
    """Coefficients (p,) and covariance (p, p), by Fisher scoring with halved steps.

    ``design`` (m, p); ``kept`` (m,) of the ``tried`` (m,) stayed where they were.
    """
    slope = 3.0  # of ln(hazard) over 1 - V_50 / V: any positive one leads there
    coefficients: NDArray[Any] = np.zeros(design.shape[1])
    coefficients[:2] = [HALF, slope][: len(coefficients)]
    best, share = -np.inf, 1.0
    step: NDArray[Any] = np.zeros_like(coefficients)
    information: NDArray[Any] = np.eye(len(coefficients))
    for _ in range(STEPS):
        trial = coefficients + share * step
        hazard = np.exp(np.clip(design @ trial, -30, 6))
        rate, success = np.exp(-hazard), -np.expm1(-hazard)
        likelihood = float((xlogy(kept, rate) + xlogy(tried - kept, success)).sum())
        if likelihood < best - 1e-12:
            share /= 4
            continue
        gained, best, coefficients, share = likelihood - best, likelihood, trial, 1.0
        # d rate / d eta = -rate hazard; the score and expected information of a binomial.
        weight = hazard**2 * rate / success
        information = (design * (tried * weight)[:, None]).T @ design
        score = design.T @ ((tried * rate - kept) * hazard / success)
        step = np.linalg.solve(information + 1e-9 * np.diag(np.diag(information)), score)
        if gained < 1e-9:
            break
    covariance: NDArray[Any] = np.linalg.inv(information + 1e-12 * np.diag(np.diag(information)))
    return coefficients, covariance


def _root(coefficients: Values) -> float:
    """Where the curve passes 50 %: the root near 0."""
    polynomial = coefficients.copy()
    polynomial[0] -= HALF
    roots = np.roots(polynomial[::-1])
    real = roots[np.abs(roots.imag) < 1e-9].real
    if not len(real):
        raise DataError("The counts around 50 % do not switch more often with more amplitude.")
    return float(real[np.argmin(np.abs(real))])


def boundary(points: Sequence[HalfPoint], confidence: float = 0.95) -> Boundary:
    """V_c0 and t_0 from V_50 at two or more widths. Raises DataError for fewer."""
    if len(points) < 2:
        raise DataError(f"{len(points)} widths with a V_50 make no boundary; measure two or more.")
    z = float(norm.ppf(0.5 + check_confidence(confidence) / 2))
    volts = np.array([point.volts.estimate for point in points])
    errors = volts * np.array([point.log_error for point in points])
    (vc0, slope), spread = boundary_line(np.array([point.width for point in points]), volts)
    covariance = (spread * errors**2) @ spread.T
    t0 = slope / vc0
    gradient = np.array([-t0, 1.0]) / vc0
    reaches = z * np.sqrt([covariance[0, 0], gradient @ covariance @ gradient])
    fitted = vc0 * (1 + t0 / np.array([point.width for point in points]))
    return Boundary(
        vc0=Estimate.of(vc0, vc0 - reaches[0], vc0 + reaches[0]),
        t0=Estimate.of(t0, t0 - reaches[1], t0 + reaches[1]),
        misfit=float(np.sqrt(np.mean((volts / fitted - 1) ** 2))),
    )


def boundary_line(widths: Values, volts: Values) -> tuple[tuple[float, float], Values]:
    """(V_c0, V_c0 t_0) by least squares, and the (2, n) matrix that makes them of the volts."""
    design = np.stack([np.ones(len(widths)), 1 / widths], axis=1)
    scale = np.array([1.0, widths.min()])  # both columns of the order of 1
    matrix = scale[:, None] * np.linalg.pinv(design * scale)
    vc0, slope = matrix @ volts
    return (float(vc0), float(slope)), matrix
