"""Which pulse writes a population of junctions so that a given share of the writes fails."""

import math
from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq, minimize

from crossbar.errors import ConfigurationError
from crossbar.units import Joules, Ratio, Seconds, Volts
from physics.mtj import MtjPopulation
from physics.write_pulses import WritePulse, bit_error_rate, flip_energy

WIDEST_FACTOR = 50.0
"""By which an amplitude or a width is changed at most in the search."""
SMALLEST_RATE = 1e-250
"""Rates below count as this one, so that they have a logarithm."""


def with_amplitude_for(population: MtjPopulation, pulse: WritePulse, rate: Ratio) -> WritePulse:
    """This pulse with both amplitudes times the factor that makes ``rate`` the bit error rate.

    Raises ConfigurationError for a rate that no amplitude within a factor of 50 gives.
    """
    return _scaled(population, rate, lambda factor: pulse.scaled(amplitude=factor))


def with_width_for(population: MtjPopulation, pulse: WritePulse, rate: Ratio) -> WritePulse:
    """This pulse with the width that makes ``rate`` the bit error rate. Raises as the other does,
    where the amplitude is too low for it, too.
    """
    return _scaled(population, rate, lambda factor: pulse.scaled(width=factor))


def cheapest_pulse(
    population: MtjPopulation,
    rate: Ratio,
    *,
    max_amplitude: Volts,
    widths: tuple[Seconds, Seconds] = (1e-9, 1e-6),
) -> WritePulse:
    """The pulse of this bit error rate that takes the least energy for a bit that changes.

    It is sought over the width and over the ratio of the two amplitudes, by Nelder and Mead's
    simplex. Raises ConfigurationError if no pulse within ``max_amplitude`` and ``widths`` has the
    rate.
    """
    start_ratio = math.log(population.vc0_low / population.vc0_high)

    def candidate(at: np.ndarray) -> WritePulse | None:
        width, ratio = math.exp(at[0]), math.exp(at[1])
        if not widths[0] <= width <= widths[1]:
            return None
        shape = WritePulse(low=population.vc0_high * ratio, high=population.vc0_high, width=width)
        try:
            found = with_amplitude_for(population, shape, rate)
        except ConfigurationError:
            return None
        return found if max(found.low, found.high) <= max_amplitude else None

    def cost(at: np.ndarray) -> Joules:
        found = candidate(at)
        return math.inf if found is None else math.log(flip_energy(population, found))

    starts = [np.array([math.log(population.tau_d * t), start_ratio]) for t in (3, 6, 12, 24)]
    costs = [cost(start) for start in starts]
    best = starts[int(np.argmin(costs))]
    if math.isinf(min(costs)):
        raise ConfigurationError(
            f"No pulse of at most {max_amplitude:g} V and {widths[0]:g} to {widths[1]:g} s writes "
            f"these cells with a bit error rate of {rate:g}. Allow more of either, or more errors."
        )
    simplex = best + np.array([[0, 0], [0.2, 0], [0, 0.05]])
    found = minimize(
        cost, best, method="Nelder-Mead",
        options={"initial_simplex": simplex, "xatol": 5e-3, "fatol": 1e-4, "maxfev": 60},
    )  # fmt: skip
    pulse = candidate(found.x)
    assert pulse is not None  # the search only moves to where there is one
    return pulse


def _scaled(
    population: MtjPopulation, rate: Ratio, shape: Callable[[float], WritePulse]
) -> WritePulse:
    """The member of a family of pulses, by a factor, whose bit error rate is ``rate``."""

    def excess(log_factor: float) -> float:
        found = bit_error_rate(population, shape(math.exp(log_factor)))
        return math.log(max(found, SMALLEST_RATE) / rate)

    reach = math.log(WIDEST_FACTOR)
    if not (0 < rate < 1 and excess(-reach) > 0 > excess(reach)):
        raise ConfigurationError(
            f"A bit error rate of {rate:g} is out of reach of {shape(1.0)}, scaled by up to "
            f"{WIDEST_FACTOR:g}. Ask for a rate between 0 and 1, or start from a stronger pulse."
        )
    return shape(math.exp(brentq(excess, -reach, reach, xtol=1e-6)))
