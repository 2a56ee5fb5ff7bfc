"""Bringing cells to a state, and telling which state they are in by each cell's own threshold."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossbar.geometry import CellIndices
from crossbar.memory_die import MemoryDie
from crossbar.pulses import Pulse, State
from crossbar.units import Ratio, Seconds, Volts


@dataclass(frozen=True, slots=True, kw_only=True)
class Restoring:
    """How a cell is brought to a state, and told which state it is in."""

    amplitude: Volts
    """Magnitude, both directions."""
    width: Seconds
    read_amplitude: Volts
    min_window: Ratio
    """LOW conducts at least this times HIGH, or the cell has no window to decide by."""

    def pulse(self, state: State) -> Pulse:
        """The pulse that writes a state."""
        return Pulse.writing(state, self.amplitude, self.width)

    def thresholds(
        self, die: MemoryDie, cells: CellIndices
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """(n,) Siemens, the geometric mean of each cell's states, and (n,) whether they differ."""
        conductance: dict[State, NDArray[np.float64]] = {}
        for state in (State.LOW, State.HIGH):
            die.write(cells, self.pulse(state))
            conductance[state] = die.read(cells, self.read_amplitude).conductance
        low, high = conductance[State.LOW], conductance[State.HIGH]
        has_window = (high > 0) & (low > self.min_window * high)
        return np.sqrt(np.maximum(low, 0) * np.maximum(high, 0)), has_window
