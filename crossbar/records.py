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
    """Two-sided, at ``confidence``; Clopper-Pearson unless the run's parameters name another."""
    confidence: Ratio
    execution: str
    """Who kept the time: "board", "instrument", "software", or "imported" where nobody says."""
    stopped_by: str
    """"precision", "budget", "design" or "check" for a block of an adaptive run, or "no window"
    where the cell cannot be told LOW from HIGH."""

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
    """(n,) Siemens, the last verify read; where levels were asked for, the mean of ``final``."""
    verified: NDArray[np.bool_]
    """(n,) True where the verify read found what was asked for."""
    pulses: NDArray[np.int64]
    """(n,) Write pulses given."""
    threshold: Siemens
    """At or above it a cell counts as LOW; between the outermost levels, where there are more."""
    level: NDArray[np.int64] | None = None
    """(n,) Which of the run's levels the cell was to reach, from 0; None where a state was."""
    window_low: NDArray[np.float64] | None = None
    """(n,) Siemens from which on the cell was accepted; None where ``threshold`` says it."""
    window_high: NDArray[np.float64] | None = None
    """(n,) Siemens below which it was."""
    final: NDArray[np.float64] | None = None
    """(n, m) Siemens of m reads after the programming, which no decision saw; None without."""

    @property
    def key(self) -> Key:
        return ("programmed", int(self.cells[0]) if len(self.cells) else -1)

    @property
    def window(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(n,) and (n,) Siemens: accepted from the first on and below the second."""
        if self.window_low is not None and self.window_high is not None:
            return self.window_low, self.window_high
        return window_of_state(self.target_low, self.threshold)


def window_of_state(
    target_low: NDArray[np.bool_], threshold: Siemens
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The window of a state: all that is on its side of the threshold, (n,) ends each."""
    return (
        np.where(target_low, threshold, -np.inf),
        np.where(target_low, np.inf, threshold),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PulseTrain:
    """Pulses that one cell was given in order, and what it read after each step.

    Of forming, weak RESET, cycling and breakdown. A step is one or more equal pulses; one without
    pulses is a reading alone, such as the one before the first pulse.
    """

    cell: int
    """Flat index."""
    part: int
    """Which of the trains that this cell was given in the run, from 0."""
    amplitude: NDArray[np.float64]
    """(n,) Volts at the cell, signed; NaN in a step without pulses, or where a source is silent."""
    width: NDArray[np.float64]
    """(n,) Seconds; NaN likewise."""
    pulses: NDArray[np.int64]
    """(n,) Pulses of this step."""
    conductance: NDArray[np.float64]
    """(n,) Siemens, read after the step."""
    read_amplitude: Volts
    outcome: str
    """Why the train ended, in a word of its protocol, such as "formed" or "budget"."""

    @property
    def key(self) -> Key:
        return ("train", self.cell, self.part)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTrace:
    """One cell, left in one state and read again and again."""

    cell: int
    """Flat index."""
    state: State
    """That it was written to before."""
    part: int
    """Which of the traces of this cell and state in the run, from 0."""
    read_amplitude: Volts
    time: NDArray[np.float64]
    """(n,) Seconds since the state was written; NaN where a source does not say."""
    conductance: NDArray[np.float64]
    """(n,) Siemens."""

    @property
    def key(self) -> Key:
        return ("trace", self.cell, self.state.value, self.part)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionReading:
    """Cells that were written once and are left alone, read at one of several moments."""

    step: int
    """Which of the run's moments, from 0: right after writing."""
    written_at: Seconds
    """On the bench's clock, when the last of the cells was written; the same in all records."""
    time: Seconds
    """Since then."""
    read_amplitude: Volts
    cells: CellIndices
    written_low: NDArray[np.bool_]
    """(n,) True where LOW was written, False where HIGH."""
    conductance: NDArray[np.float64]
    """(n,) Siemens."""

    @property
    def key(self) -> Key:
        """Also tells a resumed run when the cells were written."""
        return ("retention", self.step, self.written_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class VoltageSweep:
    """Current over voltage of one cell, in the order of measuring."""

    cell: int
    """Flat index."""
    part: int
    """Which of the sweeps of this cell in the run, from 0."""
    voltage: NDArray[np.float64]
    """(n,) Volts at the cell."""
    current: NDArray[np.float64]
    """(n,) Amperes."""
    in_compliance: NDArray[np.bool_]
    """(n,) True where the meter clamped."""

    @property
    def key(self) -> Key:
        return ("sweep", self.cell, self.part)


@dataclass(frozen=True, slots=True, kw_only=True)
class DotProductBlock:
    """Dot products that a sub-array made, beside those that its measured cells should make."""

    subarray: int
    row_voltages: NDArray[np.float64]
    """(batch, rows) Volts."""
    current: NDArray[np.float64]
    """(batch, columns) Amperes, measured."""
    conductance: NDArray[np.float64]
    """(rows, columns) Siemens, read cell by cell just before."""

    @property
    def key(self) -> Key:
        return ("dot product", self.subarray)


Record = (
    ContactRecord
    | ArrayMapBlock
    | WerPoint
    | ProgrammedBlock
    | PulseTrain
    | ReadTrace
    | RetentionReading
    | VoltageSweep
    | DotProductBlock
)
