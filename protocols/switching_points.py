"""A fixed number of attempts at one condition, on cells whose own threshold tells their states.

What read disturb and the phase diagram share: they ask how often a pulse switches, where
`protocols.write_error_rate` asks how seldom it fails.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.intervals import clopper_pearson
from crossbar.attempts import AttemptPlan
from crossbar.geometry import CellIndices
from crossbar.memory_die import MemoryDie
from crossbar.pulses import Pulse, State
from crossbar.records import WerPoint
from crossbar.units import Ratio, Seconds, Volts
from protocols.attempts import execution_of, run_attempts

CONFIDENCE: Ratio = 0.95


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


def switching_points(
    die: MemoryDie,
    cells: CellIndices,
    threshold: NDArray[np.float64],
    *,
    target: State,
    pulse: Pulse,
    attempts: int,
    restoring: Restoring,
) -> list[WerPoint]:
    """Make the attempts on the (n,) cells, decided by their (n,) thresholds in siemens.

    A record each; 1 - errors / attempts is the switching probability.
    """
    plan = AttemptPlan(
        initial=target.other,
        restore=restoring.pulse(target.other),
        write=pulse,
        read_amplitude=restoring.read_amplitude,
        threshold=threshold,
        attempts=attempts,
    )
    counts = run_attempts(die, cells, plan)
    valid = attempts - counts.rejected
    low, high = clopper_pearson(counts.errors, valid, CONFIDENCE)
    execution = execution_of(die, plan)
    return [
        WerPoint(
            cell=int(cell),
            target=target,
            amplitude=pulse.amplitude,
            width=pulse.width,
            attempts=int(valid[place]),
            errors=int(counts.errors[place]),
            rejected=int(counts.rejected[place]),
            interval_low=float(low[place]),
            interval_high=float(high[place]),
            confidence=CONFIDENCE,
            execution=execution,
            stopped_by="budget",
        )
        for place, cell in enumerate(cells)
    ]
