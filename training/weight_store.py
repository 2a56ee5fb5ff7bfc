"""The port between the training loop and where weights live."""

from typing import Protocol

from torch import Tensor

from crossbar.units import Ratio


class WeightStore(Protocol):
    """Answers what conductances the cells have once the signs of the latents are written."""

    @property
    def window(self) -> Ratio:
        """Median HIGH over median LOW conductance that the digital periphery assumes."""

    def realize(self, latents: Tensor) -> Tensor:
        """(subarrays, rows, columns) latents in, conductances of one or more dies out.

        Returns (dies, subarrays, rows, columns), relative to the median LOW conductance and
        differentiable in the latents (straight through; not at all where a cell cannot switch).
        Each die sees an equal share of the mini-batch.
        """
