"""The blocks that the die board takes: selected cells, and arrays of numbers, little-endian."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossbar.geometry import CellIndices

LIST_ENTRY = np.dtype([("amplitude", "<f4"), ("width", "<f4"), ("attempts", "<u4")])
"""What ``ATTempt:LIST`` takes for each cell."""


def block(values: NDArray[Any]) -> bytes:
    """Values as a definite-length block, IEEE 488.2 ``#<digits><length><bytes>``."""
    data = values.tobytes()
    length = str(len(data)).encode()
    return b"#%d%s%s" % (len(length), length, data)


def selection(cells: CellIndices, total: int) -> bytes:
    """The shortest command that selects these cells, in this order: a bit mask, or their list."""
    if len(cells) == total and _ascending(cells):
        return b"SEL:ALL"
    if 4 * len(cells) > total / 8 and _ascending(cells):
        mask = np.zeros(total, dtype=np.uint8)
        mask[cells] = 1
        return b"SEL:MASK " + block(np.packbits(mask, bitorder="little"))
    return b"SEL:CELL " + block(np.asarray(cells).astype("<u4"))


def _ascending(cells: CellIndices) -> bool:
    return bool(np.all(np.diff(cells) > 0))
