"""What counted write errors say about one quantity: the amplitude for a wanted error rate.

The switching model has three parameters a cell, (delta, vc0, tau_d). Here they are written as
(V, delta, tau_d), V being the amplitude that the quantity asks for: vc0 follows from it, and an
interval of V is one of a parameter. Everything is batched over n (cell, target) pairs, in natural
logarithms, and free of torch: it runs between two pulses of a measurement.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.switching_counts import SwitchingCounts
from crossbar.errors import ConfigurationError
from crossbar.records import WerPoint
from crossbar.units import Ratio, Seconds, Volts
from physics.mtj_laws import check_barrier_exponent
from physics.switching_table import log_current_for, log_hazard

FloatArray = NDArray[np.float64]

DELTA_RANGE = (20.5, 118.0)
"""Thermal stability factors that are considered, as in `analysis.switching_fit`."""
TAU_D_RANGE: tuple[Seconds, Seconds] = (1e-11, 1e-6)
VOLT_RANGE: tuple[Volts, Volts] = (1e-3, 1e3)
DIFFERENCE = 0.01
"""Step of the numeric derivatives, about half a cell of the table that is interpolated in."""
STEPS = DIFFERENCE * np.concatenate([np.zeros((1, 3)), np.eye(3), -np.eye(3)])
LOG_HAZARDS = (-27.0, 7.0)
"""Below, 1e-12 of switching is none; beyond, a hazard of e^7 leaves no error in any experiment."""


@dataclass(frozen=True, kw_only=True)
class AmplitudeForWer:
    """The quantity: the amplitude at which pulses of ``width`` fail at the rate ``wer``."""

    wer: Ratio = 1e-6
    width: Seconds = 20e-9
    barrier_exponent: Ratio = 2.0
    """Of the cells that are asked, as in `physics.mtj_laws.MtjLaws`."""

    def __post_init__(self) -> None:
        if not (0 < self.wer < 1 and 0 < self.width < float("inf")):
            raise ConfigurationError(
                f"The amplitude for a write error rate of {self.wer:g} at {self.width:g} s cannot "
                "be asked for: the rate must lie between 0 and 1, the width be positive and finite."
            )
        check_barrier_exponent(self.barrier_exponent)

    def log_current(self, delta: FloatArray, tau_d: FloatArray) -> FloatArray:
        """ln(V / vc0) at the wanted rate."""
        wanted = float(np.log(-np.log(self.wer)))
        return log_current_for(wanted, self.width / tau_d, delta, self.barrier_exponent)

    def of(self, parameters: FloatArray) -> FloatArray:
        """(n,) volts, of cells whose (n, 3) delta, vc0, tau_d are known."""
        delta, vc0, tau_d = np.moveaxis(np.asarray(parameters), -1, 0)
        return vc0 * np.exp(self.log_current(delta, tau_d))


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What is thought of cells before they are measured: independent, normal in the logarithms.

    It only decides which pulses are given. Intervals come from the likelihood alone: a wrong
    expectation costs attempts, not coverage.
    """

    delta: Ratio = 60.0
    vc0: Volts = 0.4
    tau_d: Seconds = 1.9e-9
    spread: tuple[Ratio, Ratio, Ratio] = (0.5, 0.3, 0.5)
    """Standard deviations of ln V, ln delta and ln tau_d: ours, many times the spread of a die."""

    def mean(self, quantity: AmplitudeForWer) -> FloatArray:
        """(3,) ln V, ln delta, ln tau_d."""
        volts = quantity.of(np.array([[self.delta, self.vc0, self.tau_d]]))
        return np.log([volts[0], self.delta, self.tau_d])

    def precision(self) -> FloatArray:
        """(3, 3) inverse covariance."""
        return np.diag(1 / np.square(self.spread))


@dataclass(frozen=True, kw_only=True)
class Observed:
    """Pulses and counts of n pairs, all (n, m); points of 0 attempts say nothing."""

    amplitude: FloatArray
    width: FloatArray
    attempts: FloatArray
    errors: FloatArray

    @classmethod
    def of(cls, counts: SwitchingCounts) -> "Observed":
        """The same numbers as floats."""
        names = ("amplitude", "width", "attempts", "errors")
        return cls(**{name: getattr(counts, name).astype(np.float64) for name in names})

    def rows(self, index: NDArray) -> "Observed":
        """Those of some pairs, by mask or indices."""
        return Observed(
            amplitude=self.amplitude[index],
            width=self.width[index],
            attempts=self.attempts[index],
            errors=self.errors[index],
        )


