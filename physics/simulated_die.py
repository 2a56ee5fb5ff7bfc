"""What the emulators of a bench ask of the die under the needles, whatever its cells are made of.

`physics.mtj_die.MtjDie` and `physics.hfox_die.HfOxDie` are such dies. Each random event on a cell
is drawn by what is done to it and how often that was done before (`physics.draws`), so results do
not depend on the order in which cells are visited.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from crossbar.attempts import AttemptCounts, AttemptPlan
from crossbar.geometry import CellIndices, DieGeometry
from crossbar.pulses import Pulse, State
from crossbar.units import Seconds, Volts

FloatArray = NDArray[np.float64]
Clock = Callable[[], Seconds]
"""The time now, on the bench's virtual clock."""


def no_time() -> Seconds:
    """The clock of a die that stands alone: no time passes."""
    return 0.0


class SimulatedDie(Protocol):
    """Cells with a state. Made by `physics.wafer.SimulatedWafer`."""

    @property
    def geometry(self) -> DieGeometry:
        """How its cells are divided."""

    @property
    def clock(self) -> Clock:
        """For what changes by itself: noise, drift."""

    @property
    def stress(self) -> FloatArray:
        """(cells,) Share of each cell's life that is used up."""

    @property
    def pulses_given(self) -> NDArray[np.int64]:
        """(cells,) Write and restore pulses."""

    @property
    def classes(self) -> NDArray[np.int8]:
        """(cells,) `CellClass` values, as the cells really are."""

    @property
    def touched(self) -> bool:
        """Whether anything was ever done to this die."""

    def conductance(self, cells: CellIndices, voltage: Volts | FloatArray) -> FloatArray:
        """(n,) Siemens without noise, in the present states, at this voltage (scalar or (n,))."""

    def conductance_in(self, cells: CellIndices, state: State, voltage: Volts) -> FloatArray:
        """(n,) Siemens that the cells typically have in this state, whatever state they are in."""

    def conduct(self, cells: CellIndices, voltage: Volts | FloatArray) -> FloatArray:
        """(n,) Amperes: one reading of each cell, with noise."""

    def pulse(self, cells: CellIndices, pulse: Pulse) -> None:
        """Give each of the (n,) cells one pulse."""

    def attempt(self, cells: CellIndices, plan: AttemptPlan) -> AttemptCounts:
        """Run the plan on each of the (n,) distinct cells. Raises ConfigurationError for a plan
        that contradicts itself.
        """

    def dot_product(self, subarray: int, row_voltages: FloatArray) -> FloatArray:
        """(batch, rows) volts in, (batch, columns) amperes out of grounded columns, with noise."""

    def snapshot(self) -> dict[str, NDArray]:
        """The state, as arrays for a file; what the cells are is not part of it."""

    def restore(self, snapshot: Mapping[str, NDArray]) -> None:
        """Take over a state that `snapshot` returned, of a die of the same cells."""
