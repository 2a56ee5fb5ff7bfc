"""A torch model that trains on two simulated dies, through drivers and bytes."""

import numpy as np
import pytest
import torch
from torch import nn

from crossbar.errors import ConfigurationError
from crossbar.geometry import DieAddress, DieGeometry
from training.binary_layers import BinaryActivation, BinaryConv2d, BinaryLinear
from training.classifier import FitPlan, accuracy, fit
from training.die_bits import shapes_of
from training.image_sets import load_image_set
from training.tiled_loop import TiledLoop
from training.tiling import all_columns, tiled

DIES = [DieAddress(0, 0), DieAddress(1, 0)]
THRESHOLDS = dict.fromkeys(DIES, 1.4e-4)


@pytest.fixture
def model():
    generator = torch.Generator().manual_seed(4)
    return nn.Sequential(
        BinaryConv2d(1, 8, 3, generator), nn.BatchNorm2d(8), BinaryActivation(), nn.Flatten(),
        BinaryLinear(512, 40, generator), nn.BatchNorm1d(40), BinaryActivation(),
        BinaryLinear(40, 10, generator), nn.BatchNorm1d(10),
    )  # fmt: skip


@pytest.fixture
def tiling(model):
    return tiled(shapes_of(model), {die: all_columns(DieGeometry()) for die in DIES}, DieGeometry())


def test_a_model_trains_with_its_weights_on_two_dies(model, tiling, bench_of):
    """What it computes with is what the cells hold, and no cell passes its bound."""
    images = load_image_set("digits").part(train=600, test=300)
    generator = torch.Generator().manual_seed(1)
    with bench_of(seed=5) as bench:
        wafer = bench.simulation.station.wafer
        loop = TiledLoop(model, tiling, bench.contacted, THRESHOLDS, pulses_per_cell=12)
        loop.program()
        plan = FitPlan(epochs=4, batch=50, rate=0.01)
        fit(model, images, plan, generator, after_step=loop)
        found = {die: wafer.die(die).low for die in DIES}
        given = {die: wafer.die(die).pulses_given for die in DIES}
        switches = {die: wafer.die(die).truth.switches for die in DIES}

    assert accuracy(model, images) > 0.8
    for die in DIES:
        sound = loop.used[die][switches[die][loop.used[die]]]
        # Weak cells may read as the other state than theirs.
        assert np.mean(loop.low[die][sound] == found[die][sound]) > 0.98
        assert np.array_equal(loop.given[die], given[die])
        assert 4 < given[die].max() <= 12
    held = tiling.weights_of(loop.low)
    assert np.array_equal(model[4].memory.weights.numpy(), held["4"])


def test_bounds_that_allow_no_write_are_refused(model, tiling, bench_of):
    """One write may take four pulses."""
    with (
        bench_of() as bench,
        pytest.raises(ConfigurationError, match="pulses_per_cell 3 refused"),
    ):
        TiledLoop(model, tiling, bench.contacted, THRESHOLDS, pulses_per_cell=3)
