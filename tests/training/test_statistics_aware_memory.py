from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from crossbar.defect_map import CellClass
from crossbar.errors import ConfigurationError
from crossbar.geometry import DieGeometry
from physics.defects import SISTER_CHIP
from training.binary_networks import mnist_mlp
from training.classifier import FitPlan, accuracy, fit
from training.encoding import Encoding, signed
from training.erring_bits import held_in
from training.fixed_cells import FixedCells
from training.image_sets import load_image_set
from training.statistics_aware_memory import StatisticsAwareMemory

GEOMETRY = DieGeometry(subarrays=2, rows=20, columns=20)
NO_DEFECTS = replace(SISTER_CHIP, point_rates={}, column_rate={}, row_rate={})


def memory(population=SISTER_CHIP, seed=3, **settings):
    generator = torch.Generator().manual_seed(seed)
    return StatisticsAwareMemory(
        population=population, generator=generator, geometry=GEOMETRY, **settings
    )


def test_weights_are_those_of_cells_drawn_from_the_population():
    """Both states of many reads beside as many cells drawn directly: the same distribution."""
    drawn = memory(reads=1)
    latents = torch.full((50, 200), 0.5)
    pairs = [(drawn.read(latents), drawn.read(-latents)) for _ in range(20)]
    direct = SISTER_CHIP.sample(GEOMETRY, torch.Generator().manual_seed(4), 1000)

    for state, conductances in enumerate((direct.low, direct.high)):
        ours = torch.cat([pair[state].ravel() for pair in pairs])
        theirs = signed(conductances, 1.0, SISTER_CHIP.window, Encoding.SINGLE_ENDED).ravel()
        # Tails are defects, 2 % each; what is between them are healthy cells.
        for level in (0.003, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97):
            at = torch.quantile(theirs, level)
            assert float((ours <= at).float().mean()) == pytest.approx(level, rel=0.2, abs=0.004)


def test_a_bad_column_is_a_stretch_of_consecutive_weights():
    """Columns that are shorts from end to end: every run of bad weights has whole columns."""
    lines = replace(NO_DEFECTS, column_rate={CellClass.SHORT: 0.05}, line_fill=1.0)

    weights = memory(lines).read(torch.ones(100, 70)).ravel()

    bad = torch.nn.functional.pad((weights > 2).int(), (1, 1))
    starts, ends = (bad.diff() == 1).nonzero(), (bad.diff() == -1).nonzero()
    lengths = (ends - starts).ravel()[1:-1]  # the first and the last may be cut
    assert len(lengths) > 3
    assert torch.all(lengths % GEOMETRY.rows == 0)


def test_a_cell_that_does_not_switch_gets_no_gradient():
    """Where both states of a cell are one, the latent decides nothing and learns nothing."""
    stuck = replace(NO_DEFECTS, point_rates={CellClass.STUCK_LOW: 0.3})
    cells = memory(stuck).cells(torch.empty(30, 40))
    latents = (
        torch.rand(30, 40, generator=torch.Generator().manual_seed(5)) - 0.5
    ).requires_grad_()

    weights = cells.read(latents)
    weights.sum().backward()

    dead = (cells.half == 0).view_as(latents)
    assert 0.1 < float(dead.float().mean()) < 0.6
    assert torch.all(latents.grad[dead] == 0)
    assert torch.all(latents.grad[~dead] > 0.5)
    assert torch.equal(cells.read(-latents)[dead], weights[dead])


def test_perfect_cells_hold_the_signs():
    """Without spread and defects a read gives the signs and passes the gradient as it is."""
    perfect = replace(NO_DEFECTS, healthy_low_spread=0.0, healthy_high_spread=0.0)
    latents = torch.randn(7, 3, 5, 5, generator=torch.Generator().manual_seed(6))

    torch.testing.assert_close(memory(perfect).read(latents), torch.sign(latents))


def test_what_is_beyond_the_bound_is_left_out():
    """Shorts and opens count as zero, healthy cells as ever."""
    population = replace(SISTER_CHIP, column_rate={CellClass.SHORT: 0.2})
    latents = torch.ones(100, 70)

    bounded, unbounded = (memory(population, bound=b).read(latents) for b in (2.0, None))

    beyond = unbounded.abs() > 2.0
    assert beyond.float().mean() > 0.05
    torch.testing.assert_close(bounded, torch.where(beyond, 0.0, unbounded))


def test_the_same_seed_gives_the_same_reads_and_no_two_reads_are_alike():
    """Across the draw of new dies as well."""
    latents = torch.ones(20, 30)
    first, second = memory(reads=3), memory(reads=3)
    reads = [first.read(latents) for _ in range(7)]

    assert all(torch.equal(each, second.read(latents)) for each in reads)
    assert not any(torch.equal(one, other) for one, other in pairwise(reads))
    assert not torch.equal(memory(seed=4).read(latents), reads[0])


@pytest.mark.parametrize("settings", [{"reads": 0}, {"bound": 0.5}, {"bound": float("nan")}])
def test_settings_that_mean_nothing_are_refused(settings):
    with pytest.raises(ConfigurationError, match="Statistics-aware weights"):
        memory(**settings)


def test_a_network_learns_on_cells_that_are_others_at_each_step():
    """Digits, with one cell in ten stuck: it knows them on dies that it has never met."""
    images = load_image_set("digits")
    stuck = {CellClass.STUCK_LOW: 0.05, CellClass.STUCK_HIGH: 0.05}
    population = replace(NO_DEFECTS, point_rates=stuck)
    generator = torch.Generator().manual_seed(7)
    model = mnist_mlp(generator, inputs=100, hidden=(60,))
    shared, unseen = memory(population), memory(population, seed=8)

    with held_in(model, lambda latents: shared):
        fit(model, images, FitPlan(epochs=8, batch=64), generator)

    for _ in range(5):
        with held_in(model, unseen.cells):
            assert accuracy(model, images) > 0.75


def test_fixed_cells_are_a_die_to_train_for():
    """Weights trained on one die's cells do better there than weights trained on perfect ones."""
    images = load_image_set("digits")
    shorts = replace(SISTER_CHIP, point_rates={CellClass.SHORT: 0.05})
    drawn = memory(shorts)
    generator = torch.Generator().manual_seed(9)
    model = mnist_mlp(generator, inputs=100, hidden=(60,))
    die = {}

    def cells(latents) -> FixedCells:
        return die.setdefault(latents.shape, drawn.cells(latents))

    fit(model, images, FitPlan(epochs=5, batch=64), generator)
    with held_in(model, cells):
        before = accuracy(model, images)
        fit(model, images, FitPlan(epochs=5, batch=64), generator)
        after = accuracy(model, images)

    assert after > before + 0.03
