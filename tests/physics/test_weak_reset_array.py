import math

import pytest
import torch
from scipy.stats import ks_2samp

from crossbar.errors import ConfigurationError
from physics.weak_reset import (
    PARAMETER_DRAWS,
    PulseNoise,
    WeakResetPopulation,
    advance,
    after_set,
    log_resistance,
)
from physics.weak_reset_array import WeakResetArray
from physics.weak_reset_tables import LENGTH, pink_rows, products

SILENT = PulseNoise(telegraph=False, pink=False)
SIGMAS = 5


def seeded(seed=1):
    return torch.Generator().manual_seed(seed)


def drawn(*shape, seed=1):
    return torch.rand(shape, generator=seeded(seed), dtype=torch.float64)


def an_array(count, noise, cells=None, seed=2, **population):
    return WeakResetArray((count,), WeakResetPopulation(**population), noise, seeded(seed), cells)


def by_the_reference(cells, steps, noise, seed=3):
    """ln R after each of these numbers of pulses more, by `physics.weak_reset`."""
    state, found = after_set(cells.r0, noise), []
    for number, pulses in enumerate(steps):
        given = torch.full_like(cells.r0, pulses)
        uniforms = drawn(len(given), noise.draws, seed=seed + number)
        state = advance(cells, state, given, uniforms, noise)
        found.append(log_resistance(cells, state, noise))
    return found


def by_the_array(array, steps):
    found = []
    for pulses in steps:
        array.give(torch.full(array.shape, float(pulses)))
        found.append(array.log_resistance.double())
    return found


@pytest.mark.parametrize("cell_to_cell", [False, True])
def test_without_noise_it_is_the_reference(cell_to_cell):
    """The same cells, the same pulses, each cell its own number: ln R to float32."""
    population = WeakResetPopulation(cell_to_cell=cell_to_cell, cycle_to_cycle=False)
    cells = population.cells(drawn(5000, PARAMETER_DRAWS))
    array = an_array(5000, SILENT, cells, cycle_to_cycle=False)
    state = after_set(cells.r0, SILENT)
    for step in range(40):
        pulses = torch.randint(0, 90, (5000,), generator=seeded(step))
        state = advance(cells, state, pulses.double(), drawn(5000, 0), SILENT)
        array.give(pulses.float())
    expected = log_resistance(cells, state, SILENT)
    assert float(expected.max() - expected.min()) > (0.5 if cell_to_cell else 0.001)
    assert torch.allclose(array.log_resistance.double(), expected, atol=4e-6, rtol=0)


@pytest.mark.parametrize("steps", [(3, 4), (14, 1, 2), (40, 7), (3000, 14)])
@pytest.mark.parametrize(
    "noise",
    [PulseNoise(telegraph=False), PulseNoise(pink=False), PulseNoise(), PulseNoise(centred=True)],
)
def test_with_noise_it_is_the_reference_in_distribution(steps, noise):
    """What noise adds after the last pulses, and by how much it changed with them."""
    count = 20_000
    population = WeakResetPopulation(cycle_to_cycle=False)
    cells = population.cells(drawn(count, PARAMETER_DRAWS))
    silent = by_the_reference(cells, steps, SILENT)
    wanted = [a - b for a, b in zip(by_the_reference(cells, steps, noise), silent, strict=True)]
    array = an_array(count, noise, cells, cycle_to_cycle=False)
    found = [a - b for a, b in zip(by_the_array(array, steps), silent, strict=True)]
    grid = 1e-5  # float32 has no exact zeros where the reference has them
    for one, other in (
        (found[-1], wanted[-1]),
        (found[-1] - found[-2], wanted[-1] - wanted[-2]),
    ):
        one, other = ((x / grid).round() for x in (one, other))
        assert ks_2samp(one.numpy(), other.numpy()).pvalue > 1e-4


def by_the_tables(array):
    """ln(R / reference) of every cell, straight from what it is and where it stands."""
    noise, cpu = array.noise, torch.device("cpu")
    pulses = array.pulses.double()
    early = torch.minimum(pulses, array.t_star.double())
    found = array.start + array.m1 * early + array.m2 * (pulses - early)
    place = (array.place + pulses.long()) % LENGTH
    if noise.telegraph:
        found += array.jump * products(cpu)[place]
    if noise.pink:
        found += pink_rows(noise, cpu)[pulses.long().clamp(max=noise.poles) * LENGTH + place]
    return found


@pytest.mark.parametrize(
    "noise", [PulseNoise(telegraph=False), PulseNoise(pink=False), PulseNoise()]
)
def test_between_events_noise_is_what_the_tables_say(noise):
    """Cells with and without a full past, flips, SETs, and more pulses than the tables are long."""
    array = an_array(3000, noise)
    for step in range(60):
        most = LENGTH if step % 20 == 19 else 1 + step % 8
        pulses = torch.randint(0, most + 1, (3000,), generator=seeded(step))
        array.give(pulses.float() * (torch.rand(3000, generator=seeded(100 + step)) < 0.8))
        expected = by_the_tables(array)
        assert torch.allclose(array.log_ratio.double(), expected, atol=2e-6, rtol=4e-7)
        array.set_cells(torch.rand(3000, generator=seeded(200 + step)) < 0.02)
        assert torch.allclose(array.log_ratio.double(), by_the_tables(array), atol=2e-6, rtol=4e-7)
    assert not noise.telegraph or bool((array.jump > 0).any())


