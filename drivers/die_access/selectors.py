"""How a cell is connected where no die board does it: by a switch matrix, or by the needles."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from crossbar.errors import ConfigurationError
from crossbar.geometry import CellAddress, DieGeometry
from crossbar.ports import Terminal
from drivers.matrix_wiring import MatrixWiring


class SwitchMatrix(Protocol):
    """A matrix of relays between rows and columns."""

    def close_only(self, channels: Sequence[str]) -> None:
        """Close these crosspoints and open all others, breaking before making."""

    def off(self) -> None:
        """Open everything."""


@dataclass(frozen=True, kw_only=True)
class MatrixSelector:
    """Connects one cell through a switch matrix; the port `CellSelector`.

    Only one instrument at a time reaches a cell: an SMU at 0 V would short the generator's pulse.
    Outputs are at 0 V or off whenever relays move.
    """

    matrix: SwitchMatrix
    wiring: MatrixWiring
    geometry: DieGeometry

    def __post_init__(self) -> None:
        """Raises ConfigurationError if the die has more lines than the matrix."""
        self.wiring.check_fit(self.geometry)

    def select(self, cell: CellAddress, terminal: Terminal) -> None:
        """Connect this cell and no other to the meter or to the pulse source."""
        self.geometry.index(cell)  # refuses a cell that is not there
        self.matrix.close_only(self.wiring.channels(self.geometry, cell, terminal))

    def release(self) -> None:
        """Open every path."""
        self.matrix.off()


@dataclass(frozen=True, kw_only=True)
class DirectSelector:
    """Needles on the one cell of a die, shared by a bias tee or by an instrument's own switch; the
    port `CellSelector`.
    """

    geometry: DieGeometry

    def __post_init__(self) -> None:
        """Raises ConfigurationError for a die of several cells."""
        if self.geometry.cells != 1:
            raise ConfigurationError(
                f"A die of {self.geometry.cells} cells needs a die_board or a switch_matrix that "
                "chooses among them."
            )

    def select(self, cell: CellAddress, terminal: Terminal) -> None:
        """Nothing moves: the needles are where they are."""
        self.geometry.index(cell)

    def release(self) -> None:
        """Nothing can be opened but the contact."""
