import pytest
import torch

from crossbar.errors import ConfigurationError
from physics.weak_reset import PulseNoise, WeakResetPopulation
from training.weak_reset_gains import CompensatedPairs, Looking, looking_again
from training.weak_reset_memory import WeakResetMemory, WeakResetSetup

SILENT = PulseNoise(telegraph=False, pink=False)


def seeded(seed=1):
    return torch.Generator().manual_seed(seed)


def some_pairs(count=2000, noise=SILENT, **looking):
    """Cells that differ, and the pairs that make up for it."""
    population = WeakResetPopulation(cycle_to_cycle=False)
    memory = WeakResetMemory((count,), WeakResetSetup(population=population, noise=noise), seeded())
    return memory, CompensatedPairs(memory, Looking(**looking), seeded(2))


def rises(memory, pairs, pulses):
    """(cells,) of ln R by so many wanted pulses on every cell."""
    before = memory.cells.log_ratio.clone()
    for _ in range(pulses):
        pairs.give(torch.ones(memory.cells.shape[1]))
        pairs.give(-torch.ones(memory.cells.shape[1]))
    return memory.cells.log_ratio - before


def test_cells_that_were_looked_at_respond_alike():
    """Before the knee, without noise; those beyond the largest gains excepted."""
    memory, pairs = some_pairs(settling=0)
    for _ in range(3):
        pairs.give(torch.full((2000,), 15.0))
        pairs.give(torch.full((2000,), -15.0))
        pairs.look_again()
    cells = memory.cells
    expected = pairs.usual / cells.m1
    inside = (expected > 0.1) & (expected < 30) & (cells.pulses < cells.t_star)
    gain = pairs.gain.view(-1)
    assert torch.allclose(gain[inside], expected[inside], rtol=0.01)
    assert float(gain.max()) <= 32
    assert float(gain.min()) >= 1 / 16

    early = inside & (cells.pulses + 20 * gain < cells.t_star)
    risen = rises(memory, pairs, 20)[early]
    assert int(early.sum()) > 1000
    assert float(risen.mean()) == pytest.approx(20 * pairs.usual, rel=0.03)
    assert float(risen.std() / risen.mean()) < 0.5
    assert float(cells.m1[early].std() / cells.m1[early].mean()) > 0.6


def test_a_cell_that_got_few_pulses_keeps_its_gain():
    """Nothing is known of it yet."""
    _, pairs = some_pairs(settling=0)
    pairs.give(torch.full((2000,), 29.0))
    pairs.look_again()
    assert pairs.usual is None
    assert bool((pairs.gain == 1).all())


def test_pulses_of_strong_cells_are_rounded_fairly():
    """A gain of 0.3 gives three pulses for ten; of two cells only the one that was meant gets
    them.
    """
    memory, pairs = some_pairs()
    pairs.gain[:] = 0.3
    before = memory.cells.pulses.view(2, -1).clone()
    for _ in range(100):
        pairs.give(torch.ones(2000))
    true, inverted = memory.cells.pulses.view(2, -1) - before
    assert float(true.mean()) == pytest.approx(30, abs=0.5)
    assert not inverted.any()


def test_looks_come_as_often_as_they_should():
    """After the step that `fit` ends, every so many steps."""
    _, pairs = some_pairs(every=3)
    seen = []
    pairs.look_again = lambda: seen.append("look")
    after = looking_again(seen.append, [pairs])
    for step in range(1, 8):
        after(step)
    assert seen == [1, 2, 3, "look", 4, 5, 6, "look", 7]


def test_looking_that_makes_no_sense_is_refused():
    """No step, no pulse, or gains on one side of one."""
    for wrong in ({"every": 0}, {"pulses": 0}, {"most_gain": 0.5}, {"least_gain": 0.0}):
        with pytest.raises(ConfigurationError, match="it takes a step and a pulse at least"):
            Looking(**wrong)
