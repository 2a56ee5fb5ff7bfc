"""What a telegraph adds to ln R when it is high, seen through white noise.

In the weak RESET model (Majumdar et al., IEEE TED 2021) each pulse draws the level anew: the
product of two uniform numbers times the cell's own largest level. Here are its densities with
normal noise of standard deviation 1 on top, tabulated once. Free of torch.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from scipy.special import ndtr, xlogy

Values = NDArray[np.float64]
LARGEST = 200.0
"""Largest level over noise in the tables. Ours: 2.0 of ln R at 1 % of noise."""
MARGIN = 8.0
"""Standard deviations by which the tables reach beyond the levels."""
STEPS = (40, 400)
"""Points of the tables over the largest level, and over the value."""
NODES = 400
"""Levels that the integrals are made with."""


@dataclass(frozen=True, kw_only=True)
class LevelsSeen:
    """Of the same shape as the values."""

    log_density: Values
    mean: Values
    """Of the level over the largest one, once the value has been seen."""
    square: Values
    """Mean square of the same."""


def levels_seen(value: Values, largest: Values) -> LevelsSeen:
    """What values tell, for cells whose largest level is ``largest``; both over the noise."""
    at, beyond = _places(value, largest)
    log_density, mean, square = (_looked_up(table, at) for table in _tables()[:3])
    # Beyond the table the nearest level's normal tail goes on.
    return LevelsSeen(
        log_density=log_density - beyond * (MARGIN + beyond / 2), mean=mean, square=square
    )


def fraction_below(value: Values, largest: Values) -> Values:
    """The fraction of values that are lower than this one."""
    return _looked_up(_tables()[3], _places(value, largest)[0])


def _places(value: Values, largest: Values) -> tuple[Values, Values]:
    """Where in the tables values stand, and by how much they lie beyond."""
    largest = np.clip(largest, 0.0, LARGEST)
    span = largest + 2 * MARGIN
    share = (value + MARGIN) / span
    inside = np.clip(share, 0.0, 1.0)
    row = np.arcsinh(largest) / np.arcsinh(LARGEST) * (STEPS[0] - 1)
    at = np.stack(np.broadcast_arrays(row, inside * (STEPS[1] - 1)))
    return at, np.abs(share - inside) * span


def _looked_up(table: Values, at: Values) -> Values:
    return np.asarray(map_coordinates(table, at, order=1, mode="nearest"))


@cache
def _tables() -> tuple[Values, Values, Values, Values]:
    """Logarithm of the density, mean and mean square of the level, fraction below.

    Each (largest levels, values); values run from -MARGIN to the largest level + MARGIN.
    """
    # The product of two uniform numbers lies below x with probability x - x ln x.
    edges = np.linspace(0.0, 1.0, NODES + 1) ** 1.5
    reached = edges - xlogy(edges, edges)
    level, weight = (edges[1:] + edges[:-1]) / 2, np.diff(reached)
    rows = []
    for most in np.sinh(np.linspace(0.0, np.arcsinh(LARGEST), STEPS[0])):
        value = np.linspace(-MARGIN, most + MARGIN, STEPS[1])
        away = value[:, None] - most * level
        density = np.exp(-(away**2) / 2) / np.sqrt(2 * np.pi) * weight
        whole = density.sum(1)
        columns = (np.log(whole), density @ level / whole, density @ level**2 / whole)
        rows.append((*columns, ndtr(away) @ weight))
    log_density, mean, square, below = (np.array(column) for column in zip(*rows, strict=True))
    return log_density, mean, square, below
