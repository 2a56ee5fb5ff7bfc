"""Four ways for an error rate to fall with amplitude. Free of torch."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtri

Values = NDArray[np.float64]
SMALL = 1e-300


@dataclass(frozen=True, kw_only=True)
class Curve:
    """ln(rate) over z = (V - place) / width, falling, and the same for what is no error."""

    name: str
    log_error: Callable[[Values], Values]
    log_success: Callable[[Values], Values]
    at: Callable[[float], float]
    """z at which the rate is this."""


def _log1mexp(log_rate: Values) -> Values:
    """ln(1 - rate), to full precision at both ends (Maechler 2012)."""
    with np.errstate(divide="ignore"):
        return np.where(
            log_rate > -0.693,
            np.log(-np.expm1(np.minimum(log_rate, -SMALL))),
            np.log1p(-np.exp(np.minimum(log_rate, -0.6))),
        )


def _exp(z: Values) -> Values:
    return np.exp(np.minimum(z, 700.0))


CURVES = (
    Curve(
        name="exponential tail",  # what a switching time with a fixed rate of escape leaves
        log_error=lambda z: _log1mexp(-_exp(-z)),
        log_success=lambda z: -_exp(-z),
        at=lambda rate: -float(np.log(-np.log1p(-rate))),
    ),
    Curve(
        name="logistic",
        log_error=lambda z: -np.logaddexp(0, z),
        log_success=lambda z: -np.logaddexp(0, -z),
        at=lambda rate: float(np.log1p(-rate) - np.log(rate)),
    ),
    Curve(
        name="normal",  # thresholds that are normal from pulse to pulse
        log_error=lambda z: log_ndtr(-z),
        log_success=log_ndtr,
        at=lambda rate: -float(ndtri(rate)),
    ),
    Curve(
        name="exponential hazard",  # a rate of escape that grows e-fold with the amplitude
        log_error=lambda z: -_exp(z),
        log_success=lambda z: _log1mexp(-_exp(z)),
        at=lambda rate: float(np.log(-np.log(rate))),
    ),
)
"""From the slowest to the fastest way down."""
