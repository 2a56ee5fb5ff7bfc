"""A die without defects or variability: what a network is trained on that knows no better."""

from dataclasses import dataclass

from torch import Tensor

from crossbar.units import Ratio
from training.binarize import binarize


@dataclass(frozen=True, kw_only=True)
class IdealStore:
    """Every cell has one of exactly two conductances."""

    window: Ratio
    """HIGH over LOW conductance. The trained weights do not depend on it."""

    def realize(self, latents: Tensor) -> Tensor:
        """(1, subarrays, rows, columns) relative conductances; see `WeightStore`."""
        middle, half = (1 + self.window) / 2, (1 - self.window) / 2
        return (middle + half * binarize(latents)).unsqueeze(0)
