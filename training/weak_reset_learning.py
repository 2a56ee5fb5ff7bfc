"""How an ordinary training teaches weights of two HfOx cells.

`training.classifier.fit` steps the latents by Adam as it does with any binarized network. After
each step the latents hold that step and nothing else: it becomes pulses, and they are zero again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

import torch
from torch import Tensor, nn

from crossbar.errors import ConfigurationError
from training.binary_layers import binary_layers
from training.bit_memory import BitMemory
from training.classifier import AfterStep, FitPlan


class PulsedMemory(BitMemory, Protocol):
    """Bits that learn by pulses: two cells each, in a model or on a die."""

    def give(self, pulses: Tensor) -> None:
        """Give weights of shape (*weights) so many pulses, on the one cell or the other by sign."""


Memory = TypeVar("Memory", bound=PulsedMemory)


@dataclass(frozen=True, kw_only=True)
class PulseRule:
    """From a step of the optimizer to pulses."""

    rate: float = 8.0
    """Pulses for a step as long as the learning rate, which is where Adam's steps begin. The
    released code calls this its learning rate; 8 is its default, 100 that of its README."""
    most: int = 14
    """Of one step: the poles of the released code's pink noise, less one."""

    def __post_init__(self) -> None:
        if not self.rate > 0 or self.most < 1:
            raise ConfigurationError(
                f"A pulse rule with a rate of {self.rate:g} and {self.most} pulses at most gives "
                "no pulses; both must be positive."
            )

    def pulses(self, step: Tensor, unit: float) -> Tensor:
        """Whole signed pulses for a step in multiples of ``unit``."""
        return (step * (self.rate / unit)).clamp_(-self.most, self.most).round_()


def learning_by_pulses(
    model: nn.Module,
    memories: Mapping[str, PulsedMemory],
    plan: FitPlan,
    rule: PulseRule,
) -> AfterStep:
    """What `fit` is to call after every step; gives the layers, by name, these memories.

    ``plan`` is the one that `fit` gets; its rate is that of batch normalization, too.
    """
    layers = [(layer, memories[name]) for name, layer in binary_layers(model)]
    for layer, memory in layers:
        layer.memory = memory
        layer.latents.data.zero_()

    @torch.no_grad()
    def after_step(step: int) -> None:
        for layer, memory in layers:
            memory.give(rule.pulses(layer.latents, plan.rate))
            layer.latents.zero_()

    return after_step


def memories_of(model: nn.Module, made: Callable[[tuple[int, ...]], Memory]) -> dict[str, Memory]:
    """By the name of each binarized layer the memory that is made for the shape of its weights."""
    return {name: made(tuple(layer.latents.shape)) for name, layer in binary_layers(model)}
