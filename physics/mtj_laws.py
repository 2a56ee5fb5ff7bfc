"""Which of the published laws a population of junctions follows: options, stored with it."""

from dataclasses import dataclass
from typing import Literal

from crossbar.errors import ConfigurationError
from crossbar.units import Kelvin, Ratio

REFERENCE_TEMPERATURE: Kelvin = 300.0
"""At which the medians of a population hold."""
CURIE_TEMPERATURE: Kelvin = 1100.0
"""Of a thin CoFeB layer; published ones are 700 to 1300 K; ours."""


@dataclass(frozen=True, kw_only=True)
class MtjLaws:
    """The laws that differ between junctions."""

    barrier_exponent: Ratio = 2.0
    """The barrier under a current is delta (1 - i)^exponent: 2 for a perpendicular macrospin, 1 for
    in-plane layers and for nucleation; in between for a mixture."""
    breakdown_distribution: Literal["log-normal", "Weibull"] = "log-normal"
    """Of the time to breakdown at one voltage: Weibull for naturally oxidized MgO, log-normal for
    sputtered MgO (one study, abstract)."""
    breakdown_acceleration: Literal["power", "exponential"] = "power"
    """Of positive pulses: a power of the voltage, or exponential in it ("E-model"); negative ones
    always follow the power law (one study, abstract)."""

    def __post_init__(self) -> None:
        check_barrier_exponent(self.barrier_exponent)


def check_barrier_exponent(exponent: float) -> float:
    """Return an exponent from 1 to 2 as it is, or raise ConfigurationError."""
    if not 1 <= exponent <= 2:
        raise ConfigurationError(
            f"Barrier exponent {exponent!r} refused: it is 2 for a perpendicular macrospin, 1 for "
            "in-plane layers and nucleation, or in between. Correct barrier_exponent."
        )
    return exponent


@dataclass(frozen=True, kw_only=True)
class ThermalFactors:
    """What a temperature does to medians that hold at `REFERENCE_TEMPERATURE`."""

    delta: Ratio
    vc0: Ratio
    tau_d: Ratio


def thermal_factors(temperature: Kelvin) -> ThermalFactors:
    """Factors on the thermal stability, the critical voltages and the characteristic time.

    With m = Ms(T) / Ms(300 K) of Bloch's law, Ms ~ 1 - (T / T_C)^(3/2): the barrier E ~ m^2 and the
    anisotropy field ~ m, hence delta = E / kT ~ m^2 / T, V_c0 ~ delta T ~ m^2 and tau_d ~ 1 / m. A
    simple law: exponents between 2 and 3 are reported for E. The TMR, which falls by some tenths
    of a per cent a kelvin in real junctions, is left alone. Raises ConfigurationError at 0 K and
    below, and from the Curie temperature on.
    """
    if not 0 < temperature < CURIE_TEMPERATURE:
        raise ConfigurationError(
            f"A temperature of {temperature:g} K refused: it must be above 0 and below the Curie "
            f"temperature of {CURIE_TEMPERATURE:g} K. Correct the population's temperature."
        )
    here, there = (
        1 - (kelvin / CURIE_TEMPERATURE) ** 1.5 for kelvin in (temperature, REFERENCE_TEMPERATURE)
    )
    magnetization = here / there
    return ThermalFactors(
        delta=magnetization**2 * REFERENCE_TEMPERATURE / temperature,
        vc0=magnetization**2,
        tau_d=1 / magnetization,
    )
