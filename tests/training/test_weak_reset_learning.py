import pytest
import torch

from crossbar.errors import ConfigurationError
from physics.weak_reset import PulseNoise, WeakResetPopulation
from training.binary_networks import mnist_mlp
from training.classifier import FitPlan, accuracy, fit
from training.image_sets import load_image_set
from training.weak_reset_learning import PulseRule, learning_by_pulses, memories_of
from training.weak_reset_memory import WeakResetMemory, WeakResetSetup


def seeded(seed=1):
    return torch.Generator().manual_seed(seed)


def test_a_step_becomes_whole_pulses_of_its_sign():
    """Rounded, cut at the most, in multiples of the learning rate."""
    rule = PulseRule(rate=8, most=14)
    step = torch.tensor([0.0, 0.05, -0.1, 0.2, -0.3, 1.0]) * 0.01
    assert rule.pulses(step, 0.001).tolist() == [0, 4, -8, 14, -14, 14]


def test_a_rule_that_gives_no_pulses_is_refused():
    """A rate or a limit of zero."""
    for wrong in ({"rate": 0.0}, {"most": 0}):
        with pytest.raises(ConfigurationError, match="both must be positive"):
            PulseRule(**wrong)


@pytest.mark.parametrize("perfect", [True, False])
def test_a_small_network_learns_the_digits(perfect):
    """With cells that are all alike nearly as well as with latents; with the published ones less.
    The latents carry nothing from one step to the next.
    """
    setup = WeakResetSetup()
    if perfect:
        setup = WeakResetSetup(
            population=WeakResetPopulation(cell_to_cell=False, cycle_to_cycle=False),
            noise=PulseNoise(telegraph=False, pink=False),
        )
    generator = seeded()
    model = mnist_mlp(generator, inputs=100, hidden=(64,))
    plan = FitPlan(epochs=6, batch=64, rate=8e-3)
    memories = memories_of(model, lambda shape: WeakResetMemory(shape, setup, generator))
    after_step = learning_by_pulses(model, memories, plan, PulseRule())
    images = load_image_set("digits")
    before = accuracy(model, images)

    fit(model, images, plan, generator, after_step=after_step)

    assert before < 0.3
    assert accuracy(model, images) > (0.85 if perfect else 0.7)
    for memory in memories.values():
        assert 0 < float(memory.cells.pulses.max()) < 6 * 22 * 14 + 15
    assert all(not layer.latents.any() for layer in model if hasattr(layer, "latents"))
