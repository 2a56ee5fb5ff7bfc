"""r_p, TMR and v_half of a junction from its current over voltage. Free of torch.

I = V / r_p in LOW (P), I = V / (r_p (1 + tmr / (1 + (V / v_half)^2))) in HIGH (AP), as in
`physics.mtj`; by least squares of the relative residuals, because readings scatter relatively. What
a converter's steps add does not: where the noise is small beside a step, readings of one voltage
are all rounded the same way, and more of them say no more. So each voltage of a state counts once,
with the noise of its average and an error anywhere within a step.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, least_squares
from scipy.stats import t as student

from analysis.intervals import check_confidence
from crossbar.errors import DataError
from crossbar.estimate import Estimate
from crossbar.records import VoltageSweep
from crossbar.units import Amperes, Ratio

Values = NDArray[np.float64]

ROUNDS = 5
"""Of weights by noise, and noise by weights; the noise then moves by less than 1 %."""
PRECISION: Ratio = 1e-5
"""Of the largest reading: differences below are none. Single precision has 6e-8. Ours."""
LARGEST = float(np.log(np.finfo(float).max))
"""Logarithm of the largest number; an end beyond it is open."""
FINEST: Ratio = 2e-4
"""Finer steps, in shares of the largest reading, are not looked for. Ours."""


@dataclass(frozen=True, kw_only=True)
class JunctionFit:
    """What the sweeps say of one junction."""

    r_p: Estimate
    """Ohm."""
    tmr: Estimate
    """Without bias; open at the top where a damaged cell's readings do not bound it."""
    v_half: Estimate
    """Volts; infinite where the sweep is too short to see the TMR fall."""
    noise: Ratio
    """Standard deviation of one reading, relative, beside the steps; 0 where they explain all."""
    step: Amperes
    """Of the converter, as the readings show it; 0 where they show none."""


@dataclass(frozen=True, kw_only=True)
class Averages:
    """The usable readings of one state, averaged at each voltage; arrays are (n,)."""

    voltage: Values
    current: Values
    readings: NDArray[np.int64]
    """How many were averaged."""


def fit_junction(low: VoltageSweep, high: VoltageSweep, confidence: float = 0.95) -> JunctionFit:
    """Fit one cell's sweeps in LOW and in HIGH together.

    Intervals are Student's; the noise is what the converter's step (`step_of`) leaves to explain of
    the scatter of the averages. They suppose that it is independent from voltage to voltage:
    flicker noise makes them too narrow. Readings in compliance are left out.
    Of v_half the interval is that of 1 / v_half^2, in which the model is nearly linear, hence open
    at the top for a short sweep. Raises DataError for fewer than two usable voltages a state, or
    states without a window.
    """
    check_confidence(confidence)
    in_low, in_high = _averages(low), _averages(high)
    start = _start(low.cell, in_low, in_high)
    largest = float(np.abs(in_high.voltage).max())
    step = step_of(np.concatenate([low.current, high.current]))
    readings = np.concatenate([in_low.readings, in_high.readings])
    by_step = step**2 / 12 / np.concatenate([in_low.current, in_high.current]) ** 2

    def residuals(parameters: Values, size: Values) -> Values:
        r_p, tmr = np.exp(parameters[:2])
        falling = 1 + parameters[2] * (in_high.voltage / largest) ** 2
        high_resistance = r_p * (1 + tmr / np.maximum(falling, 1e-3))
        relative = [
            in_low.current * r_p / in_low.voltage - 1,
            in_high.current * high_resistance / in_high.voltage - 1,
        ]
        return np.concatenate(relative) / size

    noise, size = 0.0, np.ones(len(readings))
    for _ in range(ROUNDS):
        found = least_squares(residuals, start, x_scale=[1.0, 1.0, 0.1], args=(size,))
        noise = _noise(found.fun * size, readings, by_step)
        start, size = found.x, np.sqrt(noise**2 / readings + by_step)
    errors = np.sqrt(np.diagonal(np.linalg.inv(found.jac.T @ found.jac)))
    reach = float(student.ppf(0.5 + confidence / 2, len(readings) - 3)) * errors
    low_ends, high_ends = found.x - reach, found.x + reach
    return JunctionFit(
        r_p=_exponential(found.x[0], low_ends[0], high_ends[0]),
        tmr=_exponential(found.x[1], low_ends[1], high_ends[1]),
        v_half=Estimate.of(*(largest * _root(ends[2]) for ends in (found.x, high_ends, low_ends))),
        noise=noise,
        step=step,
    )


def step_of(current: Values) -> Amperes:
    """The step of the converter that made these readings (n,): their greatest common divisor, by
    Euclid's algorithm to `PRECISION`; 0 where that is finer than `FINEST`, as for readings that
    come in no steps. Readings that happen to be multiples of two steps make it twice as large.
    """
    size = np.unique(np.abs(current))
    if len(size) < 2:
        return 0.0
    largest = float(size[-1])
    rest = size[size > PRECISION * largest]
    step = largest
    while len(rest):
        step = float(rest.min())
        left = np.abs(rest - step * np.rint(rest / step))
        left = left[left > PRECISION * largest]
        rest = np.append(left, step) if len(left) else left
    whole = np.rint(size / step)
    return float(size @ whole / (whole @ whole)) if step > FINEST * largest else 0.0


def _noise(relative: Values, readings: NDArray[np.int64], by_step: Values) -> Ratio:
    """Noise of one reading that makes the weighted squares of these residuals (n,) as many as there
    are degrees of freedom; 0 where the steps alone make them fewer.
    """
    dof = len(relative) - 3

    def excess(noise: float) -> float:
        return float(np.sum(relative**2 / (noise**2 / readings + by_step))) - dof

    most = float(np.sqrt(np.sum(relative**2 * readings) / dof))
    least = most * 1e-6
    return float(brentq(excess, least, 2 * most)) if most and excess(least) > 0 else 0.0


def _averages(sweep: VoltageSweep) -> Averages:
    good = ~sweep.in_compliance & (sweep.voltage != 0) & (sweep.voltage * sweep.current > 0)
    voltage, where, readings = np.unique(
        sweep.voltage[good], return_inverse=True, return_counts=True
    )
    if len(voltage) < 2:
        raise DataError(
            f"Cell {sweep.cell}: readings at {len(voltage)} voltages are usable, of {len(good)} "
            "readings; a fit takes two voltages or more in each state. Raise the current limit, or "
            "choose another cell."
        )
    current = np.bincount(where, weights=sweep.current[good]) / readings
    return Averages(voltage=voltage, current=current, readings=readings)


def _start(cell: int, low: Averages, high: Averages) -> Values:
    """ln r_p, ln tmr and the fall of the TMR to begin with."""
    r_low, r_high = (float(np.median(state.voltage / state.current)) for state in (low, high))
    if not r_high > r_low > 0:
        raise DataError(
            f"Cell {cell} shows no window: {r_low:.4g} Ohm in LOW, {r_high:.4g} Ohm in HIGH. "
            "Choose a healthy cell, or a larger write pulse."
        )
    return np.array([np.log(r_low), np.log(r_high / r_low - 1), 0.0])


def _exponential(*logarithms: float) -> Estimate:
    return Estimate.of(*(np.exp(x) if x < LARGEST else np.inf for x in logarithms))


def _root(fall: float) -> float:
    """v_half over the largest voltage, from the fall of the TMR there; infinite for none."""
    return float(fall**-0.5) if fall > 0 else np.inf
