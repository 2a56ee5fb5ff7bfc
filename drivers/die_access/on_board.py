"""Cells reached through the die board's own read, write, attempt and multiply circuits.

Nothing is converted here: the board's volts are volts at the cell (docs/die_board.md).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossbar.attempts import AttemptCounts, AttemptList, AttemptPlan, ListCounts
from crossbar.geometry import CellIndices, DieGeometry
from crossbar.ports import Readings
from crossbar.pulses import Pulse
from crossbar.units import Amperes, Siemens, Volts
from drivers.die_board import (
    MAX_AMPLITUDE,
    MAX_ATTEMPTS,
    MAX_BURST,
    MAX_BURST_PULSES,
    MAX_READ_AMPLITUDE,
    MAX_READINGS,
    MULTIPLY_RANGES,
    ROW_TIME,
    WIDTHS,
    DieBoard,
)

MESSAGE_BYTES = 250_000
"""The board takes messages of up to 262,144 bytes."""
CLIPPED = 1 - 1e-6
"""A reading at full scale was clipped; the margin is for its way through float32."""


@dataclass(frozen=True, kw_only=True)
class OnBoardAccess:
    """Reads and writes any cells in one round trip; the ports `CellAccess` and `PulseBursts`."""

    board: DieBoard
    geometry: DieGeometry

    def __post_init__(self) -> None:
        """Raises WrongInstrumentError if the board is made for another die."""
        self.board.check_geometry(self.geometry)

    @property
    def cells_at_once(self) -> int:
        """The whole die."""
        return self.geometry.cells

    def read(self, cells: CellIndices, amplitude: Volts) -> Readings:
        """Read each of the (n,) different cells once; a whole die is one block."""
        if not len(cells):
            return Readings(
                voltage=amplitude, current=np.zeros(0), in_compliance=np.zeros(0, dtype=np.bool_)
            )
        current, full_scale = self.board.read_cells(cells, amplitude)
        return Readings(
            voltage=amplitude,
            current=current,
            in_compliance=np.abs(current) >= full_scale * CLIPPED,
        )

    def write(self, cells: CellIndices, pulse: Pulse) -> None:
        """Give each of the (n,) different cells one pulse."""
        if len(cells):
            self.board.write_cells(cells, pulse)

    def burst(self, cells: CellIndices, pulse: Pulse, times: int) -> None:
        """Give each of the (n,) different cells the pulse so many times, in bursts short enough."""
        if not len(cells):
            return
        rows = len(np.unique(cells // self.geometry.columns))
        at_once = int(MAX_BURST / (rows * (pulse.width + ROW_TIME)))
        at_once = min(max(at_once, 1), MAX_BURST_PULSES)
        for start in range(0, times, at_once):
            self.board.write_cells(cells, pulse, min(at_once, times - start))


@dataclass(frozen=True, kw_only=True)
class OnBoardSequencer:
    """Runs attempts on the board's own clock; the ports `AttemptSequencer` and `AttemptLister`."""

    board: DieBoard
    geometry: DieGeometry
    execution: str = "board"

    def __post_init__(self) -> None:
        """Raises WrongInstrumentError if the board is made for another die."""
        self.board.check_geometry(self.geometry)

    def accepts(self, plan: AttemptPlan) -> bool:
        """Whether pulses, read voltage, count and kept readings are within the board's means."""
        pulses = (plan.restore, plan.write)
        readings = 2 * plan.attempts * len(plan.threshold) if plan.keep_readings else 0
        return (
            all(abs(pulse.amplitude) <= MAX_AMPLITUDE for pulse in pulses)
            and all(WIDTHS[0] <= pulse.width <= WIDTHS[1] for pulse in pulses)
            and 0 < abs(plan.read_amplitude) <= MAX_READ_AMPLITUDE
            and 1 <= plan.attempts <= MAX_ATTEMPTS
            and readings <= MAX_READINGS
        )

    def attempt(self, cells: CellIndices, plan: AttemptPlan) -> AttemptCounts:
        """Run the plan on the (n,) different cells."""
        if not len(cells):
            none = np.zeros(0, dtype=np.int64)
            return AttemptCounts(attempts=plan.attempts, rejected=none, errors=none)
        return self.board.attempt(cells, plan)

    def attempt_list(self, cells: CellIndices, listed: AttemptList) -> ListCounts:
        """Run the list on the (n,) different cells, one after the other."""
        if not len(cells):
            none = np.zeros(0, dtype=np.int64)
            return ListCounts(rejected=none, errors=none)
        return self.board.attempt_list(cells, listed)


@dataclass(frozen=True, kw_only=True)
class OnBoardMultiplier:
    """The analog dot product of row voltages and conductances; the port `DotProduct`.

    The current range is guessed from the row voltages and raised until no current clips, so it is
    the same whatever was multiplied before. At the largest range currents stay clipped.
    """

    board: DieBoard
    geometry: DieGeometry
    typical_conductance: Siemens = 2e-4
    """Of a cell in the LOW state; only the first guess of the range depends on it."""

    def __post_init__(self) -> None:
        """Raises WrongInstrumentError if the board is made for another die."""
        self.board.check_geometry(self.geometry)

    def dot_product(self, subarray: int, row_voltages: NDArray[np.float64]) -> NDArray[np.float64]:
        """(batch, rows) volts in, (batch, columns) amperes out, each clipped at +-20 mA."""
        batch = len(row_voltages)
        chunk = MESSAGE_BYTES // (4 * self.geometry.rows)
        currents = [
            self._multiply(subarray, row_voltages[start : start + chunk])
            for start in range(0, batch, chunk)
        ]
        return np.concatenate(currents) if currents else np.zeros((0, self.geometry.columns))

    def _multiply(self, subarray: int, row_voltages: NDArray[np.float64]) -> NDArray[np.float64]:
        expected = float(np.max(np.abs(row_voltages).sum(axis=1))) * self.typical_conductance
        for full_scale in ranges_from(expected):
            currents, clipped = self.board.multiply(subarray, row_voltages, full_scale)
            if not clipped:
                break
        return currents


def ranges_from(expected: Amperes) -> tuple[Amperes, ...]:
    """The board's ranges that hold the expected current, smallest first; at least the largest."""
    return tuple(r for r in MULTIPLY_RANGES if r >= expected) or MULTIPLY_RANGES[-1:]
