"""Program and verify: bring cells to given states, reading before and after every pulse.

This is how weights are written (`lab program`); `program_levels` has windows and many levels.
Cells that already are as wanted get no pulse, so programming again, or going on after an
interruption, only writes what is missing. A cell that does not follow within its budget is
recorded as not verified and left alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossbar.errors import ConfigurationError
from crossbar.geometry import CellIndices
from crossbar.memory_die import MemoryDie
from crossbar.pulses import State
from crossbar.records import Key, ProgrammedBlock, window_of_state
from crossbar.units import Seconds, Siemens, Volts
from protocols.ping_pong import Patience, Ramp, into_windows


@dataclass(frozen=True, kw_only=True)
class ProgramAndVerifyParameters:
    """Pulses and patience."""

    write_amplitude: Volts = 0.9
    write_width: Seconds = 50e-9
    read_amplitude: Volts = 0.1
    max_pulses: int = 4
    """Budget per cell: a defective cell must not be hammered."""
    block: int = 5_000
    """Cells in one record, where the hardware takes many at once."""

    def __post_init__(self) -> None:
        if self.max_pulses < 1 or self.block < 1:
            raise ConfigurationError("max_pulses and block must be at least 1.")


def program_and_verify(
    die: MemoryDie,
    parameters: ProgramAndVerifyParameters,
    cells: CellIndices,
    target_low: NDArray[np.bool_],
    threshold: Siemens,
    done: frozenset[Key] = frozenset(),
) -> Iterator[ProgrammedBlock]:
    """Yield one record a block of the (n,) cells.

    ``target_low`` (n,) says which cells are to be LOW; at or above ``threshold`` a cell counts as
    LOW (the geometric mean of the die's median conductances serves well).
    """
    block = min(parameters.block, max(die.geometry.columns, die.access.cells_at_once))
    for first in range(0, len(cells), block):
        here = slice(first, first + block)
        if ("programmed", int(cells[here][0])) not in done:
            yield _program_block(die, parameters, cells[here], target_low[here], threshold)


def _program_block(
    die: MemoryDie,
    parameters: ProgramAndVerifyParameters,
    cells: CellIndices,
    target_low: NDArray[np.bool_],
    threshold: Siemens,
) -> ProgrammedBlock:
    """One pulse fits all: the ramps stand still, and only the budget ends the patience."""
    amplitude = parameters.write_amplitude
    ramps = {
        state: Ramp(
            target=state, start=amplitude, step=0.0, stop=amplitude, width=parameters.write_width
        )
        for state in State
    }
    patience = Patience(max_pulses=parameters.max_pulses, unmoved=parameters.max_pulses)
    window = window_of_state(target_low, threshold)
    found = into_windows(die, cells, window, ramps, patience, parameters.read_amplitude)
    return ProgrammedBlock(
        cells=cells,
        target_low=target_low,
        conductance=found.conductance,
        verified=found.inside,
        pulses=found.pulses,
        threshold=threshold,
    )
