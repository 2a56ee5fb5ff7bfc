"""Rows and columns that fail as a whole, found among the classes of cells. Free of torch."""

import numpy as np
from numpy.typing import NDArray

from crossbar.defect_map import CellClass, LineDefect

LINE_CLASSES = (CellClass.OPEN, CellClass.SHORT)
"""What a broken or bridged line makes of its cells."""


def find_lines(classes: NDArray[np.int8], fraction: float) -> tuple[LineDefect, ...]:
    """Lines more than ``fraction`` of whose cells are OPEN, or are SHORT.

    ``classes`` is (subarrays, rows, columns). The fullest line is taken first, and its cells then
    no longer speak against the lines that cross it: fifteen broken columns of fifty put 30 % of
    opens into every row, and yet no row is broken. A broken row *and* column are both found. In a
    tie the column wins: columns carry the selectors' gates, and in measured dies it is they that
    fail (doi 10.1038/s41467-025-56319-6, published maps). `LineDefect.cells` counts all cells of
    the class on the line, those on a crossing included. Ours.
    """
    return tuple(
        line
        for subarray, cells in enumerate(classes)
        for cell_class in LINE_CLASSES
        for line in lines_of_class(cells == cell_class, fraction, subarray, cell_class)
    )


def lines_of_class(
    defective: NDArray[np.bool_], fraction: float, subarray: int, cell_class: CellClass
) -> list[LineDefect]:
    """Defective lines of one class in one sub-array, the fullest first."""
    unexplained = defective.copy()
    found: list[LineDefect] = []
    while True:
        fullness = {"column": unexplained.mean(axis=0), "row": unexplained.mean(axis=1)}
        axis = max(fullness, key=lambda name: float(fullness[name].max()))  # first one in a tie
        index = int(fullness[axis].argmax())
        if not fullness[axis][index] > fraction:
            return found
        line = (slice(None), index) if axis == "column" else (index, slice(None))
        found.append(
            LineDefect(
                subarray=subarray,
                axis=axis,
                index=index,
                cell_class=cell_class,
                cells=int(np.count_nonzero(defective[line])),
            )
        )
        unexplained[line] = False


def on_lines(shape: tuple[int, ...], lines: tuple[LineDefect, ...]) -> NDArray[np.bool_]:
    """(subarrays, rows, columns) True for every cell of a defective line, healthy ones too."""
    covered = np.zeros(shape, dtype=bool)
    for line in lines:
        plane = covered[line.subarray]
        if line.axis == "column":
            plane[:, line.index] = True
        else:
            plane[line.index, :] = True
    return covered
