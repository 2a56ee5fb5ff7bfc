"""Layers of ordinary torch models on dies never seen: fresh defects at every forward pass.

`training.statistics_aware_store` does the same for the network that fills a die. Here a layer may
have any shape: it is laid down column after column over sub-arrays and dies, so that a bad column
is a stretch of consecutive weights. Drawing a cell costs as much as a training step spends on it,
so cells are drawn in advance, and each read lies on another stretch of them (ours).
"""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from crossbar.errors import ConfigurationError
from crossbar.geometry import DieGeometry
from crossbar.units import Ratio
from physics.defects import DefectPopulation
from training.fixed_cells import FixedCells

LEAST_DIES = 20
"""Dies drawn together at least; ours."""


@dataclass(kw_only=True)
class StatisticsAwareMemory:
    """Weights on other cells at each read: `training.bit_memory.BitMemory`.

    Has no cells of its own, so all layers of a model can share one.
    """

    population: DefectPopulation
    generator: torch.Generator
    """Of the CPU. Advances at every read: the same seed, the same cells in the same order."""
    geometry: DieGeometry = field(default_factory=DieGeometry)
    bound: Ratio | None = None
    """See `FixedCells.of`."""
    reads: int = 500
    """After how many reads other dies are drawn; 1 draws them for every read. Ours."""
    _drawn: FixedCells | None = field(default=None, init=False, repr=False)
    _left: int = field(default=0, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.reads < 1 or (self.bound is not None and not self.bound >= 1):
            raise ConfigurationError(
                f"Statistics-aware weights with new dies after {self.reads} reads and a bound of "
                f"{self.bound}: it takes 1 read or more, and a bound of 1 or more, which is the "
                "weight of a healthy cell, or none."
            )

    def read(self, latents: Tensor) -> Tensor:
        """The weights that cells drawn now would make of the latents."""
        return self.cells(latents).read(latents)

    def cells(self, latents: Tensor) -> FixedCells:
        """The cells of one read, for as many latents: kept, they are one die never seen."""
        count = latents.numel()
        drawn = self._drawn
        if drawn is None or self._left == 0 or len(drawn.half) < 2 * count:
            drawn = self._drawn = self._draw(2 * count, latents.device)
            self._left = self.reads
        self._left -= 1
        start = int(torch.randint(len(drawn.half) - count + 1, (), generator=self.generator))
        stretch = slice(start, start + count)
        return FixedCells(middle=drawn.middle[stretch], half=drawn.half[stretch])

    def _draw(self, least: int, torch_device: torch.device) -> FixedCells:
        """At least so many cells in a row, whole dies, the rows of a column side by side."""
        dies = max(LEAST_DIES, math.ceil(least / math.prod(self.geometry.shape)))
        sampled = self.population.sample(self.geometry, self.generator, dies)
        low, high = (
            each.transpose(2, 3).reshape(-1).to(torch_device)
            for each in (sampled.low, sampled.high)
        )
        return FixedCells.of(low, high, self.population.window, self.bound)
