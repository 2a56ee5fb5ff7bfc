"""Magnetic tunnel junctions: a population of cells, and what each of its cells conducts.

P is the LOW-resistance state, AP the HIGH one. Only AP's conductance depends on the voltage:
TMR(V) = TMR0 / (1 + (V / v_half)^2), by custom.
"""

from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from crossbar.errors import ConfigurationError
from crossbar.units import Kelvin, Ohms, Ratio, Seconds, Siemens, Volts
from physics.mtj_anomalies import MtjAnomalies
from physics.mtj_laws import REFERENCE_TEMPERATURE, MtjLaws, thermal_factors

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class MtjCells:
    """The parameters of n cells; every array has shape (n,)."""

    r_p: FloatArray
    """Ohm, in the LOW (P) state."""
    tmr: FloatArray
    """(R_AP - R_P) / R_P without bias."""
    v_half: FloatArray
    """Volts at which the TMR has fallen to half."""
    delta: FloatArray
    """Thermal stability factor."""
    vc0_low: FloatArray
    """Critical voltage for writing LOW (AP to P), positive volts."""
    vc0_high: FloatArray
    """Critical voltage for writing HIGH (P to AP), positive volts."""
    tau_d: FloatArray
    """Seconds, characteristic time of the free layer."""
    breakdown_voltage: FloatArray
    """Volts at which the barrier lasts for one microsecond (`physics.breakdown`)."""
    back_hopping_voltage: FloatArray
    """Volts, infinite in cells that do not hop back (`physics.mtj_anomalies`)."""
    ballooning_height: FloatArray
    """Largest probability to fail by ballooning; 0 in most cells."""

    def __getitem__(self, cells: NDArray) -> "MtjCells":
        """The cells at these indices."""
        return MtjCells(**{each.name: getattr(self, each.name)[cells] for each in fields(self)})

    def low_conductance(self) -> FloatArray:
        """(n,) Siemens in the LOW state, at any voltage."""
        return 1 / self.r_p

    def high_conductance(self, voltage: Volts | FloatArray) -> FloatArray:
        """(n,) Siemens in the HIGH state at this voltage."""
        return 1 / (self.r_p * (1 + self.tmr / (1 + (voltage / self.v_half) ** 2)))

    def high_conductance_series(self, largest: Volts) -> list[FloatArray]:
        """Coefficients c_k, (n,) each, of ``high_conductance(V) = sum of c_k V**(2 k)``.

        With u = (V / v_half)**2 / (1 + tmr) the conductance is (1 - tmr / (1 + tmr) / (1 + u)) /
        r_p: a geometric series, cut where its rest is below 1e-7 for voltages up to ``largest``.
        Raises ConfigurationError where it would not converge soon (u above 1/2).
        """
        per_square = 1 / (self.v_half**2 * (1 + self.tmr))
        ratio = float(np.max(per_square, initial=0.0)) * largest**2
        if not ratio <= 0.5:
            raise ConfigurationError(
                f"A dot product at {largest:g} V refused: the bias dependence of these cells' TMR "
                "is modelled by a series up to about 0.7 V. Lower the row voltages."
            )
        terms = 1 if ratio == 0 else int(np.ceil(np.log(1e-7) / np.log(ratio)))
        series = [-self.tmr / (1 + self.tmr) / self.r_p]
        for _ in range(1, terms):
            series.append(series[-1] * -per_square)
        series[0] = series[0] + 1 / self.r_p
        return series


def tmr_without_bias(tmr: FloatArray, voltage: Volts, v_half: Volts | FloatArray) -> FloatArray:
    """The zero-bias TMR of cells whose TMR at ``voltage`` is known."""
    return tmr * (1 + (voltage / v_half) ** 2)


