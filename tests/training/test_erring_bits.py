import pytest
import torch

from crossbar.errors import ConfigurationError
from training.binary_layers import BinaryLinear, binary_layers
from training.binary_networks import mnist_mlp
from training.classifier import FitPlan, accuracy, fit
from training.erring_bits import (
    FailingWrites,
    FreshErrors,
    StaticErrors,
    held_in,
    writing,
    wrong_bits,
)
from training.image_sets import load_image_set


def seeded(seed: int = 3) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("rate", [1e-5, 1e-3, 0.1, 0.7])
def test_each_bit_is_wrong_with_the_rate(rate):
    """Their number over many draws is binomial, none is there twice, none outside."""
    bits, draws, generator = 20_000, 200, seeded()
    found = [wrong_bits(bits, rate, generator) for _ in range(draws)]

    total, expected = sum(len(each) for each in found), draws * bits * rate
    assert abs(total - expected) < 4 * (expected * (1 - rate)) ** 0.5
    for each in found:
        assert torch.all(each.diff() > 0)
        assert len(each) == 0 or (each[0] >= 0 and each[-1] < bits)


def test_wrong_bits_are_as_often_at_either_end():
    """Every place alike, the first and the last among them."""
    generator, counts = seeded(), torch.zeros(10)
    for _ in range(3000):
        counts[wrong_bits(10, 0.2, generator)] += 1

    # Chi-squared of ten binomial counts: 29.6 is exceeded once in a thousand.
    expected = 3000 * 0.2
    assert float(((counts - expected) ** 2 / (expected * 0.8)).sum()) < 29.6


def test_no_errors_are_no_errors():
    """At the rate 0 all three hold the signs."""
    latents = torch.randn(50, 20, generator=seeded())
    signs = torch.sign(latents)
    for memory in (
        StaticErrors(latents, 0, seeded()),
        FreshErrors(0, seeded()),
        FailingWrites(latents, 0, seeded()),
    ):
        assert torch.equal(memory.read(latents), signs)


def test_static_errors_stay_and_fresh_ones_move():
    """At one rate; both only ever turn a bit around."""
    latents = torch.randn(100, 100, generator=seeded())
    signs = torch.sign(latents)
    static, fresh = StaticErrors(latents, 0.05, seeded()), FreshErrors(0.05, seeded())

    assert torch.equal(static.read(latents), static.read(latents))
    assert not torch.equal(fresh.read(latents), fresh.read(latents))
    for memory in (static, fresh):
        read = memory.read(latents)
        assert torch.equal(read.abs(), torch.ones_like(read))
        assert 0.03 < float((read != signs).float().mean()) < 0.07


def test_a_failed_write_leaves_the_old_bit_until_one_succeeds():
    """All bits are to change; 30 % fail at each write, so 0.3^n of them are left after n."""
    latents = torch.ones(200, 500)
    memory = FailingWrites(latents, 0.3, seeded())
    left = []
    for _ in range(3):
        memory.write(-latents)
        left.append(float((memory.read(-latents) == 1).float().mean()))

    assert left == pytest.approx([0.3, 0.09, 0.027], rel=0.05)
    assert memory.pulses == pytest.approx(100_000 * (1 + 0.3 + 0.09), rel=0.02)


def test_the_gradient_is_that_of_signs():
    """Straight through within plus and minus one, whatever the bits are."""
    latents = torch.tensor([[0.5, -0.5, 1.5]], requires_grad=True)
    for memory in (
        StaticErrors(latents, 0.9, seeded()),
        FreshErrors(0.9, seeded()),
        FailingWrites(-latents, 0.9, seeded()),
    ):
        latents.grad = None
        memory.read(latents).sum().backward()
        assert latents.grad.tolist() == [[1.0, 1.0, 0.0]]


def test_memories_are_lent_and_given_back():
    """Within `held_in` every layer has its own; afterwards what it had."""
    model = mnist_mlp(seeded(), inputs=100, hidden=(8,))
    before = [layer.memory for _, layer in binary_layers(model)]

    with held_in(model, lambda latents: FreshErrors(0.1, seeded())):
        inside = [layer.memory for _, layer in binary_layers(model)]

    assert len({id(memory) for memory in (*inside, *before)}) == 4
    assert [layer.memory for _, layer in binary_layers(model)] == before


def test_a_training_writes_its_bits_after_each_step():
    """Without failures it ends like one with perfect bits, to the last bit."""
    images = load_image_set("digits")

    def trained(written: bool) -> tuple[torch.nn.Module, float]:
        generator = seeded(1)
        model = mnist_mlp(generator, inputs=100, hidden=(32,))
        plan = FitPlan(epochs=2, batch=64)
        if not written:
            fit(model, images, plan, generator)
            return model, accuracy(model, images)
        with held_in(model, lambda latents: FailingWrites(latents, 0.0, seeded())):
            fit(model, images, plan, generator, after_step=writing(model))
            return model, accuracy(model, images)

    (one, plain), (other, held) = trained(False), trained(True)
    assert plain == held
    for (_, first), (_, second) in zip(binary_layers(one), binary_layers(other), strict=True):
        assert torch.equal(first.latents, second.latents)


def test_training_with_errors_learns_to_live_with_them():
    """At 10 % of wrong bits, on average over three seeds, by more than seeds differ."""
    images = load_image_set("digits")
    gains = []
    for seed in (1, 2, 3):
        grades = []
        for rate in (0.0, 0.1):
            generator = seeded(seed)
            model = mnist_mlp(generator, inputs=100, hidden=(64,))
            draws = seeded(seed + 100)
            with held_in(model, lambda latents, r=rate, d=draws: FreshErrors(r, d)):
                fit(model, images, FitPlan(epochs=8, batch=64), generator)
            with held_in(model, lambda latents, d=draws: FreshErrors(0.1, d)):
                grades.append(sum(accuracy(model, images) for _ in range(5)) / 5)
        gains.append(grades[1] - grades[0])

    assert min(gains) > 0


@pytest.mark.parametrize("rate", [-0.1, 1.0, float("nan")])
def test_a_rate_is_a_share(rate):
    """Refused where the memory is made, not at the first read."""
    latents = BinaryLinear(2, 2, seeded()).latents
    for make in (
        lambda: StaticErrors(latents, rate, seeded()),
        lambda: FreshErrors(rate, seeded()),
        lambda: FailingWrites(latents, rate, seeded()),
    ):
        with pytest.raises(ConfigurationError, match="from 0 to below 1"):
            make()
