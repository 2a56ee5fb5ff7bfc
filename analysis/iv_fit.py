"""r_p, TMR and v_half of a junction from its current over voltage. Free of torch.

I = V / r_p in LOW (P), I = V / (r_p (1 + tmr / (1 + (V / v_half)^2))) in HIGH (AP), as in
`physics.mtj`; by least squares of the relative residuals, because readings scatter relatively.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.stats import t as student

from analysis.intervals import check_confidence
from crossbar.errors import DataError
from crossbar.records import VoltageSweep
from crossbar.units import Ratio

Values = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class JunctionFit:
    """Estimates with the ends of their intervals: (estimate, low, high)."""

    r_p: tuple[float, float, float]
    """Ohm."""
    tmr: tuple[float, float, float]
    """Without bias."""
    v_half: tuple[float, float, float]
    """Volts; infinite where the sweep is too short to see the TMR fall."""
    noise: Ratio
    """Standard deviation of one reading, relative."""


def fit_junction(low: VoltageSweep, high: VoltageSweep, confidence: float = 0.95) -> JunctionFit:
    """Fit one cell's sweeps in LOW and in HIGH together.

    Intervals are Student's, with the scatter of the readings themselves, each with its own: small
    voltages scatter more, by what the meter resolves (`robust_covariance`). They suppose that
    readings scatter independently: flicker noise makes them too narrow. Readings in compliance are
    left out.
    Of v_half the interval is that of 1 / v_half^2, in which the model is nearly linear, hence open
    at the top for a short sweep. Raises DataError for fewer than two usable readings a state, or
    states without a window.
    """
    check_confidence(confidence)
    (v_low, i_low), (v_high, i_high) = _usable(low), _usable(high)
    r_low, r_high = float(np.median(v_low / i_low)), float(np.median(v_high / i_high))
    if not r_high > r_low > 0:
        raise DataError(
            f"Cell {low.cell} shows no window: {r_low:.4g} Ohm in LOW, {r_high:.4g} Ohm in HIGH. "
            "Choose a healthy cell, or a larger write pulse."
        )
    start = np.array([np.log(r_low), np.log(r_high / r_low - 1), 0.0])
    largest = float(np.abs(v_high).max())

    def residuals(parameters: Values) -> Values:
        r_p, tmr = np.exp(parameters[:2])
        falling = 1 + parameters[2] * (v_high / largest) ** 2
        in_high = r_p * (1 + tmr / np.maximum(falling, 1e-3))
        return np.concatenate([i_low * r_p / v_low - 1, i_high * in_high / v_high - 1])

    found = least_squares(residuals, start, x_scale=[1.0, 1.0, 0.1])
    dof = len(found.fun) - 3
    variance = float(found.fun @ found.fun) / dof
    errors = np.sqrt(np.diagonal(robust_covariance(found.jac, found.fun)))
    reach = float(student.ppf(0.5 + confidence / 2, dof)) * errors
    low_ends, high_ends = found.x - reach, found.x + reach
    fall, steepest, flattest = (float(ends[2]) for ends in (found.x, high_ends, low_ends))
    return JunctionFit(
        r_p=_exponential(found.x[0], low_ends[0], high_ends[0]),
        tmr=_exponential(found.x[1], low_ends[1], high_ends[1]),
        v_half=(largest * _root(fall), largest * _root(steepest), largest * _root(flattest)),
        noise=variance**0.5,
    )


def robust_covariance(jacobian: Values, residuals: Values) -> Values:
    """Covariance (p, p) of least squares with residuals (n,) of unknown, unequal variances: HC3
    (MacKinnon and White, J. Econometrics 29, 305, 1985).
    """
    inverse = np.linalg.inv(jacobian.T @ jacobian)
    leverage = np.einsum("np,pq,nq->n", jacobian, inverse, jacobian)
    weighted = jacobian * (residuals / (1 - np.minimum(leverage, 0.99)))[:, None]
    return np.asarray(inverse @ (weighted.T @ weighted) @ inverse)


def _usable(sweep: VoltageSweep) -> tuple[Values, Values]:
    good = ~sweep.in_compliance & (sweep.voltage != 0) & (sweep.voltage * sweep.current > 0)
    if np.count_nonzero(good) < 2:
        raise DataError(
            f"Cell {sweep.cell}: {np.count_nonzero(good)} of {len(good)} readings are usable; a "
            "fit takes two or more in each state. Raise the current limit, or choose another cell."
        )
    return sweep.voltage[good], sweep.current[good]


def _exponential(*logarithms: float) -> tuple[float, float, float]:
    estimate, low, high = np.exp(logarithms)
    return float(estimate), float(low), float(high)


def _root(fall: float) -> float:
    """v_half over the largest voltage, from the fall of the TMR there; infinite for none."""
    return float(fall**-0.5) if fall > 0 else np.inf
