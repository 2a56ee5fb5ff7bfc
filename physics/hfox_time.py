"""What time does to HfOx cells that nobody touches: drift, and noise that has a memory.

Both begin anew when a cell is written: another filament has other traps. Pulses act on a cell as it
was written, whatever it has drifted to since; ours, and of no account while drift is small.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from crossbar.geometry import CellIndices
from crossbar.units import Kelvin, Seconds
from physics.draws import Keys, content, keys, normals, uniforms
from physics.read_noise import ReadNoise
from physics.read_noise_population import (
    HFOX_HIGH,
    HFOX_LOW,
    NOISE_DRAWS,
    ReadNoisePopulation,
)
from physics.retention import (
    HFOX_HIGH_DRIFT,
    HFOX_LOW_DRIFT,
    REFERENCE_TEMPERATURE,
    DriftPopulation,
)

FloatArray = NDArray[np.float64]

APERTURE: Seconds = 1e-3
"""What a meter averages over for one reading of a simulated cell, whichever it is; ours."""
TRAPS, NOISE, DRIFT = (content("hfox time", part) for part in ("traps", "noise", "drift"))


@dataclass(frozen=True, kw_only=True)
class HfOxTimePopulation:
    """Noise and drift of the cells in either state."""

    low_noise: ReadNoisePopulation = HFOX_LOW
    high_noise: ReadNoisePopulation = HFOX_HIGH
    low_drift: DriftPopulation = HFOX_LOW_DRIFT
    high_drift: DriftPopulation = HFOX_HIGH_DRIFT
    temperature: Kelvin = REFERENCE_TEMPERATURE
    """Of drift; noise is as at 300 K."""


@dataclass(frozen=True, kw_only=True)
class HfOxTime:
    """The cells of one die; made by `draw`."""

    seed: np.uint64
    population: HfOxTimePopulation
    low_noise: ReadNoise = field(repr=False)
    """Of every cell while LOW."""
    high_noise: ReadNoise = field(repr=False)

    @classmethod
    def draw(cls, seed: np.uint64, cells: int, population: HfOxTimePopulation) -> "HfOxTime":
        """How noisy each cell of a die is in each state, for ever."""
        names = keys(seed, TRAPS, np.arange(cells))[:, None]
        low, high = (uniforms(keys(names, state, np.arange(NOISE_DRAWS))) for state in (1, 0))
        return cls(
            seed=seed,
            population=population,
            low_noise=population.low_noise.cells(low),
            high_noise=population.high_noise.cells(high),
        )

    def drifted(
        self, cells: CellIndices, low: NDArray[np.bool_], writings: NDArray, age: FloatArray
    ) -> FloatArray:
        """(n,) factors on the conductances of cells written so often, and so long ago."""
        scores = normals(keys(self.seed, DRIFT, cells, writings))
        population = self.population
        return np.where(
            low,
            population.low_drift.factor(scores, age, population.temperature),
            population.high_drift.factor(scores, age, population.temperature),
        )

    def slow_noise(
        self, cells: CellIndices, low: NDArray[np.bool_], writings: NDArray, now: Seconds
    ) -> FloatArray:
        """(n,) relative deviations without the white part, at this moment."""
        names = keys(self.seed, NOISE, cells, writings)
        found = np.empty(len(cells))
        for chosen, noise in ((low, self.low_noise), (~low, self.high_noise)):
            here = np.flatnonzero(chosen)
            times = np.full((len(here), 1), now)
            found[here] = noise[cells[here]].slow(names[here], times, APERTURE)[:, 0]
        return found

    def white(self, cells: CellIndices, low: NDArray[np.bool_]) -> FloatArray:
        """(n,) standard deviation of what differs from one reading to the next."""
        return np.where(low, self.low_noise.white[cells], self.high_noise.white[cells])

    def right_after_writing(
        self, cells: CellIndices, low: NDArray[np.bool_], at: Keys
    ) -> FloatArray:
        """(n,) relative deviations of one reading of cells that were just written, white part and
        all, from keys (n,): the traps are as any moment may find them.
        """
        found = np.empty(len(cells))
        for chosen, noise in ((low, self.low_noise), (~low, self.high_noise)):
            here = np.flatnonzero(chosen)
            found[here] = noise[cells[here]].at_random(at[here], APERTURE)
        return found
