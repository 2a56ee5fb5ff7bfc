"""Dies drawn all at once beside dies drawn cell by cell, as the population's words say it."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import ks_2samp, ttest_ind

from crossbar.defect_map import CellClass
from crossbar.geometry import DieGeometry
from physics.defects import LINE_CLASSES, SISTER_CHIP, WEAK_WINDOW

GEOMETRY = DieGeometry(subarrays=2, rows=5, columns=4)
DIES = 1500
POPULATION = replace(
    SISTER_CHIP,
    point_rates={each: 0.04 for each in CellClass if each is not CellClass.HEALTHY},
    row_rate={CellClass.OPEN: 0.08},
    column_rate={CellClass.SHORT: 0.1, CellClass.OPEN: 0.05},
    line_fill=0.7,
)
LIKELY = 1e-4
"""p-value below which two samples are not of one distribution."""


def one_die(random):
    """(subarrays, rows, columns) classes, LOW and HIGH conductances."""
    classes = np.zeros(GEOMETRY.shape, dtype=int)
    rates = {
        each: rate * random.gamma(POPULATION.dispersion) / POPULATION.dispersion
        for each, rate in POPULATION.point_rates.items()
    }
    for cell in np.ndindex(GEOMETRY.shape):
        place = random.uniform()
        for each, rate in rates.items():
            if 0 <= place < rate:
                classes[cell] = each
            place -= rate
    for each in LINE_CLASSES:
        for subarray in range(GEOMETRY.subarrays):
            for row in range(GEOMETRY.rows):
                fail(classes[subarray, row], each, POPULATION.row_rate, random)
            for column in range(GEOMETRY.columns):
                fail(classes[subarray, :, column], each, POPULATION.column_rate, random)
    pairs = np.array([conductances(each, random) for each in classes.ravel()])
    return classes, *(pairs[:, state].reshape(classes.shape) for state in (0, 1))


def fail(line, cell_class, rates, random):
    if random.uniform() < rates.get(cell_class, 0.0):
        for cell in range(len(line)):
            if random.uniform() < POPULATION.line_fill:
                line[cell] = cell_class


def conductances(cell_class, random):
    """Of one cell, LOW and HIGH."""
    if cell_class in (CellClass.SHORT, CellClass.OPEN):
        short = cell_class == CellClass.SHORT
        nodes = POPULATION.short_conductance if short else POPULATION.open_conductance
        found = np.interp(random.uniform(), np.linspace(0, 1, len(nodes)), nodes)
        return found, found
    first, second = random.normal(size=2)
    common = POPULATION.healthy_correlation
    second = common * first + math.sqrt(1 - common**2) * second
    low = math.exp(POPULATION.healthy_low_spread * first)
    high = POPULATION.window * math.exp(POPULATION.healthy_high_spread * second)
    if cell_class == CellClass.STUCK_LOW:
        return low, low
    if cell_class == CellClass.STUCK_HIGH:
        return high, high
    if cell_class == CellClass.WEAK:
        return low, low * (1 - random.uniform(*WEAK_WINDOW) * (1 - POPULATION.window))
    return low, high


@pytest.fixture(scope="module")
def samples():
    """Classes, LOW and HIGH, (dies, subarrays, rows, columns) each: at once, and cell by cell."""
    drawn = POPULATION.sample(GEOMETRY, torch.Generator().manual_seed(1), DIES)
    random = np.random.default_rng(2)
    slow = zip(*(one_die(random) for _ in range(DIES)), strict=True)
    return (
        [each.numpy() for each in (drawn.classes, drawn.low, drawn.high)],
        [np.stack(each) for each in slow],
    )


@pytest.mark.parametrize("cell_class", list(CellClass))
def test_cells_of_a_class_are_as_many(samples, cell_class):
    """On a die, squared on a die, and squared in rows and in columns, where lines fail as one."""
    found = []
    for classes, *_ in samples:
        chosen = classes == int(cell_class)
        rows, columns = ((chosen.sum(axis) ** 2).sum((1, 2)) for axis in (3, 2))
        cells = chosen.sum((1, 2, 3))
        found.append((cells, cells**2, rows, columns))
    for fast, slow in zip(*found, strict=True):
        assert ttest_ind(fast, slow, equal_var=False).pvalue > LIKELY


@pytest.mark.parametrize("cell_class", list(CellClass))
def test_cells_of_a_class_conduct_alike(samples, cell_class):
    """LOW, HIGH, and what is between them in one cell."""
    found = []
    for classes, low, high in samples:
        chosen = classes == int(cell_class)
        found.append((low[chosen], high[chosen], low[chosen] - high[chosen]))
    for fast, slow in zip(*found, strict=True):
        assert len(fast) > 500
        assert ks_2samp(fast, slow).pvalue > LIKELY
