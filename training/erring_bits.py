"""Memories whose bits are wrong at a given rate: at a write, since deployment, or at each read.

The three are different experiments, kept apart. A write that fails leaves the bit that was there
until the next write, and training sees it (Locatelli et al. 2018). A network that is trained and
then written once has the same wrong bits at every image (Hirtzlin et al. 2019). Bits that are drawn
anew at every forward pass model a noisy read, and are what training can use to learn to live with
any wrong bits (Laborieux et al. 2020).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from crossbar.errors import ConfigurationError
from crossbar.units import Ratio
from training.binarize import binarize
from training.binary_layers import binary_layers
from training.bit_memory import BitMemory, held
from training.classifier import AfterStep


class FailingWrites:
    """A bit that is to change stays as it is with probability ``rate``, until the next write.

    Begins with the signs of ``first``, without an error: those are random weights. ``generator``
    (of the CPU) draws the failures.
    """

    def __init__(self, first: Tensor, rate: Ratio, generator: torch.Generator) -> None:
        self.rate = _checked(rate)
        self.generator = generator
        self.bits = binarize(first.detach())
        """+-1, of the latents' shape."""
        self.pulses = 0
        """Given so far, one for each bit that was to change."""

    def read(self, latents: Tensor) -> Tensor:
        """The bits that the cells hold."""
        return held(latents, self.bits)

    @torch.no_grad()
    def write(self, latents: Tensor) -> None:
        """Write the signs of the latents; only bits that are to change get a pulse."""
        bits = self.bits.view(-1)
        changing = torch.nonzero(binarize(latents).view(-1) != bits).view(-1)
        self.pulses += len(changing)
        succeeds = torch.rand(len(changing), generator=self.generator) >= self.rate
        changed = changing[succeeds.to(changing.device)]
        bits[changed] = -bits[changed]


class StaticErrors:
    """A share ``rate`` of the bits is the wrong way round, always the same ones: one deployment."""

    def __init__(self, latents: Tensor, rate: Ratio, generator: torch.Generator) -> None:
        self.wrong = wrong_bits(latents.numel(), rate, generator)
        """Flat indices, rising."""

    def read(self, latents: Tensor) -> Tensor:
        """The signs of the latents, but for the wrong bits."""
        return held(latents, _inverted(latents, self.wrong))


class FreshErrors:
    """A share ``rate`` of the bits is the wrong way round, others at each read.

    A layer reads once for a whole batch. Other bits for every image would give the same accuracy on
    average, and less scatter.
    """

    def __init__(self, rate: Ratio, generator: torch.Generator) -> None:
        self.rate = _checked(rate)
        self.generator = generator

    def read(self, latents: Tensor) -> Tensor:
        """The signs of the latents, but for bits drawn now."""
        wrong = wrong_bits(latents.numel(), self.rate, self.generator)
        return held(latents, _inverted(latents, wrong))


def wrong_bits(bits: int, rate: Ratio, generator: torch.Generator) -> Tensor:
    """Rising flat indices of the wrong ones among ``bits``, each wrong with probability ``rate``.

    The gaps between them are drawn, which are geometric: a rate of 1e-5 costs next to nothing.
    """
    if _checked(rate) == 0:
        return torch.empty(0, dtype=torch.int64)
    parts, last = [], -1
    while last < bits:
        expected = (bits - 1 - last) * rate
        gaps = torch.empty(int(expected + 4 * expected**0.5) + 4, dtype=torch.float64)
        places = last + gaps.geometric_(rate, generator=generator).long().cumsum(0)
        parts.append(places)
        last = int(places[-1])
    found = torch.cat(parts)
    return found[found < bits]


@contextmanager
def held_in(model: nn.Module, memory: Callable[[Tensor], BitMemory]) -> Iterator[None]:
    """Hold the weights of every layer in a memory made of its latents; the old ones come back."""
    layers = [layer for _, layer in binary_layers(model)]
    before = [layer.memory for layer in layers]
    for layer in layers:
        layer.memory = memory(layer.latents)
    try:
        yield
    finally:
        for layer, old in zip(layers, before, strict=True):
            layer.memory = old


def writing(model: nn.Module) -> AfterStep:
    """What writes the latents into the model's `FailingWrites` after each step of `fit`."""

    def after_step(step: int) -> None:
        for _, layer in binary_layers(model):
            if isinstance(layer.memory, FailingWrites):
                layer.memory.write(layer.latents)

    return after_step


def _inverted(latents: Tensor, wrong: Tensor) -> Tensor:
    """The signs of the latents, those at the flat indices ``wrong`` inverted."""
    signs = binarize(latents.detach())
    flat, wrong = signs.view(-1), wrong.to(signs.device)
    flat[wrong] = -flat[wrong]
    return signs


def _checked(rate: Ratio) -> Ratio:
    if not 0 <= rate < 1:
        raise ConfigurationError(
            f"A bit error rate of {rate!r} refused: it is a share of the bits, from 0 to below 1."
        )
    return rate
