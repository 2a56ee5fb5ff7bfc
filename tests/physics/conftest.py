"""A small die of identical cells, for tests that need known odds."""

from dataclasses import fields

import numpy as np
import pytest

from crossbar.defect_map import CellClass
from crossbar.geometry import DieGeometry
from physics.die_truth import DieTruth
from physics.mtj import MtjCells, MtjPopulation
from physics.mtj_die import MtjDie

GEOMETRY = DieGeometry(subarrays=1, rows=100, columns=50)


@pytest.fixture
def uniform_die():
    """Make a die of 5,000 identical cells; ``classes`` and ``fixed`` by cell where given."""

    def make(*, read_noise=0.005, classes=None, fixed=None, seed=1, **changes):
        population = MtjPopulation(**changes)
        sound = {"back_hopping_voltage": np.inf, "ballooning_height": 0.0}
        one = {
            f.name: np.full(GEOMETRY.cells, sound.get(f.name, getattr(population, f.name, None)))
            for f in fields(MtjCells)
        }
        truth = DieTruth(
            classes=np.full(GEOMETRY.cells, CellClass.HEALTHY, dtype=np.int8),
            cells=MtjCells(**one),
            fixed=np.full(GEOMETRY.cells, np.nan),
            median_low=population.median_low,
            read_noise=read_noise,
            laws=population.laws,
            anomalies=population.anomalies,
        )
        for cell, cell_class in (classes or {}).items():
            truth.classes[cell] = cell_class
        for cell, conductance in (fixed or {}).items():
            truth.fixed[cell] = conductance
        return MtjDie(geometry=GEOMETRY, truth=truth, seed=np.uint64(seed))

    return make
