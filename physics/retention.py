"""What time alone does to a state: drift of a conductance, and junctions that flip by heat."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossbar.errors import ConfigurationError
from crossbar.units import Kelvin, Ratio, Seconds

FloatArray = NDArray[np.float64]

BOLTZMANN = 8.617333e-5
"""eV per kelvin (CODATA 2018)."""
REFERENCE_TEMPERATURE: Kelvin = 300.0
"""At which the exponents of a population hold."""


@dataclass(frozen=True, kw_only=True)
class DriftPopulation:
    """Cells whose conductance drifts as a power of time: G(t) = G(0) (1 + t / onset)^-exponent.

    That is log-time drift of ln G; after the onset it is the power law (t / t0)^-nu by which drift
    is usually reported. Exponents are normal over cells, and drawn anew whenever a cell is written;
    cells of both signs redistribute the conductances broadly, while the median hardly moves.
    """

    exponent: Ratio
    """Mean; positive where the cells lose conductance."""
    spread: Ratio
    """Standard deviation, cell to cell and from one writing to the next."""
    onset: Seconds = 1.0
    """Ours."""
    activation_energy: float = 1.0
    """eV, of the onset: a hotter cell drifts as a cooler one does in more time. Ours."""

    def __post_init__(self) -> None:
        positive = min(self.onset, 1 + self.activation_energy, 1 + self.spread) > 0
        if not (positive and self.spread >= 0 and np.isfinite(self.exponent)):
            raise ConfigurationError(
                f"{self} is no drift: spread and activation energy must not be negative, the onset "
                "must be positive, all must be finite. Correct it where the population is "
                "configured."
            )

    def factor(
        self, scores: FloatArray, age: FloatArray, temperature: Kelvin = REFERENCE_TEMPERATURE
    ) -> FloatArray:
        """(n,) what is left of the conductance at this age (n,) since writing, for cells with these
        standard normal scores (n,).
        """
        exponent = self.exponent + self.spread * scores
        onset = self.onset / hastening(self.activation_energy, temperature)
        return np.exp(-exponent * np.log1p(age / onset))


def hastening(activation_energy: float, temperature: Kelvin) -> Ratio:
    """How much faster everything is at this temperature than at 300 K (Arrhenius); eV, kelvin."""
    if not temperature > 0:
        raise ConfigurationError(
            f"A temperature of {temperature:g} K refused: it must be above 0. Correct it."
        )
    return float(
        np.exp(activation_energy / BOLTZMANN * (1 / REFERENCE_TEMPERATURE - 1 / temperature))
    )


def flip_time(delta: FloatArray, tau_d: FloatArray) -> FloatArray:
    """(n,) seconds: mean time in which heat alone flips a junction out of either state.

    tau_d sqrt(pi / delta) exp(delta) (Brown, Phys. Rev. 130, 1677, 1963; that is
    `physics.switching_regimes.thermal_mean_time` without current, where the barrier's exponent does
    not matter). Without a stray field both states are alike.
    """
    return np.asarray(tau_d * np.sqrt(np.pi / delta) * np.exp(delta))


def flipped(time: FloatArray, mean_time: FloatArray) -> FloatArray:
    """(n,) probability to be found in the other state after a time: flips there and back count."""
    return np.asarray(-np.expm1(-2 * time / mean_time) / 2)


HFOX_HIGH_DRIFT = DriftPopulation(exponent=-0.021, spread=0.03)
"""97 HIGH cells around 40 kOhm, 2,001 successive readings each (SkyWater 1T4R,
akashlevy/NI-RRAM-Python): mean and spread of the slope of ln G over the logarithm of the number of
the reading, 1/f noise set apart, as fitted at first (with fast 1/f processes counted as white,
`benchmarks/real_read_noise.py` tells 0.019 and 0.025). What a second is there, is ours. Over the 20
e-folds of a bake it amounts to a spread of 0.26 in log10 G; 1,024 baked cells had 0.56, and a
median that rose by 0.06 (same source)."""
HFOX_LOW_DRIFT = DriftPopulation(exponent=0.0, spread=1e-3)
"""Four states of 100 to 240 uS, read every minute for two hours (Yousuf et al., Nat. Commun. 2025,
open data): slopes of the means over ln t of 5e-4 to 8e-4 of either sign; single cells are not in
the data, and the spread is ours."""
