"""Where things are: dies on the wafer, cells on the die.

Dies follow SEMI E142: origin lower left, x to the right, y up. On a die, ``row`` is the word line
and ``column`` the bit line; large dies are split into sub-arrays. Functions that handle many cells
take flat indices, ``numpy`` arrays of shape (n,), with the column running fastest.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossbar.errors import ConfigurationError

CellIndices = NDArray[np.intp]
"""(n,) flat indices of cells on a die."""


@dataclass(frozen=True, slots=True, order=True)
class DieAddress:
    """A die on the wafer, in die pitches from the wafer map's origin."""

    x: int
    y: int

    def __str__(self) -> str:
        return f"({self.x}, {self.y})"


@dataclass(frozen=True, slots=True, order=True)
class CellAddress:
    """A cell on its die."""

    subarray: int
    row: int
    """Word line."""
    column: int
    """Bit line."""

    def __str__(self) -> str:
        return f"{self.subarray}:{self.row}:{self.column}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DieGeometry:
    """How a die is divided. The default is the 20,000-cell die: four arrays of 100 x 50."""

    subarrays: int = 4
    rows: int = 100
    columns: int = 50

    @property
    def shape(self) -> tuple[int, int, int]:
        """(subarrays, rows, columns), the shape of every array that has one number a cell."""
        return (self.subarrays, self.rows, self.columns)

    @property
    def cells(self) -> int:
        """Number of cells on the die."""
        return self.subarrays * self.rows * self.columns

    def index(self, cell: CellAddress) -> int:
        """Flat index of a cell. Raises ConfigurationError for an address outside the die."""
        for name, value, bound in zip(
            ("subarray", "row", "column"),
            (cell.subarray, cell.row, cell.column),
            self.shape,
            strict=True,
        ):
            if not 0 <= value < bound:
                raise ConfigurationError(
                    f"Cell {cell} does not exist: {name} must be 0 to {bound - 1} on this die "
                    f"({self.subarrays} sub-arrays of {self.rows} x {self.columns})."
                )
        return (cell.subarray * self.rows + cell.row) * self.columns + cell.column

    def address(self, index: int) -> CellAddress:
        """Address of the cell with this flat index."""
        self.check(np.asarray([index]))
        rest, column = divmod(int(index), self.columns)
        subarray, row = divmod(rest, self.rows)
        return CellAddress(subarray, row, column)

    def check(self, cells: CellIndices) -> CellIndices:
        """Return flat indices as they are, or raise ConfigurationError if one is off the die."""
        if len(cells) and (int(np.min(cells)) < 0 or int(np.max(cells)) >= self.cells):
            raise ConfigurationError(
                f"Cells {int(np.min(cells))} to {int(np.max(cells))} were asked for, but this die "
                f"has cells 0 to {self.cells - 1}."
            )
        return cells
