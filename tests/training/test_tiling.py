"""Where weights are: every weight once, in a cell of its own, and back again."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import unfold

from crossbar.defect_map import CellClass
from crossbar.errors import ConfigurationError
from crossbar.geometry import DieAddress, DieGeometry
from training.binary_layers import BinaryConv2d, BinaryLinear
from training.column_calibration import PERFECT
from training.column_sums import currents_of_cells, hidden_sums
from training.defect_aware_store import DEAD
from training.die_bits import hold, shapes_of, signs_of
from training.encoding import Encoding
from training.tiling import all_columns, sound_columns, tiled, tiling_of

SMALL = DieGeometry(subarrays=2, rows=16, columns=12)
DIES = [DieAddress(0, 0), DieAddress(1, 0), DieAddress(0, 1), DieAddress(1, 1)]


@pytest.fixture
def model():
    """A convolution of more inputs than rows, and a dense layer: 2 x 5 and 3 x 10 columns."""
    generator = torch.Generator().manual_seed(2)
    return nn.Sequential(
        BinaryConv2d(2, 5, 3, generator), nn.ReLU(), nn.Flatten(), BinaryLinear(45, 10, generator)
    )


@pytest.fixture(params=Encoding)
def tiling(request, model):
    usable = {die: all_columns(SMALL) for die in DIES[: 2 * request.param.cells_a_weight]}
    usable[DIES[0]][1, 3] = False
    return tiled(shapes_of(model), usable, SMALL, request.param)


def test_weights_come_back_from_the_states_of_the_cells(tiling, model):
    """Of both layers, in both encodings, over several dies."""
    signs = signs_of(model)

    found = tiling.weights_of(tiling.states_for(signs))

    assert list(found) == ["0", "3"]
    assert all(np.array_equal(found[name], signs[name]) for name in signs)
    assert len({int(die) for layer in tiling.layers for die in layer.die}) > 1


def test_no_cell_has_two_weights_and_skipped_columns_have_none(tiling):
    """And all of a weight's cells are neighbours in a row."""
    cells = np.concatenate([
        layer.die[:, None].astype(np.int64) * SMALL.cells + layer.cells for layer in tiling.layers
    ])  # fmt: skip
    width = tiling.encoding.cells_a_weight

    assert len(np.unique(cells)) == cells.size == width * (5 * 18 + 45 * 10)
    assert np.array_equal(cells[:, -1], cells[:, 0] + width - 1)
    here = tiling.used(DIES[0])
    addresses = [SMALL.address(cell) for cell in here]
    assert not [each for each in addresses if (each.subarray, each.column) == (1, 3)]


def test_a_convolution_s_rows_are_driven_by_its_window(tiling, model):
    """The analog sums of the columns, stretch by stretch, are the convolution."""
    states = tiling.states_for(signs_of(model))
    image = torch.rand((1, 2, 5, 5), generator=torch.Generator().manual_seed(1))
    windows = unfold(image, 3)[0].double().numpy()  # (inputs x kernel, places)
    layer = tiling.layers[0]
    sums = np.zeros((5, windows.shape[1]))
    for weight, (die, cells) in enumerate(zip(layer.die, layer.cells, strict=True)):
        low = states[tiling.dies[die]][cells].astype(np.float64)
        value = low[0] - low[1] if len(low) == 2 else 2 * low[0] - 1
        output, place = divmod(weight, 18)
        assert SMALL.address(int(cells[0])).row == place % SMALL.rows
        sums[output] += value * windows[place]

    assert np.allclose(sums, model[0](image).detach().numpy().reshape(5, -1), atol=1e-5)


def test_a_model_computes_with_what_the_cells_hold(tiling, model):
    """A cell in the wrong state is a wrong weight, and the gradient still reaches the latents."""
    states = tiling.states_for(signs_of(model))
    layer = tiling.layers[1]
    states[tiling.dies[layer.die[7]]][layer.cells[7, 0]] ^= True
    hold(model, tiling.weights_of(states))

    weights = model[3].memory.read(model[3].latents)
    weights.sum().backward()

    assert int((weights != torch.from_numpy(signs_of(model)["3"])).sum()) == 1
    assert torch.all(model[3].latents.grad == 1)


def test_columns_with_dead_cells_are_left_out(defect_map):
    """At most the share that is allowed."""
    strict = sound_columns(defect_map, DEAD, 0.0)
    dead = np.isin(defect_map.classes, DEAD).any(axis=1)

    assert np.array_equal(strict, ~dead)
    assert strict.sum() < sound_columns(defect_map, DEAD, 0.1).sum()
    assert sound_columns(defect_map, (CellClass.WEAK,), 1.0).all()


def test_what_does_not_fit_is_refused_with_numbers():
    """Two of AlexNet's layers on 36 dies."""
    shapes = {"features": (96, 3, 11, 11), "dense": (4096, 9216)}
    dies = {DieAddress(x, 0): all_columns(DieGeometry()) for x in range(36)}

    with pytest.raises(ConfigurationError, match=r"381,312 single-ended columns .* 1,907 such"):
        tiled(shapes, dies, DieGeometry())


def test_the_two_layer_network_is_laid_out_as_its_placement_says(ideal):
    """Columns of layer 1, added up by hand, are what the network's own arithmetic finds."""
    place = ideal.placement
    tiling = tiling_of(place, DIES[0])
    used = tiling.used(DIES[0])
    weights = tiling.weights_of({DIES[0]: ideal.target_low.ravel()})
    cells = np.where(ideal.target_low, 1.0, 0.5)
    images = np.random.default_rng(1).random((4, 100)).astype(np.float32)
    sums = hidden_sums(currents_of_cells(cells, ideal), ideal, images, PERFECT)

    assert np.array_equal(used, np.flatnonzero(place.used))
    assert weights["hidden"].shape == (50, 100)
    assert weights["output"].shape == (5, 10, 100)
    assert np.allclose(images @ weights["hidden"].T, sums, atol=1e-4)
