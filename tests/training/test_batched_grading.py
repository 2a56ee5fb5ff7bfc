import numpy as np
import pytest
import torch

from crossbar.errors import ConfigurationError
from crossbar.geometry import DieGeometry
from physics.defects import SISTER_CHIP
from training.batched_grading import accuracy_on_dies, weights_on
from training.binary_layers import BinaryActivation, BinaryConv2d, BinaryLinear
from training.binary_networks import mnist_mlp
from training.bit_memory import PerfectBits
from training.classifier import FitPlan, accuracy, fit
from training.erring_bits import held_in
from training.image_sets import load_image_set
from training.statistics_aware_memory import StatisticsAwareMemory


def seeded(seed=3):
    return torch.Generator().manual_seed(seed)


def memory(seed=4):
    geometry = DieGeometry(subarrays=2, rows=20, columns=20)
    return StatisticsAwareMemory(
        population=SISTER_CHIP, generator=seeded(seed), geometry=geometry, bound=2.0
    )


def dense():
    return mnist_mlp(seeded(), inputs=100, hidden=(40,))


def convolutional():
    generator = seeded()
    return torch.nn.Sequential(
        BinaryConv2d(1, 6, 3, generator),
        torch.nn.MaxPool2d(2),
        torch.nn.BatchNorm2d(6),
        BinaryActivation(),
        torch.nn.Flatten(),
        BinaryLinear(6 * 16, 10, generator),
        torch.nn.BatchNorm1d(10),
    )


@pytest.mark.parametrize("make", [dense, convolutional])
def test_many_dies_at_once_are_those_dies_one_by_one(make):
    """Whatever is taken together: 5 dies, one after the other through `accuracy`, are the same."""
    images = load_image_set("digits").part(500, 300)
    model = make()
    fit(model, images, FitPlan(epochs=3, batch=50), seeded())
    weights = weights_on(model, memory().cells, 5)
    again, alone = memory(), []
    for _ in range(5):
        with held_in(model, again.cells):
            alone.append(accuracy(model, images))

    for images_together, dies_together in ((250, 36), (7, 2)):
        found = accuracy_on_dies(
            model, weights, images, images_together=images_together, dies_together=dies_together
        )
        # A tie may fall otherwise where sums are rounded otherwise: one image in 300.
        np.testing.assert_allclose(found, alone, atol=1.1 / 300)
    assert len(set(alone)) > 1


def test_memories_are_as_before_afterwards():
    """The model keeps its own."""
    images = load_image_set("digits").part(100, 50)
    model = dense()

    accuracy_on_dies(model, weights_on(model, memory().cells, 2), images)

    assert all(isinstance(model[at].memory, PerfectBits) for at in (1, 4))


@pytest.mark.parametrize("spoil", [lambda w: w[:1], lambda w: [w[0], w[1][:1]], lambda w: []])
def test_weights_of_other_shapes_are_refused(spoil):
    images = load_image_set("digits").part(100, 50)
    model = dense()

    with pytest.raises(ConfigurationError, match="one tensor a layer"):
        accuracy_on_dies(model, spoil(weights_on(model, memory().cells, 2)), images)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_an_accelerator_gives_the_same():
    """Training and grading on CUDA, on the same cells, within what rounding does."""
    images = load_image_set("digits")
    found = {}
    for name in ("cpu", "cuda"):
        model = dense().to(name)
        shared = memory()
        with held_in(model, lambda latents, shared=shared: shared):
            fit(model, images, FitPlan(epochs=4, batch=50), seeded())
        weights = [each.to(name) for each in weights_on(model, memory(5).cells, 8)]
        found[name] = accuracy_on_dies(model, weights, images).cpu()

    np.testing.assert_allclose(found["cpu"], found["cuda"], atol=0.05)
