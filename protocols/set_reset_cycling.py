"""Endurance: cells are cycled between their states and looked at from time to time.

A cycle is one pulse that writes LOW and one that writes HIGH. At every checkpoint each cell is read
after a single pulse of either kind: those two belong to the count. Between checkpoints the cycles
go to the hardware in one piece where it can make them by itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from crossbar.attempts import AttemptPlan
from crossbar.errors import ConfigurationError
from crossbar.geometry import CellIndices
from crossbar.memory_die import MemoryDie
from crossbar.pulses import Pulse, State
from crossbar.records import Key, PulseTrain
from crossbar.units import Ratio, Seconds, Siemens, Volts
from protocols.attempts import run_attempts
from protocols.cell_choice import chosen_cells
from protocols.formed_check import check_formed


@dataclass(frozen=True, kw_only=True)
class SetResetCyclingParameters:
    """Cells, pulses, and when to look."""

    cells: tuple[str, ...] = ()
    """Cells as "subarray:row:column"; empty takes ``sample`` cells spread over the die."""
    sample: int = 8
    checkpoints: tuple[int, ...] = (1, 10, 100, 1_000, 10_000)
    """Cycles after which every cell is read in both states; rising."""
    low_amplitude: Volts = 0.9
    """Magnitude of the pulse that writes LOW (SET of an RRAM cell)."""
    high_amplitude: Volts = 0.9
    """Magnitude of the pulse that writes HIGH (RESET of an RRAM cell)."""
    width: Seconds = 50e-9
    read_amplitude: Volts = 0.1
    formed_above: Siemens = 0.0
    """Cells that need FORMING conduct this much once they are formed; 0 for those that need none
    (`protocols.formed_check`)."""
    min_window: Ratio = 1.15
    """LOW conducts at least this times HIGH, or the cell's window counts as closed."""

    def __post_init__(self) -> None:
        steps = [after - before for before, after in pairwise((0, *self.checkpoints))]
        if not steps or min(steps) < 1:
            raise ConfigurationError(
                f"checkpoints must be rising numbers of cycles from 1 on, got {self.checkpoints}."
            )
        if self.sample < 1:
            raise ConfigurationError(f"sample must be at least 1, got {self.sample}.")


def set_reset_cycling(
    die: MemoryDie, parameters: SetResetCyclingParameters, done: frozenset[Key] = frozenset()
) -> Iterator[PulseTrain]:
    """Yield one record a cell and checkpoint: ``part`` is the checkpoint's place, its two steps
    are the pulses of each direction since the checkpoint before.

    A checkpoint that was broken off is cycled again for the cells that are not stored.
    """
    low = Pulse.writing(State.LOW, parameters.low_amplitude, parameters.width)
    high = Pulse.writing(State.HIGH, parameters.high_amplitude, parameters.width)
    for pulse in (low, high):  # refuse the whole run before the first pulse of it
        die.limits.check_pulse(pulse)
    everything = chosen_cells(parameters.cells, parameters.sample, die.geometry)
    check_formed(die, everything, parameters.read_amplitude, parameters.formed_above)
    at_once = die.access.cells_at_once
    for part, (before, after) in enumerate(pairwise((0, *parameters.checkpoints))):
        left = np.array([c for c in everything if ("train", int(c), part) not in done], np.intp)
        for start in range(0, len(left), at_once):
            cells = left[start : start + at_once]
            cycles = after - before
            _cycle(die, cells, low, high, cycles - 1, parameters.read_amplitude)
            conductance = _look(die, cells, (low, high), parameters.read_amplitude)
            for place, cell in enumerate(cells):
                is_open = conductance[place, 0] > parameters.min_window * conductance[place, 1]
                yield PulseTrain(
                    cell=int(cell),
                    part=part,
                    amplitude=np.array([low.amplitude, high.amplitude]),
                    width=np.full(2, parameters.width),
                    pulses=np.full(2, cycles, np.int64),
                    conductance=conductance[place],
                    read_amplitude=parameters.read_amplitude,
                    outcome="open window" if is_open else "closed window",
                )


def _cycle(
    die: MemoryDie, cells: CellIndices, low: Pulse, high: Pulse, cycles: int, read: Volts
) -> None:
    """Make full cycles. An attempt that starts from LOW is one: restore LOW, write HIGH."""
    if cycles:
        # The threshold passes every initial state, so that no cell leaves out its second pulse.
        plan = AttemptPlan(
            initial=State.LOW,
            restore=low,
            write=high,
            read_amplitude=read,
            threshold=np.full(len(cells), NEVER_REJECTS),
            attempts=cycles,
        )
        run_attempts(die, cells, plan)


NEVER_REJECTS: Siemens = -1.0
"""A threshold below the reading of any cell, with its noise."""


def _look(
    die: MemoryDie, cells: CellIndices, pulses: tuple[Pulse, Pulse], read: Volts
) -> NDArray[np.float64]:
    """(n, 2) Siemens after the pulse that writes LOW, and after the one that writes HIGH."""
    found = []
    for pulse in pulses:
        die.write(cells, pulse)
        found.append(die.read(cells, read).conductance)
    return np.stack(found, axis=1)
