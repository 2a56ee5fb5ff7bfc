"""Which crosspoints of a switch matrix lead to a cell: the wires on its rows and columns."""

from dataclasses import dataclass

from crossbar.errors import ConfigurationError
from crossbar.geometry import CellAddress, DieGeometry
from crossbar.ports import Terminal

COLUMNS_PER_SLOT = 12
"""Of the 8 x 12 cards (7072, 7174A); rows of all slots are joined by the backplane."""


@dataclass(frozen=True, kw_only=True)
class MatrixWiring:
    """Instruments on rows, the die's lines on columns: word lines first, then bit lines.

    The columns are counted through the slots: column 13 is the first of the second slot. A cell is
    reached by its bit line to the instrument and its word line to ground; all other lines float.
    """

    meter: str = "A"
    pulse_source: str = "B"
    ground: str = "C"
    first_slot: int = 1
    slots: int = 6
    """How many cards there are, side by side."""

    def channels(self, geometry: DieGeometry, cell: CellAddress, terminal: Terminal) -> list[str]:
        """The two crosspoints that connect this cell, as ``1A01``: slot, row, column."""
        row = self.meter if terminal is Terminal.METER else self.pulse_source
        return [
            self.crosspoint(row, self.bit_line(geometry, cell)),
            self.crosspoint(self.ground, self.word_line(geometry, cell)),
        ]

    def crosspoint(self, row: str, column: int) -> str:
        """The name of a crosspoint; columns count from 0 through all slots."""
        slot, within = divmod(column, COLUMNS_PER_SLOT)
        return f"{self.first_slot + slot}{row}{within + 1:02d}"

    def word_line(self, geometry: DieGeometry, cell: CellAddress) -> int:
        """The column, from 0, that a cell's word line is wired to."""
        return cell.subarray * geometry.rows + cell.row

    def bit_line(self, geometry: DieGeometry, cell: CellAddress) -> int:
        """The column, from 0, that a cell's bit line is wired to."""
        word_lines = geometry.subarrays * geometry.rows
        return word_lines + cell.subarray * geometry.columns + cell.column

    def check_fit(self, geometry: DieGeometry) -> None:
        """Raise ConfigurationError, naming both, if a die has more lines than the matrix."""
        lines = geometry.subarrays * (geometry.rows + geometry.columns)
        available = self.slots * COLUMNS_PER_SLOT
        if lines > available:
            raise ConfigurationError(
                f"The die has {lines} word and bit lines, but the switch matrix has {available} "
                f"columns ({self.slots} cards of {COLUMNS_PER_SLOT}, [wiring.matrix] slots). "
                "Describe the part of the die that is wired in [wafer], or use a die board."
            )
