import pytest
import torch

from crossbar.errors import ConfigurationError
from training.binary_layers import binary_layers
from training.binary_networks import mnist_mlp
from training.classifier import FitPlan, accuracy, fit
from training.image_sets import load_image_set


def trained(seed: int, steps: list[int] | None = None) -> torch.nn.Module:
    generator = torch.Generator().manual_seed(seed)
    model = mnist_mlp(generator, inputs=100, hidden=(64,))
    plan = FitPlan(epochs=8, batch=64)
    note = steps.append if steps is not None else None
    fit(model, load_image_set("digits"), plan, generator, after_step=note)
    return model


def test_a_small_network_learns_the_digits():
    """Ten classes by chance are 10 %; 64 binarized units reach nine of ten in eight epochs."""
    steps: list[int] = []
    model = trained(1, steps)

    assert accuracy(model, load_image_set("digits")) > 0.88
    assert steps == list(range(1, 8 * (1437 // 64) + 1))


def test_the_same_seed_trains_the_same_bits():
    """And another seed others."""
    one, same, other = trained(1), trained(1), trained(2)

    def bits(model):
        return torch.cat([layer.latents.flatten() for _, layer in binary_layers(model)])

    assert torch.equal(bits(one), bits(same))
    assert not torch.equal(bits(one), bits(other))


def test_a_batch_larger_than_the_set_is_refused():
    """Or there would be no step at all."""
    generator = torch.Generator().manual_seed(1)
    model = mnist_mlp(generator, inputs=100, hidden=(8,))

    with pytest.raises(ConfigurationError, match="1437 training images"):
        fit(model, load_image_set("digits"), FitPlan(epochs=1, batch=2000), generator)
