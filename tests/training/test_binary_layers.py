import pytest
import torch

from training.binary_layers import BinaryConv2d, BinaryLinear, binary_layers
from training.binary_networks import ALEXNET_IMAGE, binary_alexnet, cifar_conv, mnist_mlp
from training.bit_memory import held


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def test_a_dense_layer_multiplies_with_the_signs_of_its_latents():
    """The sums are those of the signs, and the gradient reaches the latents straight through."""
    layer = BinaryLinear(4, 3, seeded())
    x = torch.tensor([[1.0, 2.0, 3.0, 4.0]])

    sums = layer(x)
    sums.sum().backward()

    assert torch.equal(sums, x @ torch.sign(layer.latents).T)
    assert torch.equal(layer.latents.grad, x.expand(3, 4))


def test_a_convolution_multiplies_with_the_signs_of_its_latents():
    """One 3 x 3 kernel over one 3 x 3 image is one sum of nine products."""
    layer = BinaryConv2d(1, 1, 3, seeded())
    image = torch.arange(9.0).view(1, 1, 3, 3)

    expected = float((image[0, 0] * torch.sign(layer.latents.detach()[0, 0])).sum())
    assert layer(image).item() == pytest.approx(expected)


def test_a_layer_asks_its_memory():
    """What the memory holds is what the layer multiplies with; the gradient stays that of signs."""

    class AllOnes:
        def read(self, latents):
            return held(latents, torch.ones_like(latents))

    layer = BinaryLinear(5, 2, seeded())
    layer.memory = AllOnes()

    sums = layer(torch.ones(1, 5))
    sums.sum().backward()

    assert sums.tolist() == [[5.0, 5.0]]
    assert torch.equal(layer.latents.grad, torch.ones(2, 5))


@pytest.mark.parametrize(
    ("model", "shape", "bits"),
    [
        (mnist_mlp(seeded()), (2, 1, 28, 28), 784 * 1024 + 1024**2 + 10 * 1024),
        (
            cifar_conv(seeded(), width=8, dense=32),
            (2, 3, 32, 32),
            9 * (3 * 8 + 8 * 8 + 8 * 16 + 16 * 16 + 16 * 32 + 32 * 32)
            + 32 * 16 * 32 + 32 * 32 + 32 * 10,
        ),
        (
            binary_alexnet(seeded(), classes=10, width=6, dense=32),
            (2, 3, ALEXNET_IMAGE, ALEXNET_IMAGE),
            6 * 3 * 121 + 16 * 6 * 25 + 24 * 16 * 9 + 24 * 24 * 9 + 16 * 24 * 9
            + 32 * 16 * 36 + 32 * 32 + 32 * 10,
        ),
    ],
)  # fmt: skip
def test_a_network_scores_ten_classes_with_so_many_bits(model, shape, bits):
    """The papers' networks take their images, and every weight of theirs is a latent."""
    assert model(torch.rand(shape)).shape == (2, 10)
    assert sum(layer.latents.numel() for _, layer in binary_layers(model)) == bits
