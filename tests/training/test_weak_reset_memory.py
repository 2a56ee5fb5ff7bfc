import math
from dataclasses import replace

import pytest
import torch

from crossbar.errors import ConfigurationError
from physics.weak_reset import (
    PARAMETER_DRAWS,
    PulseNoise,
    WeakResetPopulation,
    advance,
    after_set,
    log_resistance,
)
from training.binary_layers import BinaryLinear
from training.weak_reset_memory import WeakResetMemory, WeakResetSetup

SILENT = PulseNoise(telegraph=False, pink=False)
ALIKE = WeakResetPopulation(cell_to_cell=False, cycle_to_cycle=False)
SIGMAS = 5


def seeded(seed=1):
    return torch.Generator().manual_seed(seed)


def test_a_weight_is_the_sign_of_the_difference_of_its_two_cells():
    """Pulse by pulse, as the reference has it without noise; ties are +1, as everywhere."""
    shape = (40, 50)
    population = WeakResetPopulation(cycle_to_cycle=False)
    drawn = torch.rand((2, *shape, PARAMETER_DRAWS), generator=seeded(5), dtype=torch.float64)
    cells = population.cells(drawn)
    setup = WeakResetSetup(population=population, noise=SILENT, scattered=0)
    memory = WeakResetMemory(shape, setup, seeded(), cells)
    state = after_set(cells.r0, SILENT)
    before = memory.weights()
    for step in range(60):
        pulses = torch.randint(-14, 15, shape, generator=seeded(step))
        both = torch.stack([pulses.clamp(min=0), (-pulses).clamp(min=0)]).double()
        state = advance(cells, state, both, drawn[..., :0], SILENT)
        memory.give(pulses.float())
    true, inverted = log_resistance(cells, state, SILENT)
    clear = (true - inverted).abs() > 1e-5
    assert bool((memory.weights()[clear] == (true - inverted).sign()[clear]).all())
    assert torch.allclose(memory.difference().double(), true - inverted, atol=1e-5)
    assert bool((memory.weights() != before).any())


def test_pulses_move_a_weight_towards_their_sign():
    """On cells that are all alike every one of them."""
    memory = WeakResetMemory((200,), WeakResetSetup(population=ALIKE, noise=SILENT), seeded())
    first = memory.weights()
    assert 60 < int((first > 0).sum()) < 140
    wanted = -first
    memory.give(30 * wanted)
    assert torch.equal(memory.weights(), wanted)


def test_which_cell_they_are_all_alike_to_makes_no_difference():
    """A weight is then the sign of a difference of pulses: faster cells, the same weights."""
    slow, fast = (
        WeakResetMemory((500,), WeakResetSetup(population=population, noise=SILENT), seeded())
        for population in (ALIKE, replace(ALIKE, m1=replace(ALIKE.m1, scale=3e-3)))
    )
    for step in range(40):
        pulses = torch.randint(-14, 15, (500,), generator=seeded(step)).float()
        for memory in (slow, fast):
            memory.give(pulses)
        assert torch.equal(slow.weights(), fast.weights())
    assert bool((fast.cells.log_ratio > 1.5 * slow.cells.log_ratio).any())


def test_without_a_pulse_nothing_changes():
    """Neither of the two cells, with all noise on."""
    memory = WeakResetMemory((500,), WeakResetSetup(), seeded())
    before = memory.cells.log_ratio.clone()
    memory.give(torch.zeros(500))
    assert torch.equal(memory.cells.log_ratio, before)


def test_the_gradient_goes_straight_through_to_the_latents():
    """Whose values do not count."""
    layer = BinaryLinear(4, 3, seeded())
    layer.memory = WeakResetMemory((3, 4), WeakResetSetup(), seeded())
    layer.latents.data.zero_()
    x = torch.tensor([[1.0, 2.0, 3.0, 4.0]])

    sums = layer(x)
    sums.sum().backward()

    assert torch.equal(sums, x @ layer.memory.weights().T)
    assert torch.equal(layer.latents.grad, x.expand(3, 4))


def test_a_turned_weight_is_set_and_the_pulsed_cell_pulsed_once():
    """Both cells of it; the others go on."""
    setup = WeakResetSetup(population=ALIKE, noise=SILENT, sets=True)
    memory = WeakResetMemory((400,), setup, seeded())
    before, given = memory.weights(), memory.cells.pulses.view(2, 400).clone()
    pulses = torch.where(torch.arange(400) < 200, -30 * before, before)

    memory.give(pulses)

    true, inverted = memory.cells.pulses.view(2, 400)
    assert torch.equal(true[:200], (pulses[:200] > 0).float())
    assert torch.equal(inverted[:200], (pulses[:200] < 0).float())
    assert torch.equal(true[200:], given[0, 200:] + (pulses[200:] > 0))
    assert torch.equal(memory.weights()[:200], -before[:200])


@pytest.mark.parametrize("alone", ["cell_to_cell", "cycle_to_cycle", "telegraph", "pink", None])
def test_each_imperfection_can_be_alone(alone):
    """With all others off the weights' two cells differ through this one only."""
    population = WeakResetPopulation(
        cell_to_cell=alone == "cell_to_cell", cycle_to_cycle=alone == "cycle_to_cycle"
    )
    noise = PulseNoise(telegraph=alone == "telegraph", pink=alone == "pink")
    setup = WeakResetSetup(population=population, noise=noise, scattered=0)
    memory = WeakResetMemory((500,), setup, seeded())
    for sign in (1, -1):
        memory.give(torch.full((500,), sign * 2000.0))
    assert (float(memory.difference().std()) > 1e-3) == (alone is not None)


def test_read_noise_turns_a_weight_as_often_as_it_should():
    """Two readings of 1 % each against a difference of 1 %: P(z > 1 / sqrt 2) = 24.0 %."""
    setup = WeakResetSetup(population=ALIKE, noise=SILENT, scattered=0, read_noise=0.01)
    memory = WeakResetMemory((100_000,), setup, seeded())
    memory.cells.log_ratio.view(2, -1)[0] += 0.01
    wrong = float((memory.weights() < 0).double().mean())
    expected = 0.5 * math.erfc(0.5)
    assert abs(wrong - expected) < SIGMAS * math.sqrt(expected * (1 - expected) / 100_000)
    assert not torch.equal(memory.weights(), memory.weights())


def test_a_checkpoint_of_the_network_has_its_cells():
    """The layer's ``state_dict``; and training goes on with the same bits."""
    layers = [BinaryLinear(20, 30, seeded(seed)) for seed in (1, 2)]
    for seed, layer in enumerate(layers):
        layer.memory = WeakResetMemory((30, 20), WeakResetSetup(sets=True), seeded(seed))
        layer.memory.give(torch.full((30, 20), 400.0))
    layers[1].load_state_dict(layers[0].state_dict())
    for step in range(5):
        for layer in layers:
            layer.memory.give(torch.randint(-400, 400, (30, 20), generator=seeded(step)).float())
    assert torch.equal(layers[0].memory.cells.log_ratio, layers[1].memory.cells.log_ratio)


def test_what_makes_no_sense_is_refused():
    """Noise and scattered pulses below zero."""
    for wrong in ({"read_noise": -0.1}, {"scattered": -1}):
        with pytest.raises(ConfigurationError, match="neither can be negative"):
            replace(WeakResetSetup(), **wrong)
