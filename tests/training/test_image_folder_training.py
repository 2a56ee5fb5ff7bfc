"""ImageNet's network on a folder of images, both small. The full run was never done."""

import numpy as np
import torch
from PIL import Image

from training.binary_networks import ALEXNET_IMAGE, binary_alexnet
from training.classifier import FitPlan, accuracy, fit
from training.erring_bits import FailingWrites, FreshErrors, StaticErrors, held_in, writing
from training.image_sets import load_image_folder

COLOURS = {"brick": (180, 60, 40), "leaf": (50, 160, 60)}


def painted(folder, images: dict[str, int]) -> None:
    """Noisy pictures of one colour a class, of odd sizes."""
    drawn = np.random.default_rng(1)
    for part, count in images.items():
        for name, colour in COLOURS.items():
            (folder / part / name).mkdir(parents=True)
            for number in range(count):
                pixels = np.clip(drawn.normal(colour, 25, (70 + number, 90, 3)), 0, 255)
                Image.fromarray(pixels.astype(np.uint8)).save(
                    folder / part / name / f"{number}.png"
                )


def test_the_alexnet_learns_a_folder_and_lies_in_each_memory(tmp_path):
    """Two colours are told apart after a few steps, with one bit in a thousand wrong as well."""
    painted(tmp_path, {"train": 12, "test": 6})
    images = load_image_folder(tmp_path, ALEXNET_IMAGE)
    generator = torch.Generator().manual_seed(1)
    model = binary_alexnet(generator, classes=2, width=6, dense=16)
    with held_in(model, lambda latents: FailingWrites(latents, 1e-3, generator)):
        fit(model, images, FitPlan(epochs=6, batch=8), generator, after_step=writing(model))
        assert accuracy(model, images) > 0.9

    for memory in (
        lambda latents: StaticErrors(latents, 1e-3, generator),
        lambda latents: FreshErrors(1e-3, generator),
    ):
        with held_in(model, memory):
            assert accuracy(model, images) > 0.9
