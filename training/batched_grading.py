"""One ordinary torch model on many dies at once: every image on every die in one batched call.

The layers of all dies are one batched matrix product (`torch.vmap`). Images and dies are taken a
few at a time: that bounds memory, keeps what lies between two layers in a cache, and changes
nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from crossbar.errors import ConfigurationError
from training.binary_layers import binary_layers
from training.erring_bits import held_in
from training.fixed_cells import FixedCells
from training.image_sets import ImageSet

IMAGES_TOGETHER = 250
DIES_TOGETHER = 36
"""So many at a time take 4 bytes times their product times the widest layer."""


@dataclass(frozen=True)
class _Given:
    """Weights that are what they are, whatever the latents."""

    weights: Tensor

    def read(self, latents: Tensor) -> Tensor:
        """The weights given."""
        return self.weights


def weights_on(model: nn.Module, cells: Callable[[Tensor], FixedCells], dies: int) -> list[Tensor]:
    """What a model's weights are on so many dies: (dies, *shape of the layer), one a layer.

    ``cells`` gives those of a layer from its latents, die by die, layer by layer.
    """
    layers = [layer.latents.detach() for _, layer in binary_layers(model)]
    found = [[cells(latents).read(latents) for latents in layers] for _ in range(dies)]
    return [torch.stack(each) for each in zip(*found, strict=True)]


@torch.no_grad()
def accuracy_on_dies(
    model: nn.Module,
    weights: Sequence[Tensor],
    images: ImageSet,
    *,
    images_together: int = IMAGES_TOGETHER,
    dies_together: int = DIES_TOGETHER,
) -> Tensor:
    """(dies,) Fraction of the test images that the model recognizes on each die.

    ``weights`` are (dies, *shape), one a layer (`weights_on`); everything else is the model's own.
    Computes where the weights are. Raises ConfigurationError for other shapes.
    """
    layers = [layer for _, layer in binary_layers(model)]
    shapes = [tuple(layer.latents.shape) for layer in layers]
    dies = len(weights[0]) if weights else 0
    if dies == 0 or [tuple(each.shape) for each in weights] != [(dies, *each) for each in shapes]:
        raise ConfigurationError(
            f"Weights of shapes {[tuple(each.shape) for each in weights]} were given for layers of "
            f"{shapes}; it takes one tensor a layer, with the dies in front."
        )
    model.eval()

    def scores(pixels: Tensor, *given: Tensor) -> Tensor:
        one_each = iter(given)
        with held_in(model, lambda latents: _Given(next(one_each))):
            found: Tensor = model(pixels)
            return found

    batched = torch.vmap(scores, in_dims=(None, *(0 for _ in layers)))
    right = torch.zeros(dies, dtype=torch.int64, device=weights[0].device)
    for first in range(0, len(images.test_labels), images_together):
        part = slice(first, first + images_together)
        pixels = images.scaled(images.test_pixels[part].to(right.device))
        labels = images.test_labels[part].to(right.device)
        for die in range(0, dies, dies_together):
            some = slice(die, die + dies_together)
            found = batched(pixels, *(each[some] for each in weights)).argmax(-1)
            right[some] += (found == labels).sum(-1)
    return right / len(images.test_labels)
