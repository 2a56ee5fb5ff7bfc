"""The port between a binarized layer and the memory that holds its weights."""

from typing import Protocol

from torch import Tensor

from training.binarize import binarize


class BitMemory(Protocol):
    """Holds the weights of one layer, one bit each."""

    def read(self, latents: Tensor) -> Tensor:
        """The weights that the forward pass sees, of the latents' shape.

        A perfect memory gives their signs. Differentiable in the latents, straight through
        (`training.binarize`).
        """


class PerfectBits:
    """What is written is what is read."""

    def read(self, latents: Tensor) -> Tensor:
        """The signs of the latents."""
        return binarize(latents)


def held(latents: Tensor, weights: Tensor) -> Tensor:
    """The weights as they are held, with the gradient of `binarize` towards the latents."""
    soft = latents.clamp(-1.0, 1.0)
    return weights.detach() + (soft - soft.detach())