@dataclass(frozen=True, kw_only=True)
class MtjPopulation:
    """Medians and spreads of a wafer's healthy cells; every spread is the sd of the logarithm.

    The defaults describe a 50 nm perpendicular junction; "ours" marks what no source fixes.
    """

    r_p: Ohms = 5e3
    """Typical 3 to 10 kOhm (by custom)."""
    r_p_spread: Ratio = 0.05
    """Cell to cell; typical 3 to 6 % (by custom)."""
    r_p_die_to_die: Ratio = 0.02
    """Of a die's median; ours."""
    tmr: Ratio = 1.0
    """Typical 100 to 200 % (by custom)."""
    tmr_spread: Ratio = 0.04
    """Ours."""
    v_half: Volts = 0.5
    """Typical 0.5 to 0.6 V (by custom)."""
    delta: Ratio = 60.0
    """Typical 40 to 80 (by custom)."""
    delta_spread: Ratio = 0.06
    """Typical 5 to 10 % (by custom)."""
    vc0_low: Volts = 0.35
    """Typical 0.3 to 0.5 V, lower for AP to P (by custom)."""
    vc0_high: Volts = 0.40
    vc0_spread: Ratio = 0.044
    """Measured on a 4-kbit perpendicular array (IBM, IEDM 2010, abstract)."""
    tau_d: Seconds = 1.9e-9
    """(1 + alpha^2) / (alpha gamma mu0 Hk) for alpha 0.01 and mu0 Hk 0.3 T."""
    tau_d_spread: Ratio = 0.05
    """Ours."""
    breakdown_voltage: Volts = 1.6
    """For one microsecond; published numbers are 1.2 to 1.6 V from ns to us; ours."""
    breakdown_spread: Ratio = 0.02
    """Ours: with it, 1e9 pulses of 1.1 V and 50 ns spare all but a few cells of a wafer."""
    read_noise: Ratio = 0.005
    """Standard deviation of one reading, relative; ours."""
    temperature: Kelvin = REFERENCE_TEMPERATURE
    """Of the cells; the medians above hold at 300 K (`physics.mtj_laws.thermal_factors`)."""
    laws: MtjLaws = field(default_factory=MtjLaws)
    anomalies: MtjAnomalies = field(default_factory=MtjAnomalies)

    def __post_init__(self) -> None:
        thermal_factors(self.temperature)
        for each in fields(self):
            value = getattr(self, each.name)
            if not isinstance(value, int | float):
                continue
            may_be_zero = "spread" in each.name or each.name in ("read_noise", "r_p_die_to_die")
            if not (0 < value < float("inf") or (may_be_zero and value == 0)):
                raise ConfigurationError(
                    f"MtjPopulation.{each.name} is {value!r}; it must be positive and finite"
                    f"{', or zero' if may_be_zero else ''}. Correct it where the population is "
                    "configured."
                )

    @property
    def median_low(self) -> Siemens:
        """Median conductance of the LOW state."""
        return 1 / self.r_p

    def sample(self, count: int, generator: np.random.Generator) -> MtjCells:
        """Draw the cells of one die: log-normal, and independent but for the die's own median.

        The same draws at another temperature are the same cells, heated or cooled.
        """
        heated = thermal_factors(self.temperature)

        def spread(median: float, sd: float) -> FloatArray:
            return median * np.exp(sd * generator.standard_normal(count))

        die_r_p = self.r_p * np.exp(self.r_p_die_to_die * generator.standard_normal())
        parameters = {
            "r_p": spread(die_r_p, self.r_p_spread),
            "tmr": spread(self.tmr, self.tmr_spread),
            "v_half": np.full(count, self.v_half),
            "delta": spread(self.delta * heated.delta, self.delta_spread),
            "vc0_low": spread(self.vc0_low * heated.vc0, self.vc0_spread),
            "vc0_high": spread(self.vc0_high * heated.vc0, self.vc0_spread),
            "tau_d": spread(self.tau_d * heated.tau_d, self.tau_d_spread),
            "breakdown_voltage": self._breakdown_voltages(count, generator),
        }
        hopping, height = self.anomalies.sample(count, generator)
        return MtjCells(**parameters, back_hopping_voltage=hopping, ballooning_height=height)

    def _breakdown_voltages(self, count: int, generator: np.random.Generator) -> FloatArray:
        """(count,) Volts with the population's median and spread: normal logarithms, or those of
        Weibull's distribution, which has more early failures.
        """
        normal = generator.standard_normal(count)
        if self.laws.breakdown_distribution == "Weibull":
            # ln of a Weibull number has the standard deviation pi / sqrt(6) / shape.
            weakest = np.log(-log_ndtr(-normal)) - np.log(np.log(2))
            normal = weakest * 6**0.5 / np.pi
        return self.breakdown_voltage * np.exp(self.breakdown_spread * normal)
