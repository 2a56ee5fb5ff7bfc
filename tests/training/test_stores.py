"""What every weight store must do, and what each does of its own."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from crossbar.defect_map import CellClass
from crossbar.errors import DataError
from physics.defects import SISTER_CHIP
from training.defect_aware_store import DEAD, DefectAwareStore
from training.ideal_store import IdealStore
from training.statistics_aware_store import StatisticsAwareStore


@pytest.fixture
def latents(placement):
    generator = torch.Generator().manual_seed(3)
    return (torch.rand(placement.geometry.shape, generator=generator) * 2 - 1).requires_grad_()


def drawing_store(placement, seed, dies=3):
    return StatisticsAwareStore(
        population=SISTER_CHIP,
        geometry=placement.geometry,
        generator=torch.Generator().manual_seed(seed),
        dies=dies,
    )


def stores(placement, defect_map):
    return {
        "ideal": IdealStore(window=0.5),
        "defect-aware": DefectAwareStore.of(defect_map),
        "statistics-aware": drawing_store(placement, 1),
    }


@pytest.mark.parametrize("name", ["ideal", "defect-aware", "statistics-aware"])
def test_a_store_gives_one_conductance_a_cell_that_learns(name, placement, defect_map, latents):
    """Whole dies come out, none negative, and raising a latent never lowers a conductance."""
    conductances = stores(placement, defect_map)[name].realize(latents)
    conductances.sum().backward()

    assert conductances.shape[1:] == placement.geometry.shape
    assert conductances.min() >= 0
    assert latents.grad.min() >= 0
    assert latents.grad.max() > 0


def test_an_ideal_die_has_exactly_two_conductances(latents):
    """LOW where the latent is not negative, else the window."""
    conductances = IdealStore(window=0.5).realize(latents)

    assert torch.equal(conductances[0], torch.where(latents >= 0, 1.0, 0.5))


def test_a_healthy_cell_of_a_mapped_die_conducts_what_was_read(defect_map, latents):
    """The reading of the state that the latent's sign writes, over the median LOW conductance."""
    conductances = DefectAwareStore.of(defect_map).realize(latents)[0].detach().numpy()
    healthy = defect_map.classes == CellClass.HEALTHY
    written = np.where(latents.detach().numpy() >= 0, defect_map.low, defect_map.high)

    assert conductances[healthy] == pytest.approx(
        written[healthy] / defect_map.median_low, rel=1e-5
    )


def test_no_gradient_reaches_a_dead_cell(defect_map, latents):
    """Dead cells get exactly zero, even where noise made their two readings differ."""
    noisy = replace(defect_map, low=defect_map.low * 1.01)
    DefectAwareStore.of(noisy).realize(latents).sum().backward()
    dead = torch.from_numpy(np.isin(defect_map.classes, DEAD))

    assert torch.all(latents.grad[dead] == 0)
    assert torch.all(latents.grad[~dead] > 0)


def test_a_die_with_unread_cells_is_refused(defect_map):
    """A reading that is not finite cannot be trained around."""
    low = defect_map.low.copy()
    low[0, 0, 0] = np.nan

    with pytest.raises(DataError, match="1 cells"):
        DefectAwareStore.of(replace(defect_map, low=low))


def test_every_step_draws_new_dies_the_same_for_a_seed(placement, latents):
    """Two steps differ; two stores of one seed give the same steps."""
    store, twin = drawing_store(placement, 7), drawing_store(placement, 7)
    first, second = store.realize(latents), store.realize(latents)

    assert first.shape[0] == 3
    assert not torch.equal(first, second)
    assert torch.equal(first, twin.realize(latents))
    assert torch.equal(second, twin.realize(latents))
