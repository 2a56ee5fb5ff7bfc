"""Which cells of a die a protocol looks at, where it does not look at all of them."""

from collections.abc import Sequence

import numpy as np

from crossbar.errors import ConfigurationError
from crossbar.geometry import CellAddress, CellIndices, DieGeometry


def chosen_cells(names: Sequence[str], sample: int, geometry: DieGeometry) -> CellIndices:
    """(n,) flat indices: the cells named as "subarray:row:column", or, where none is named, a
    sample spread over rows and columns. Raises ConfigurationError for what is no cell.
    """
    if names:
        return np.array([geometry.index(_parse_cell(text)) for text in names], np.intp)
    count = min(sample, geometry.cells)
    stride = geometry.cells / count
    spread = (np.arange(count) * stride + np.arange(count) % max(1, int(stride))).astype(np.intp)
    return np.minimum(spread, geometry.cells - 1)


def _parse_cell(text: str) -> CellAddress:
    try:
        subarray, row, column = (int(part) for part in text.split(":"))
    except ValueError:
        raise ConfigurationError(
            f"{text!r} is not a cell; write subarray:row:column, for example 0:3:17."
        ) from None
    return CellAddress(subarray, row, column)