def test_pulses_of_either_cell_are_pulses_of_that_cell(monkeypatch):
    """To the bit, in pieces and whole."""
    monkeypatch.setattr("physics.weak_reset_array.CHUNK", 77)
    whole = WeakResetArray((2, 500), WeakResetPopulation(), PulseNoise(), seeded())
    either = WeakResetArray((2, 500), WeakResetPopulation(), PulseNoise(), seeded())
    for step in range(30):
        pulses = torch.randint(-400, 401, (500,), generator=seeded(step)).float()
        whole.give(torch.stack([pulses.clamp(min=0), (-pulses).clamp(min=0)]))
        either.give_either(pulses)
    assert torch.equal(whole.pulses, either.pulses)
    assert torch.equal(whole.log_ratio, either.log_ratio)


def test_cells_do_not_share_their_noise():
    """Neighbours that got the same pulses; and the mean over all of them is what it should be."""
    count = 100_000
    array = an_array(count, PulseNoise(telegraph=False), cell_to_cell=False, cycle_to_cycle=False)
    silent = an_array(count, SILENT, cell_to_cell=False, cycle_to_cycle=False)
    added = by_the_array(array, [500])[0] - by_the_array(silent, [500])[0]
    assert float(added.std()) == pytest.approx(0.0100, abs=0.0002)
    assert float(added.mean()) == pytest.approx(0.0541, abs=0.0003)
    pairs = torch.corrcoef(torch.stack([added[:-1], added[1:]]))
    assert abs(float(pairs[0, 1])) < SIGMAS / math.sqrt(count)


def test_telegraphs_are_high_as_often_as_the_chain_says():
    """28.6 % after many pulses, one call or many."""
    array = an_array(50_000, PulseNoise(pink=False))
    by_the_array(array, [9000, *[14] * 30])
    share = 8e-4 / (8e-4 + 2e-3)
    high = float((array.jump > 0).double().mean())
    assert abs(high - share) < SIGMAS * math.sqrt(share * (1 - share) / 50_000)


@pytest.mark.parametrize("cycle_to_cycle", [False, True])
def test_a_set_begins_anew(cycle_to_cycle):
    """No pulses, telegraph low, the published spread of R0 where cycles differ; the others stay."""
    noise = PulseNoise()
    array = an_array(20_000, noise, cycle_to_cycle=cycle_to_cycle)
    first = array.log_ratio.clone()
    by_the_array(array, [2000])
    before = array.log_ratio.clone()
    chosen = torch.arange(20_000) % 2 == 0

    array.set_cells(chosen)

    assert torch.equal(array.log_ratio[~chosen], before[~chosen])
    assert bool((array.pulses[chosen] == 0).all())
    assert bool((array.jump[chosen] == 0).all())
    assert bool((array.flip_at[chosen] >= 1).all())
    moved = (array.log_ratio - first)[chosen]
    if cycle_to_cycle:
        r0 = WeakResetPopulation().r0.quantile(drawn(100_000)).log()
        assert float(moved.std()) == pytest.approx(2**0.5 * float(r0.std()), rel=0.05)
    else:
        assert float(moved.abs().max()) < 1e-6


def test_cells_after_a_set_see_other_noise():
    """The tables go on where they were left: no cycle repeats the one before."""
    noise = PulseNoise(telegraph=False)
    array = an_array(5000, noise, cell_to_cell=False, cycle_to_cycle=False)
    cycles = []
    for _ in range(2):
        cycles.append(by_the_array(array, [30])[0])
        array.set_cells(torch.ones(5000, dtype=torch.bool))
    assert abs(float(torch.corrcoef(torch.stack(cycles))[0, 1])) < SIGMAS / math.sqrt(5000)


def test_a_checkpoint_brings_back_every_bit():
    """Into an array of another seed; what comes after is the same, SETs and flips included."""
    one, other = an_array(3000, PulseNoise(), seed=1), an_array(3000, PulseNoise(), seed=2)
    by_the_array(one, [700])
    other.load_state_dict(one.state_dict())
    half = torch.arange(3000) < 1500
    for array in (one, other):
        by_the_array(array, [5, 900])
        array.set_cells(half)
        by_the_array(array, [1200])
    assert torch.equal(one.log_ratio, other.log_ratio)
    assert torch.equal(one.flip_at, other.flip_at)


def test_the_same_seed_makes_the_same_cells():
    """And another seed others."""
    one, same, other = (an_array(100, PulseNoise(), seed=seed) for seed in (1, 1, 2))
    assert torch.equal(one.log_ratio, same.log_ratio)
    assert not torch.equal(one.log_ratio, other.log_ratio)


def test_pieces_of_work_do_not_show(monkeypatch):
    """Cells are worked on in pieces that fit the cache; the result is the same without."""
    whole = an_array(1000, PulseNoise())
    pieces = an_array(1000, PulseNoise())
    by_the_array(whole, [20, 300])
    monkeypatch.setattr("physics.weak_reset_array.CHUNK", 77)
    by_the_array(pieces, [20, 300])
    assert torch.equal(whole.log_ratio, pieces.log_ratio)


def test_another_number_of_cells_is_refused():
    """Before anything is made of them."""
    cells = WeakResetPopulation().cells(drawn(7, PARAMETER_DRAWS))
    with pytest.raises(ConfigurationError, match="7 cells were given for an array of"):
        WeakResetArray((2, 4), WeakResetPopulation(), SILENT, seeded(), cells)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_gives_what_the_cpu_gives():
    """The same random numbers; ln R differs by rounding."""
    here, there = an_array(5000, PulseNoise()), an_array(5000, PulseNoise()).cuda()
    for array in (here, there):
        for pulses in (20, 700, 14):
            array.give(torch.full((5000,), float(pulses), device=array.pulses.device))
        array.set_cells(array.pulses > 700)
    assert torch.equal(here.flip_at, there.flip_at.cpu())
    assert torch.allclose(here.log_ratio, there.log_ratio.cpu(), atol=1e-6)
