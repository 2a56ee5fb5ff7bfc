"""One measured die: its healthy cells as they were read, its dead cells as they are."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from crossbar.defect_map import CellClass, DefectMap
from crossbar.errors import DataError
from crossbar.units import Ratio
from training.binarize import binarize

DEAD = (CellClass.SHORT, CellClass.OPEN, CellClass.STUCK_LOW, CellClass.STUCK_HIGH)
"""Classes that no write changes."""


@dataclass(frozen=True, kw_only=True)
class DefectAwareStore:
    """Dead cells keep their conductance, in training as on the die.

    A short counts with what it was measured to conduct, several times a healthy cell, rather than
    as stuck at +1, which would understate it.
    """

    middle: Tensor
    """(subarrays, rows, columns) Mean of a cell's two relative conductances."""
    half: Tensor
    """Half their difference; zero for a dead cell, so that no gradient reaches its latent."""
    window: Ratio

    @classmethod
    def of(cls, defect_map: DefectMap) -> "DefectAwareStore":
        """The store of a mapped die. Raises DataError if a cell was not read."""
        unread = int(np.sum(~np.isfinite(defect_map.low) | ~np.isfinite(defect_map.high)))
        if unread:
            raise DataError(
                f"{unread} cells of the defect map have no finite reading; every cell must be "
                "read in both states. Map the die again."
            )
        middle = (defect_map.low + defect_map.high) / (2 * defect_map.median_low)
        half = (defect_map.low - defect_map.high) / (2 * defect_map.median_low)
        half = np.where(np.isin(defect_map.classes, DEAD), 0.0, half)
        return cls(
            middle=torch.from_numpy(middle).float(),
            half=torch.from_numpy(half).float(),
            window=float(defect_map.median_high / defect_map.median_low),
        )

    def realize(self, latents: Tensor) -> Tensor:
        """(1, subarrays, rows, columns) relative conductances; see `WeightStore`."""
        middle, half = (each.to(latents.device) for each in (self.middle, self.half))
        return (middle + half * binarize(latents)).unsqueeze(0)
