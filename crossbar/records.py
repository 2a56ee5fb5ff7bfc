"""What protocols yield, and the database stores: one frozen record per finished piece of work.

``key`` names the piece of work within its die and run. A resumed run hands a protocol the keys that
are already stored, and the protocol leaves those out.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossbar.geometry import CellIndices
from crossbar.pulses import State
from crossbar.units import Ratio, Seconds, Siemens, Volts

Key = tuple[object, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRecord:
    """Whether the needles touch: a few cells read right after touchdown."""

    cells: CellIndices
    conductance: NDArray[np.float64]
    """(n,) Siemens."""
    touching: bool
    """True if enough of them conduct."""

    @property
    def key(self) -> Key:
        return ("contact",)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayMapBlock:
    """A stretch of a die, read in both states: cells ``first_cell`` to ``first_cell + n - 1``."""

    first_cell: int
    read_amplitude: Volts
    low: NDArray[np.float64]
    """(n,) Siemens, read after writing LOW."""
    high: NDArray[np.float64]
    """(n,) Siemens, read after writing HIGH."""
    in_compliance: NDArray[np.bool_]
    """(n,) True where either reading was clamped."""

    @property
    def key(self) -> Key:
        return ("block", self.first_cell)


@dataclass(frozen=True, slots=True, kw_only=True)
class WerPoint:
    """The write error rate of one cell under one condition."""

    cell: int
    """Flat index."""
    target: State
    """The state that the write aims at."""
    amplitude: Volts
    """At the cell, signed."""
    width: Seconds
    attempts: int
    """Valid attempts: those from a verified initial state."""
    errors: int
    rejected: int
    """Attempts whose restore failed to verify."""
    interval_low: Ratio
    interval_high: Ratio
    """Clopper-Pearson, two-sided, at ``confidence``."""
    confidence: Ratio
    execution: str
    """Who kept the time: "board", "instrument" or "software"."""
    stopped_by: str
    """"precision", "budget", or "no window" where the cell cannot be told LOW from HIGH."""

    @property
    def key(self) -> Key:
        return ("wer", self.cell, self.target.value, self.amplitude, self.width)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgrammedBlock:
    """Cells written and verified: what was asked, what was found, and what it took."""

    cells: CellIndices
    target_low: NDArray[np.bool_]
    """(n,) True where the cell was to be LOW."""
    conductance: NDArray[np.float64]
    """(n,) Siemens, the last verify read."""
    verified: NDArray[np.bool_]
    """(n,) True where that read found the state asked for."""
    pulses: NDArray[np.int64]
    """(n,) Write pulses given."""
    threshold: Siemens
    """At or above it a cell counts as LOW."""

    @property
    def key(self) -> Key:
        return ("programmed", int(self.cells[0]) if len(self.cells) else -1)


Record = ContactRecord | ArrayMapBlock | WerPoint | ProgrammedBlock
