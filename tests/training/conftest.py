"""A small die, a mapped defective die of the same kind, and a quickly trained network."""

import numpy as np
import pytest
import torch

from crossbar.defect_map import DefectMap, DefectThresholds
from crossbar.geometry import DieGeometry
from physics.defects import SISTER_CHIP
from training.calibration import Calibration
from training.datasets import Dataset, load_dataset
from training.ideal_store import IdealStore
from training.loop import train
from training.placement import Placement
from training.recipe import Schedule
from training.solution import Solution

LOW = 200e-6
"""Siemens."""
BOUND = 1.3


@pytest.fixture(scope="session")
def digits() -> Dataset:
    return load_dataset("digits")


@pytest.fixture(scope="session")
def placement() -> Placement:
    """Two sub-arrays: 50 hidden units, five copies of each output."""
    return Placement(geometry=DieGeometry(subarrays=2), hidden=50, rows_at_once=20)


@pytest.fixture(scope="session")
def schedule() -> Schedule:
    return Schedule(epochs=6, batch=64, latent_rate=0.02, digital_rate=0.01)


@pytest.fixture(scope="session")
def calibration() -> Calibration:
    return Calibration(median_low=LOW, median_high=LOW * SISTER_CHIP.window, read_amplitude=0.1)


@pytest.fixture(scope="session")
def defect_map(placement, calibration) -> DefectMap:
    """A die drawn from the population of defects."""
    drawn = SISTER_CHIP.sample(placement.geometry, torch.Generator().manual_seed(5))
    return DefectMap(
        classes=drawn.classes[0].numpy(),
        low=drawn.low[0].numpy().astype(np.float64) * LOW,
        high=drawn.high[0].numpy().astype(np.float64) * LOW,
        median_low=calibration.median_low,
        median_high=calibration.median_high,
        lines=(),
        thresholds=DefectThresholds(),
    )


@pytest.fixture(scope="session")
def ideal(digits, placement, schedule) -> Solution:
    """Trained as if there were no defects."""
    store = IdealStore(window=SISTER_CHIP.window)
    return train(digits, store, placement, schedule, bound=BOUND, trained="ideal", seed=1)
