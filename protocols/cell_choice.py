"""Which cells of a die a protocol looks at, where it does not look at all of them."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from crossbar.errors import ConfigurationError
from crossbar.geometry import CellAddress, CellIndices, DieGeometry

SEED = 0
"""Of the columns that are taken in each row, where it has several cells of the sample."""


def chosen_cells(names: Sequence[str], sample: int, geometry: DieGeometry) -> CellIndices:
    """(n,) flat indices: the cells named as "subarray:row:column", or, where none is named, a
    sample spread over rows and columns, the same on every die. Raises ConfigurationError for what
    is no cell, and for a cell named twice.
    """
    if names:
        cells = [geometry.index(_parse_cell(text)) for text in names]
        times = Counter(cells)
        twice = [name for name, cell in zip(names, cells, strict=True) if times[cell] > 1]
        if twice:
            raise ConfigurationError(f"cells has {twice[0]!r} twice; name every cell once.")
        return np.array(cells, np.intp)
    count = min(sample, geometry.cells)
    if count > geometry.cells // geometry.columns:
        return _several_in_a_row(count, geometry)
    stride = geometry.cells / count
    spread = (np.arange(count) * stride + np.arange(count) % max(1, int(stride))).astype(np.intp)
    return np.minimum(spread, geometry.cells - 1)


def _several_in_a_row(count: int, geometry: DieGeometry) -> CellIndices:
    """As many cells in each row as in the others, in columns by chance.

    Any regular step meets some columns more often than others, for some ``count``; and whole
    columns fail together, so that a sample of few of them says less than its number of cells.
    """
    rows = geometry.cells // geometry.columns
    of_row = np.diff(np.arange(rows + 1) * count // rows)
    ranks = np.tile(np.arange(geometry.columns), (rows, 1))
    ranks = np.random.default_rng(SEED).permuted(ranks, axis=1)
    return np.flatnonzero(ranks < of_row[:, None])


def _parse_cell(text: str) -> CellAddress:
    try:
        subarray, row, column = (int(part) for part in text.split(":"))
    except ValueError:
        raise ConfigurationError(
            f"{text!r} is not a cell; write subarray:row:column, for example 0:3:17."
        ) from None
    return CellAddress(subarray, row, column)
