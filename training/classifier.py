"""Training and testing of ordinary torch models whose weights are bits."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, pad

from crossbar.errors import ConfigurationError
from crossbar.units import Ratio
from training.binary_layers import binary_layers
from training.image_sets import ImageSet

TEST_BATCH = 1000
"""Images tested together, unless told; bounds memory."""
SHIFT = 4
"""Largest shift, in pixels, of an image that training may move."""

AfterStep = Callable[[int], None]
"""Told the number of the step, from 1, once the latents have moved: where memories are written."""


@dataclass(frozen=True, kw_only=True)
class FitPlan:
    """One training run, at a rate that falls to zero along half a cosine."""

    epochs: int
    batch: int = 128
    rate: float = 5e-3
    """Learning rate of latents and of batch normalization."""
    optimizer: Literal["adam", "sgd"] = "adam"
    """"sgd" is plain gradient descent: it keeps nothing beside the weights themselves."""

    def __post_init__(self) -> None:
        if min(self.epochs, self.batch) < 1 or not 0 < self.rate < math.inf:
            raise ConfigurationError(
                f"A training of {self.epochs} epochs in batches of {self.batch} at the rate "
                f"{self.rate:g}: all must be positive."
            )


def fit(
    model: nn.Module,
    images: ImageSet,
    plan: FitPlan,
    generator: torch.Generator,
    *,
    after_step: AfterStep | None = None,
    after_epoch: Callable[[int, float], None] | None = None,
) -> None:
    """Train a model in place, on the torch device that its parameters are on.

    ``generator`` (of the CPU) orders, mirrors and shifts the images: the same seed, the same bits,
    on one kind of machine. ``after_epoch`` is told the epoch and its mean loss in nats. Latents are
    kept within plus and minus one, beyond which they would get no gradient.
    """
    device = next(model.parameters()).device
    latents = [layer.latents for _, layer in binary_layers(model)]
    kind = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[plan.optimizer]
    optimizer = kind(model.parameters(), lr=plan.rate, foreach=True)
    count = len(images.train_labels) // plan.batch
    if count == 0:
        raise ConfigurationError(
            f"{images.name} has {len(images.train_labels)} training images, less than one batch of "
            f"{plan.batch}. Use more images or a smaller batch."
        )
    step = 0
    for epoch in range(1, plan.epochs + 1):
        model.train()
        total = 0.0
        for pixels, labels in batches(images, plan.batch, generator):
            falling = (1 + math.cos(math.pi * step / (plan.epochs * count))) / 2
            optimizer.param_groups[0]["lr"] = plan.rate * falling
            loss = cross_entropy(model(images.scaled(pixels.to(device))), labels.to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                for latent in latents:
                    latent.clamp_(-1, 1)
            step += 1
            total += float(loss.detach())
            if after_step is not None:
                after_step(step)
        if after_epoch is not None:
            after_epoch(epoch, total / count)


def batches(
    images: ImageSet, batch: int, generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """Whole mini-batches of one epoch, in random order: uint8 pixels and labels.

    The images left over after the last whole mini-batch have their turn in another epoch.
    """
    order = torch.randperm(len(images.train_labels), generator=generator)
    for chosen in order.split(batch):
        if len(chosen) == batch:
            pixels = images.train_pixels[chosen]
            if images.mirrored:
                pixels = _moved(pixels, generator)
            yield pixels, images.train_labels[chosen]


def _moved(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """Each image mirrored or not, all of the batch shifted alike by up to `SHIFT` pixels."""
    mirrored = torch.rand(len(pixels), generator=generator) < 0.5
    pixels = torch.where(mirrored.view(-1, 1, 1, 1), pixels.flip(3), pixels)
    down, right = torch.randint(0, 2 * SHIFT + 1, (2,), generator=generator).tolist()
    height, width = pixels.shape[2:]
    framed = pad(pixels, (SHIFT,) * 4)
    return framed[:, :, down : down + height, right : right + width]


@torch.no_grad()
def accuracy(model: nn.Module, images: ImageSet, batch: int = TEST_BATCH) -> Ratio:
    """Fraction of the test images that the model, as it is now, recognizes.

    How many are tested together changes nothing, unless a memory's bits change from read to read.
    """
    device = next(model.parameters()).device
    model.eval()
    right = 0
    for start in range(0, len(images.test_labels), batch):
        pixels = images.test_pixels[start : start + batch].to(device)
        labels = images.test_labels[start : start + batch].to(device)
        right += int((model(images.scaled(pixels)).argmax(1) == labels).sum())
    return right / len(images.test_labels)
