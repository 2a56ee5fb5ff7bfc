"""Binarized layers for ordinary torch models.

A layer keeps real-valued latents; the +-1 that it multiplies with come from its memory, which can
be perfect, err, or be a die. There is no bias and no gain: batch normalization, which follows, has
both and is digital.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, linear

from training.binarize import binarize
from training.bit_memory import BitMemory, PerfectBits

FIRST_LATENTS = 0.1
"""Latents of a new layer are drawn between plus and minus this."""


class BinaryLinear(nn.Module):
    """(..., inputs) to (..., outputs) by +-1 weights."""

    def __init__(self, inputs: int, outputs: int, generator: torch.Generator) -> None:
        super().__init__()
        self.latents = nn.Parameter(_first((outputs, inputs), generator))
        self.memory: BitMemory = PerfectBits()

    def forward(self, x: Tensor) -> Tensor:
        """The sums of inputs times weights."""
        return linear(x, self.memory.read(self.latents))


class BinaryConv2d(nn.Module):
    """(batch, inputs, height, width) to (batch, outputs, ...) by +-1 kernels."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        generator: torch.Generator,
        *,
        stride: int = 1,
        padding: int = 0,
    ) -> None:
        super().__init__()
        self.latents = nn.Parameter(_first((outputs, inputs, kernel, kernel), generator))
        self.memory: BitMemory = PerfectBits()
        self.stride = stride
        self.padding = padding

    def forward(self, x: Tensor) -> Tensor:
        """The sums of inputs times kernels."""
        weights = self.memory.read(self.latents)
        return conv2d(x, weights, stride=self.stride, padding=self.padding)


class BinaryActivation(nn.Module):
    """The sign of each input, straight through within plus and minus one."""

    def forward(self, x: Tensor) -> Tensor:
        """+-1 of the same shape."""
        return binarize(x)


def binary_layers(model: nn.Module) -> Iterator[tuple[str, BinaryLinear | BinaryConv2d]]:
    """Name and layer of every binarized layer of a model, in order."""
    for name, module in model.named_modules():
        if isinstance(module, BinaryLinear | BinaryConv2d):
            yield name, module


def _first(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return (torch.rand(shape, generator=generator) * 2 - 1) * FIRST_LATENTS
