"""FORMING: rising pulses until every cell conducts for the first time.

Each cell is read before the first pulse and after every one, and gets no more once it conducts:
what comes after the filament is made only lowers its resistance. Cells that conduct from the
start, such as shorts and cells formed before, get none. All cells still to be formed get each
pulse together, as far as the hardware takes them at once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossbar.errors import ConfigurationError
from crossbar.geometry import CellIndices
from crossbar.memory_die import MemoryDie
from crossbar.pulses import Pulse, State
from crossbar.records import Key, ProgrammedBlock
from crossbar.units import Seconds, Siemens, Volts
from protocols.cell_choice import chosen_cells
from protocols.ping_pong import Ramp


@dataclass(frozen=True, kw_only=True)
class FormingParameters:
    """Cells, and the ramp. Its end must lie within the limits of bench.toml."""

    cells: tuple[str, ...] = ()
    """Cells as "subarray:row:column"; empty takes every cell of the die."""
    start: Volts = 2.0
    """First pulse. The defaults are those of HfOx (2.2 to 3.1 V, sky130_fd_pr_reram)."""
    stop: Volts = 3.2
    """Last pulse: cells that it does not form are given up."""
    step: Volts = 0.05
    width: Seconds = 1e-6
    read_amplitude: Volts = 0.2
    formed_above: Siemens = 10e-6
    """A cell that conducts so much is formed; ours, a third of what the weakest leave behind and a
    hundred times what a fresh cell conducts."""

    def __post_init__(self) -> None:
        if not self.step > 0:
            raise ConfigurationError(f"step must be positive, got {self.step:g} V.")
        if not self.formed_above > 0:
            raise ConfigurationError(f"formed_above must be positive, got {self.formed_above:g} S.")

    @property
    def ramp(self) -> Ramp:
        """The pulses. Raises ConfigurationError if they do not rise."""
        return Ramp(
            target=State.LOW, start=self.start, step=self.step, stop=self.stop, width=self.width
        )


def forming(
    die: MemoryDie, parameters: FormingParameters, done: frozenset[Key] = frozenset()
) -> Iterator[ProgrammedBlock]:
    """Yield one record a block: the whole die, or a row where cells are reached one by one.

    ``verified`` says which cells are formed; a cell formed by its n-th pulse had that of
    ``ramp.pulses[n - 1]``, and n = 0 conducted from the start. A block that was broken off begins
    anew; cells that were formed then get no more pulses.
    """
    ramp = parameters.ramp.pulses
    for pulse in ramp:  # refuse the whole run before the first pulse of it
        die.limits.check_pulse(pulse)
    cells = chosen_cells(parameters.cells, die.geometry.cells, die.geometry)
    block = max(die.geometry.columns, die.access.cells_at_once)
    for first in range(0, len(cells), block):
        here = cells[first : first + block]
        if ("programmed", int(here[0])) not in done:
            yield _form_block(die, here, ramp, parameters)


def _form_block(
    die: MemoryDie, cells: CellIndices, ramp: Sequence[Pulse], parameters: FormingParameters
) -> ProgrammedBlock:
    conductance, formed = _look(die, cells, parameters)
    pulses = np.zeros(len(cells), np.int64)
    for pulse in ramp:
        left = np.flatnonzero(~formed)
        if not len(left):
            break
        die.write(cells[left], pulse)
        pulses[left] += 1
        conductance[left], formed[left] = _look(die, cells[left], parameters)
    return ProgrammedBlock(
        cells=cells,
        target_low=np.ones(len(cells), np.bool_),
        conductance=conductance,
        verified=formed,
        pulses=pulses,
        threshold=parameters.formed_above,
    )


def _look(
    die: MemoryDie, cells: CellIndices, parameters: FormingParameters
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(n,) Siemens, and whether so much or more than the meter can tell counts as formed."""
    readings = die.read(cells, parameters.read_amplitude)
    conductance = readings.conductance
    return conductance, (conductance >= parameters.formed_above) | readings.in_compliance
