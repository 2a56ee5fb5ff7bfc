"""Dies made of measured conductance maps: real defects and conductances, modelled switching.

A map is a kernel of rows x columns, read back after several independent programmings. What is bad
in all of them is bad for ever:

- above 300 uS in every programming: a short, at its median conductance;
- below 40 uS in every programming: open, at its median conductance, at least zero (the published
  bench reads -12 to 25 uS where nothing conducts, and nothing between 30 and 50 uS; the customary
  threshold of 10 uS finds only half of the cells of what then are seen to be whole open columns);
- otherwise it switches. Readings below 188 uS (midway between the maps' two clusters) are taken as
  HIGH, those above as LOW; each state has the median of its readings. A state that was never seen
  follows from the other one by the clusters' ratio, with the population's spread of the window.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from crossbar.defect_map import CellClass
from crossbar.errors import ConfigurationError, DataError
from crossbar.geometry import DieAddress, DieGeometry
from crossbar.units import Siemens
from physics.die_truth import READ_VOLTAGE, DieTruth, die_seed
from physics.draws import content, keys
from physics.mtj import MtjPopulation, tmr_without_bias

SHORT_ABOVE: Siemens = 300e-6
OPEN_BELOW: Siemens = 40e-6
LOW_ABOVE: Siemens = 188e-6
MEASURED_LOW: Siemens = 238.5e-6
MEASURED_HIGH: Siemens = 137.1e-6
"""Centres of the two clusters (Yousuf et al., Nat. Commun. 2025, open data)."""

FloatArray = NDArray[np.float64]


def twin_die(
    kernels: Mapping[str, FloatArray],
    *,
    geometry: DieGeometry,
    seed: int,
    address: DieAddress,
    population: MtjPopulation | None = None,
) -> DieTruth:
    """Tile measured kernels over a die.

    ``kernels``: name to (programmings, rows, columns) Siemens. Each sub-array is covered by kernels
    in random order, all of them before one comes twice, and flipped at random along both axes, so
    that columns stay columns; a single kernel that is the whole sub-array stays as it is. Switching
    parameters are drawn from ``population``.

    Raises DataError for kernels of different or wrong shapes, ConfigurationError if they do not
    tile the sub-array.
    """
    population = population or MtjPopulation()
    start = die_seed(seed, address)
    generator = np.random.default_rng(int(keys(start, content("twin"))[0]))
    maps = tile(stacked(kernels), geometry, generator)
    cells = population.sample(geometry.cells, generator)
    classes = classify(maps)
    fixed = np.where(classes == CellClass.HEALTHY, np.nan, np.maximum(np.median(maps, axis=0), 0))
    low, high = both_states(maps, population, generator)
    return DieTruth(
        classes=classes,
        cells=replace(
            cells,
            r_p=1 / low,
            tmr=tmr_without_bias(low / high - 1, READ_VOLTAGE, cells.v_half),
        ),
        fixed=fixed,
        median_low=float(np.median(low[classes == CellClass.HEALTHY])),
        read_noise=population.read_noise,
        laws=population.laws,
        anomalies=population.anomalies,
    )


def stacked(kernels: Mapping[str, FloatArray]) -> FloatArray:
    """(kernels, programmings, rows, columns), in the order of their names."""
    shapes = {name: np.shape(maps) for name, maps in kernels.items()}
    if len(set(shapes.values())) != 1 or len(next(iter(shapes.values()))) != 3:
        raise DataError(
            f"Measured kernels of shapes {shapes} cannot make a die: at least one is needed, all "
            "of one shape (programmings, rows, columns). Check the folder of measured maps."
        )
    together = np.stack([kernels[name] for name in sorted(kernels)]).astype(np.float64)
    if not np.isfinite(together).all():
        raise DataError("A measured kernel holds numbers that are not finite. Check its file.")
    return together


def tile(maps: FloatArray, geometry: DieGeometry, generator: np.random.Generator) -> FloatArray:
    """(programmings, cells): kernels (kernels, programmings, rows, columns) over a whole die."""
    count, programmings, rows, columns = maps.shape
    if geometry.rows % rows or geometry.columns % columns:
        raise ConfigurationError(
            f"Kernels of {rows} x {columns} cells do not tile sub-arrays of {geometry.rows} x "
            f"{geometry.columns}. Choose a geometry of whole kernels."
        )
    down, across = geometry.rows // rows, geometry.columns // columns
    whole = np.empty((programmings, *geometry.shape))
    may_turn = count * down * across > 1
    for subarray in range(geometry.subarrays):
        rounds = -(-down * across // count)
        order = np.concatenate([generator.permutation(count) for _ in range(rounds)])
        for place, kernel in enumerate(order[: down * across]):
            top, left = place // across * rows, place % across * columns
            flip = tuple(slice(None, None, -1 if turned else 1) for turned in generator.integers(
                0, 1 + may_turn, 2))  # fmt: skip
            whole[:, subarray, top : top + rows, left : left + columns] = maps[kernel][:, *flip]
    return whole.reshape(programmings, -1)


def classify(maps: FloatArray) -> NDArray[np.int8]:
    """(cells,) HEALTHY, SHORT or OPEN, from (programmings, cells)."""
    classes = np.full(maps.shape[1], CellClass.HEALTHY, dtype=np.int8)
    classes[(maps > SHORT_ABOVE).all(axis=0)] = CellClass.SHORT
    classes[(maps < OPEN_BELOW).all(axis=0)] = CellClass.OPEN
    return classes


def both_states(
    maps: FloatArray, population: MtjPopulation, generator: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """(cells,) LOW and HIGH conductances; the clusters' own where a cell does not switch."""
    low = _median(maps, (maps > LOW_ABOVE) & (maps <= SHORT_ABOVE))
    high = _median(maps, (maps >= OPEN_BELOW) & (maps <= LOW_ABOVE))
    low[np.isnan(low) & np.isnan(high)] = MEASURED_LOW
    spread = np.exp(population.tmr_spread * generator.standard_normal(len(low)))
    window = 1 + (MEASURED_LOW / MEASURED_HIGH - 1) * spread
    low = np.where(np.isnan(low), high * window, low)
    return low, np.where(np.isnan(high), low / window, high)


def _median(maps: FloatArray, chosen: NDArray[np.bool_]) -> FloatArray:
    """(cells,) median of the chosen readings; NaN where there is none."""
    ranked = np.sort(np.where(chosen, maps, np.inf), axis=0)
    number = chosen.sum(axis=0)
    middle = np.stack([np.maximum(number - 1, 0) // 2, number // 2 % len(maps)])
    median = np.take_along_axis(ranked, middle, axis=0).mean(axis=0)
    return np.where(number > 0, median, np.nan)
