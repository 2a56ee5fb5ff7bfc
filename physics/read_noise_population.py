"""How much the cells of a technology and state differ in read noise: populations to draw from."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from crossbar.errors import ConfigurationError
from crossbar.units import Ratio, Seconds
from physics.read_noise import ReadNoise

NOISE_DRAWS = 5
"""Uniform numbers that make one cell's noise."""
LARGEST_CAPTURED: Ratio = 0.9
"""Ours; a captured cell still conducts."""
LARGEST_FLICKER = 1e-3
"""At 1 Hz, relative: in the noisiest cells a reading deviates by about 15 %. Ours."""


@dataclass(frozen=True, kw_only=True)
class ReadNoisePopulation:
    """Medians and spreads of the read noise of cells in one state.

    Sizes are log-normal, periods evenly spread in the logarithm, shares evenly from 0 to 1.
    """

    white: Ratio
    """Standard deviation of one reading, the same for all cells."""
    flicker: Ratio
    """Median spectral density at 1 Hz, relative."""
    flicker_spread: Ratio
    """Standard deviation of its logarithm, cell to cell; no cell goes beyond `LARGEST_FLICKER`."""
    telegraphs: Ratio
    """Fraction of the cells that have a telegraph."""
    captured: Ratio = 0.1
    """Median fraction of the conductance that is missing when captured."""
    captured_spread: Ratio = 0.6
    """Standard deviation of its logarithm; cells do not go beyond `LARGEST_CAPTURED`."""
    shortest: Seconds = 1e-3
    """Shortest period of a telegraph; ours."""
    longest: Seconds = 1e3
    """Longest one; ours."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            limit = 1.0 if field.name in ("telegraphs", "captured") else np.inf
            positive = field.name in ("captured", "shortest", "longest")
            if not (0 <= value <= limit and value < np.inf and (value > 0 or not positive)):
                raise ConfigurationError(
                    f"ReadNoisePopulation.{field.name} is {value!r}; it must be finite and "
                    f"{'positive' if positive else 'not negative'}"
                    f"{', at most 1' if limit == 1 else ''}. Correct it where the population is "
                    "configured."
                )

    def cells(self, uniform: NDArray[np.float64]) -> ReadNoise:
        """The noise of n cells from uniform numbers (n, `NOISE_DRAWS`) inside (0, 1)."""
        has, flicker, captured, share, period = uniform.T
        size = self.captured * np.exp(self.captured_spread * ndtri(captured))
        return ReadNoise(
            white=np.full(len(uniform), self.white),
            flicker=np.minimum(
                self.flicker * np.exp(self.flicker_spread * ndtri(flicker)), LARGEST_FLICKER
            ),
            captured=np.where(has < self.telegraphs, np.minimum(size, LARGEST_CAPTURED), 0.0),
            share=share,
            period=self.shortest * (self.longest / self.shortest) ** period,
        )


HFOX_HIGH = ReadNoisePopulation(
    white=0.006,
    flicker=8e-5,
    flicker_spread=1.4,
    telegraphs=0.4,
    captured=0.1,
)
"""HIGH cells of HfOx around 40 kOhm, after 97 measured cells with 2,001 successive readings each
(SkyWater 1T4R, akashlevy/NI-RRAM-Python; `benchmarks/real_read_noise.py`): white, flicker at middle
frequencies and its spread, the fraction of telegraphs (7 to 39 %) and their steps. Readings are
numbered there, not timed: flicker noise has no scale of its own, but the periods are ours."""
HFOX_LOW = ReadNoisePopulation(
    white=0.003,
    flicker=1e-6,
    flicker_spread=1.4,
    telegraphs=0.1,
    captured=0.02,
)
"""LOW cells of HfOx around 6 kOhm. White: what two readings of such cells differ by, over root two
(RRAM-RADAR-Tuning, SL pulses of 0 V); the rest ours. "Short-term read noise of ReRAM about 1 %"
(aihwkit) is of the same order."""
