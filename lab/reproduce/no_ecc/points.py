"""What is worked out in software: a network trained with or without errors, graded with them."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from lab.data_sets import image_set
from training.binary_layers import binary_layers
from training.binary_networks import cifar_conv, mnist_mlp
from training.bit_memory import BitMemory, PerfectBits
from training.classifier import FitPlan, accuracy, fit
from training.erring_bits import FailingWrites, FreshErrors, StaticErrors, held_in, writing
from training.image_sets import ImageSet
from training.seeded import seeded


def graded_training(
    *,
    images: str,
    width: int,
    train: int,
    test: int,
    epochs: int,
    batch: int,
    seed: int,
    trained: str,
    rate: float,
    rates: Sequence[float],
    dies: int,
    together: int,
    torch_device: str,
) -> dict[str, Any]:
    """Train a network and grade it on the test images.

    ``trained`` is "perfect", "fresh" (errors drawn anew at each step, at ``rate``) or "written" (a
    write fails at ``rate``). The first two are graded without errors ("perfect"), and for each of
    ``rates`` with fresh errors and on ``dies`` with static ones: "fresh" (rates,), "static" (rates,
    dies). The third is graded as it lies in memory: "held", with the "pulses" that each of its
    "bits" took on average. ``together`` test images are in one forward pass, and so have the same
    fresh errors.
    """
    shown = image_set(images).part(train, test)
    generator = torch.Generator().manual_seed(seed)
    model = _model(shown, width, generator).to(torch_device)
    plan = FitPlan(epochs=epochs, batch=batch)
    errors = seeded(seed, "errors in training")
    if trained == "written":
        with held_in(model, lambda latents: FailingWrites(latents, rate, errors)):
            fit(model, shown, plan, generator, after_step=writing(model))
            return {"held": accuracy(model, shown, together), **_writing_of(model)}
    with held_in(model, lambda latents: FreshErrors(rate, errors)):
        fit(model, shown, plan, generator)
    return _graded(model, shown, seed, rates, dies, together)


def _graded(
    model: nn.Module,
    images: ImageSet,
    seed: int,
    rates: Sequence[float],
    dies: int,
    together: int,
) -> dict[str, Any]:
    """The grades of a trained network, as `graded_training` gives them."""

    def grade(memory: Callable[[Tensor], BitMemory]) -> float:
        with held_in(model, memory):
            return accuracy(model, images, together)

    def static(rate: float, die: int) -> float:
        errors = seeded(seed, "die", die, rate)
        return grade(lambda latents: StaticErrors(latents, rate, errors))

    def fresh(rate: float) -> float:
        errors = seeded(seed, "fresh", rate)
        return grade(lambda latents: FreshErrors(rate, errors))

    return {
        "perfect": grade(lambda latents: PerfectBits()),
        "static": [[static(rate, die) for die in range(dies)] for rate in rates],
        "fresh": [fresh(rate) for rate in rates],
    }


def _model(images: ImageSet, width: int, generator: torch.Generator) -> nn.Sequential:
    """Two hidden layers of ``width``, or convolutions from ``width`` up with dense layers of 16
    times that.
    """
    if images.train_pixels.shape[1] == 3:
        return cifar_conv(generator, width=width, dense=16 * width)
    pixels = images.train_pixels[0].numel()
    return mnist_mlp(generator, inputs=pixels, hidden=(width, width))


def _writing_of(model: nn.Module) -> dict[str, float]:
    memories = [layer.memory for _, layer in binary_layers(model)]
    written = [memory for memory in memories if isinstance(memory, FailingWrites)]
    bits = sum(memory.bits.numel() for memory in written)
    return {"pulses": sum(memory.pulses for memory in written) / bits, "bits": bits}
