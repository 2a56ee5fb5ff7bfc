"""The stress ledger: how many pulses every cell of a die has received, and how many it may."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from crossbar.errors import LimitError
from crossbar.geometry import CellIndices
from crossbar.pulse_energy import PulseEnergy

SMALLEST_RESERVE = 1000
"""Pulses per cell that are entered ahead, so that not every pulse waits for the disk."""
RESERVE_SHARE = 8
"""One part in so many of what a cell has received is entered ahead."""


@dataclass(kw_only=True)
class StressLedger:
    """Counts pulses before they are sent, and refuses those beyond the budget.

    What is on the disk runs ahead of what was sent: after a crash the ledger may count up to a
    reserve too many (1,000, or an eighth of a cell's pulses), never one too few. Reads are not
    counted; a pulse whose fate is unknown, and one that a sequencer then left out, are.
    """

    pulses: NDArray[np.int64]
    """(cells,) received so far."""
    budget: int
    """How many a cell may receive in its life."""
    source: str
    """Who set the budget, for the message: "bench.toml [limits.mtj]"."""
    keep: Callable[[NDArray[np.int64], bool], None]
    """Writes (counts, whether they are exact) to the disk; raises if it cannot."""
    sent: int = 0
    """Pulses entered by this process, all cells together."""
    reads: int = 0
    """Cells read by this process, those that a sequencer reads not among them; not kept."""
    energy: PulseEnergy = field(init=False)
    """Of the pulses entered by this process; not kept."""
    _reserved: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        self.energy = PulseEnergy(cells=len(self.pulses))
        self._reserved = self.pulses.copy()

    def charge(self, cells: CellIndices, pulses: int | NDArray[np.int64] = 1) -> None:
        """Enter so many pulses for each of the (n,) cells, or (n,) numbers of them. Raises
        LimitError for a cell that would pass its budget (then nothing is entered), and whatever
        `keep` raises.
        """
        if not len(cells) or not np.any(pulses):
            return
        each = np.broadcast_to(pulses, cells.shape)
        after = self.pulses[cells] + each
        if (worst := int(after.max())) > self.budget:
            place = int(after.argmax())
            raise LimitError(
                f"{each[place]:,} more pulses on cell {cells[place]} refused: it would have "
                f"received {worst:,}, and its budget is {self.budget:,}, set by {self.source} "
                "max_pulses_per_cell. Use other cells or another die, or raise the budget there."
            )
        if (after > self._reserved[cells]).any():
            ahead = np.minimum(
                after + np.maximum(SMALLEST_RESERVE, after // RESERVE_SHARE), self.budget
            )
            reserved = self._reserved.copy()
            reserved[cells] = np.maximum(reserved[cells], ahead)
            self.keep(reserved, False)
            self._reserved = reserved
        self.pulses[cells] = after
        self.sent += int(each.sum())

    def has_room(self, pulses: int) -> NDArray[np.bool_]:
        """(cells,) True where so many more pulses are within the budget."""
        return self.pulses + pulses <= self.budget

    def settle(self) -> None:
        """Write the exact counts, when nothing more is sent for now."""
        if not np.array_equal(self.pulses, self._reserved):
            self.keep(self.pulses, True)
            self._reserved = self.pulses.copy()
