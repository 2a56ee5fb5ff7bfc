"""Array map: every cell of a die in both states.

Write LOW, read, write HIGH, read. Where the hardware reads the whole die at once that is four
operations; through bench instruments it goes row by row, and each row is stored as it comes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from crossbar.memory_die import MemoryDie
from crossbar.pulses import Pulse, State
from crossbar.records import ArrayMapBlock, Key
from crossbar.units import Seconds, Siemens, Volts
from protocols.formed_check import check_formed


@dataclass(frozen=True, kw_only=True)
class ArrayMapParameters:
    """Pulses and reads of the map."""

    write_amplitude: Volts = 0.9
    """Magnitude, both directions. Ours: reliable at 50 ns for the simulated MTJ."""
    write_width: Seconds = 50e-9
    read_amplitude: Volts = 0.1
    formed_above: Siemens = 0.0
    """Cells that need FORMING conduct this much once they are formed; 0 for those that need none
    (`protocols.formed_check`)."""


def array_map(
    die: MemoryDie, parameters: ArrayMapParameters, done: frozenset[Key] = frozenset()
) -> Iterator[ArrayMapBlock]:
    """Yield one record a block: the whole die, or a row where cells are reached one by one.

    Raises ConfigurationError, before anything is written, at cells that are not formed.
    """
    block = max(die.geometry.columns, die.access.cells_at_once)
    for first in range(0, die.geometry.cells, block):
        if ("block", first) in done:
            continue
        cells = np.arange(first, min(first + block, die.geometry.cells), dtype=np.intp)
        check_formed(die, cells, parameters.read_amplitude, parameters.formed_above)
        readings = {}
        for state in (State.LOW, State.HIGH):
            die.write(
                cells,
                Pulse.writing(state, parameters.write_amplitude, parameters.write_width),
            )
            readings[state] = die.read(cells, parameters.read_amplitude)
        yield ArrayMapBlock(
            first_cell=first,
            read_amplitude=parameters.read_amplitude,
            low=readings[State.LOW].conductance,
            high=readings[State.HIGH].conductance,
            in_compliance=readings[State.LOW].in_compliance | readings[State.HIGH].in_compliance,
        )