def observed_points(rows: Sequence[Sequence[WerPoint]]) -> Observed:
    """Records of n pairs, a sequence each; what comes of them does not depend on their order."""
    longest = max(map(len, rows), default=0)
    shape = (len(rows), longest)
    amplitude, width = np.full(shape, 0.5), np.full(shape, 1e-8)  # of padding: any pulse will do
    attempts, errors = np.zeros((2, *shape))
    for place, row in enumerate(rows):
        ordered = sorted(row, key=lambda point: (point.width, abs(point.amplitude)))
        here = (place, slice(len(row)))
        amplitude[here] = [abs(point.amplitude) for point in ordered]
        width[here] = [point.width for point in ordered]
        attempts[here] = [point.attempts for point in ordered]
        errors[here] = [point.errors for point in ordered]
    return Observed(amplitude=amplitude, width=width, attempts=attempts, errors=errors)


@dataclass(frozen=True, kw_only=True)
class Density:
    """The likelihood of counts; times an expectation, where there is one."""

    quantity: AmplitudeForWer
    expectation: Expectation | None = None

    def log_hazard(self, at: FloatArray, amplitude: FloatArray, width: FloatArray) -> FloatArray:
        """(..., m) ln(-ln WER) of pulses (..., m) at (..., 3) ln V, ln delta, ln tau_d."""
        log_volts, delta, tau_d = at[..., 0], np.exp(at[..., 1]), np.exp(at[..., 2])
        vc0 = np.exp(log_volts - self.quantity.log_current(delta, tau_d))
        value = log_hazard(
            amplitude / vc0[..., None],
            width / tau_d[..., None],
            delta[..., None],
            self.quantity.barrier_exponent,
        )
        return np.clip(value, *LOG_HAZARDS)

    def linearized(
        self, at: FloatArray, amplitude: FloatArray, width: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """The same, and its slopes (..., m, 3), by central differences."""
        shifts = STEPS.reshape(len(STEPS), *[1] * (at.ndim - 1), 3)
        values = self.log_hazard(at + shifts, amplitude, width)
        slopes = (values[1:4] - values[4:7]) / (2 * DIFFERENCE)
        return values[0], np.moveaxis(slopes, 0, -1)

    def log(self, at: FloatArray, seen: Observed) -> FloatArray:
        """(n,) logarithm of the density, without the binomial coefficients."""
        hazard = np.exp(self.log_hazard(at, seen.amplitude, seen.width))
        successes = seen.attempts - seen.errors
        value = np.sum(successes * np.log(-np.expm1(-hazard)) - seen.errors * hazard, axis=-1)
        if self.expectation is None:
            return value
        away = at - self.expectation.mean(self.quantity)
        return value - 0.5 * np.sum((away @ self.expectation.precision()) * away, axis=-1)

    def score_and_information(
        self, at: FloatArray, seen: Observed
    ) -> tuple[FloatArray, FloatArray]:
        """Slope (n, 3) of `log`, and its expected curvature (n, 3, 3)."""
        value, slopes = self.linearized(at, seen.amplitude, seen.width)
        hazard = np.exp(value)
        successes = seen.attempts - seen.errors
        residual = successes * hazard / np.expm1(hazard) - seen.errors * hazard
        score = np.sum(residual[..., None] * slopes, axis=-2)
        information = weighted_squares(seen.attempts * information_of(value), slopes)
        if self.expectation is not None:
            precision = self.expectation.precision()
            score = score - (at - self.expectation.mean(self.quantity)) @ precision
            information = information + precision
        return score, information


def information_of(log_hazard: FloatArray) -> FloatArray:
    """Fisher information of one attempt about its ln(hazard).

    (dp/dL)^2 / (p (1 - p)) for p = exp(-h), h = exp(L). Largest, 0.65, where 20 % fail.
    """
    hazard = np.exp(log_hazard)
    with np.errstate(over="ignore"):
        return hazard**2 / np.expm1(hazard)


def weighted_squares(weights: FloatArray, slopes: FloatArray) -> FloatArray:
    """(..., 3, 3) sum over the points of weight (..., m) times slope (..., m, 3) squared."""
    return np.swapaxes(slopes * weights[..., None], -1, -2) @ slopes


def search_range() -> tuple[FloatArray, FloatArray]:
    """Bounds (3,) and (3,) of ln V, ln delta, ln tau_d."""
    low, high = zip(VOLT_RANGE, DELTA_RANGE, TAU_D_RANGE, strict=True)
    return np.log(low), np.log(high)
