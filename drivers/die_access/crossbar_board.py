"""Cells reached through somebody else's crossbar board, which is spoken to cell by cell.

The board's driver knows the package, the wiring and the units; here is what every such board has in
common. Volts are volts at the cell, column (bit line) minus row, with this project's sign: positive
lowers the resistance.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from crossbar.errors import ConfigurationError
from crossbar.geometry import CellAddress, CellIndices, DieGeometry
from crossbar.ports import Readings
from crossbar.pulses import Pulse
from crossbar.units import Amperes, Volts


class CrossbarBoard(Protocol):
    """A board that reads and pulses one cell of a crossbar by its row and column."""

    @property
    def board_name(self) -> str:
        """For messages."""

    @property
    def reach(self) -> DieGeometry:
        """The largest die that the board's channels reach."""

    def read_cell(self, cell: CellAddress, voltage: Volts) -> tuple[Amperes, bool]:
        """Current at this voltage, and whether the board's converter was at its end."""

    def pulse_cell(self, cell: CellAddress, pulse: Pulse) -> None:
        """Give one cell one pulse; return when it is over. Never repeated on an error."""


class MultiplyingBoard(CrossbarBoard, Protocol):
    """A board that can also drive all rows and sense all columns at once."""

    def multiply(
        self, geometry: DieGeometry, subarray: int, row_voltages: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """(rows,) volts in, (columns,) amperes out."""


def check_fit(board: CrossbarBoard, geometry: DieGeometry) -> None:
    """Raise ConfigurationError, naming both, if a die has more lines than the board."""
    available = board.reach
    if any(wanted > has for wanted, has in zip(geometry.shape, available.shape, strict=True)):
        raise ConfigurationError(
            f"The bench describes a die of {_in_words(geometry)}, but the {board.board_name} "
            f"reaches at most {_in_words(available)}. Correct the die's geometry in bench.toml, or "
            "use another board."
        )


def _in_words(geometry: DieGeometry) -> str:
    return f"{geometry.subarrays} x {geometry.rows} x {geometry.columns} cells"


@dataclass(frozen=True, kw_only=True)
class CrossbarBoardAccess:
    """Reads and writes cell after cell; the port `crossbar.ports.CellAccess`."""

    board: CrossbarBoard
    geometry: DieGeometry

    def __post_init__(self) -> None:
        """Raises ConfigurationError if the die does not fit the board."""
        check_fit(self.board, self.geometry)

    @property
    def cells_at_once(self) -> int:
        """One."""
        return 1

    def read(self, cells: CellIndices, amplitude: Volts) -> Readings:
        """Read each of the (n,) cells once."""
        current = np.empty(len(cells))
        in_compliance = np.empty(len(cells), np.bool_)
        for place, cell in enumerate(cells):
            current[place], in_compliance[place] = self.board.read_cell(
                self.geometry.address(int(cell)), amplitude
            )
        return Readings(voltage=amplitude, current=current, in_compliance=in_compliance)

    def write(self, cells: CellIndices, pulse: Pulse) -> None:
        """Give each of the (n,) cells one pulse."""
        for cell in cells:
            self.board.pulse_cell(self.geometry.address(int(cell)), pulse)


@dataclass(frozen=True, kw_only=True)
class CrossbarBoardMultiplier:
    """The analog dot product of row voltages and conductances; the port `DotProduct`."""

    board: MultiplyingBoard
    geometry: DieGeometry

    def __post_init__(self) -> None:
        """Raises ConfigurationError if the die does not fit the board."""
        check_fit(self.board, self.geometry)

    def dot_product(self, subarray: int, row_voltages: NDArray[np.float64]) -> NDArray[np.float64]:
        """(batch, rows) volts in, (batch, columns) amperes out, clipped at the board's range."""
        self.geometry.index(CellAddress(subarray, 0, 0))  # refuses a sub-array that is not there
        if row_voltages.ndim != 2 or row_voltages.shape[1] != self.geometry.rows:
            raise ConfigurationError(
                f"Row voltages of shape {row_voltages.shape} do not fit a die of "
                f"{_in_words(self.geometry)}; (batch, {self.geometry.rows}) do."
            )
        products = [self.board.multiply(self.geometry, subarray, one) for one in row_voltages]
        return np.array(products).reshape(len(row_voltages), self.geometry.columns)
