"""Dies never seen: each step trains on fresh draws from the population of defects."""

from dataclasses import dataclass

import torch
from torch import Tensor

from crossbar.geometry import DieGeometry
from crossbar.units import Ratio
from physics.defects import DefectPopulation
from training.binarize import binarize


@dataclass(frozen=True, kw_only=True)
class StatisticsAwareStore:
    """No defect stays where it is for two steps, so weights learn to rely on no single cell.

    Follows the statistics-aware training of Borders et al. (PR Applied 21, 054028, 2024); that
    several dies share a mini-batch is ours.
    """

    population: DefectPopulation
    geometry: DieGeometry
    generator: torch.Generator
    """Advances with every step: the same seed gives the same dies in the same order."""
    dies: int
    """Dies drawn a step; must divide the mini-batch."""

    @property
    def window(self) -> Ratio:
        """That of the population."""
        return self.population.window

    def realize(self, latents: Tensor) -> Tensor:
        """(dies, subarrays, rows, columns) relative conductances; see `WeightStore`."""
        drawn = self.population.sample(self.geometry, self.generator, self.dies)
        low, high = (each.to(latents.device) for each in (drawn.low, drawn.high))
        middle, half = (low + high) / 2, (low - high) / 2
        return middle + half * binarize(latents)
