"""Weights of a layer that lie in given cells: a measured die, or one drawn from a population."""

from dataclasses import dataclass

import torch
from torch import Tensor

from crossbar.units import Ratio
from training.binarize import binarize
from training.encoding import Encoding, signed


@dataclass(frozen=True, kw_only=True)
class FixedCells:
    """The same cells at every read: `training.bit_memory.BitMemory`. Training on them is aware of
    their defects. All tensors have the latents' shape, or as many elements.
    """

    middle: Tensor
    """Mean of a cell's two weights, LOW and HIGH: zero for a perfect cell."""
    half: Tensor
    """Half their difference: one for a perfect cell, zero for one that does not switch, so that no
    gradient reaches its latent."""

    @classmethod
    def of(
        cls, low: Tensor, high: Tensor, window: Ratio, bound: Ratio | None = None
    ) -> "FixedCells":
        """Cells of these conductances, relative to the median LOW one of healthy cells.

        One cell makes a weight, against the midpoint of both states; healthy ones give -1 and +1. A
        state whose weight is beyond plus or minus ``bound`` counts as zero, as a periphery that
        reads row by row leaves out what no healthy cell can make.
        """
        both = signed(torch.stack([low, high]), 1.0, window, Encoding.SINGLE_ENDED)
        if bound is not None:
            both = both * (both.abs() <= bound)
        return cls(middle=both.mean(0), half=(both[0] - both[1]) / 2)

    def read(self, latents: Tensor) -> Tensor:
        """The weights that the cells make, of the latents' shape."""
        middle, half = self.middle.view_as(latents), self.half.view_as(latents)
        return torch.addcmul(middle, half, binarize(latents))
