"""Any torch model of binarized layers with its weights on dies, written and read as it trains."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

import numpy as np
from numpy.typing import NDArray
from torch import nn

from crossbar.errors import ConfigurationError
from crossbar.geometry import DieAddress
from crossbar.memory_die import MemoryDie
from crossbar.units import Siemens
from protocols.program_and_verify import ProgramAndVerifyParameters, program_and_verify
from training.die_bits import hold, read_states, signs_of
from training.looped_die import room_to_write
from training.tiling import Tiling

Contact = Callable[[DieAddress], AbstractContextManager[MemoryDie]]
"""Brings the needles onto a die, such as `lab.bench.Bench.contacted`."""


class TiledLoop:
    """Writes a model's weights onto dies after some steps: an `AfterStep` of `classifier.fit`.

    The model computes with what the cells were read to hold; the gradient goes straight through to
    the latents. A cell that would pass ``pulses_per_cell``, or its stress ledger's budget, is left
    as it is.
    """

    def __init__(
        self,
        model: nn.Module,
        tiling: Tiling,
        contact: Contact,
        thresholds: Mapping[DieAddress, Siemens],
        *,
        write_every: int = 5,
        pulses_per_cell: int = 40,
        pulses: ProgramAndVerifyParameters | None = None,
    ) -> None:
        """``thresholds`` by die: at or above it a cell counts as LOW.

        Raises ConfigurationError for bounds that allow no write.
        """
        self.pulses = pulses or ProgramAndVerifyParameters()
        if write_every < 1 or pulses_per_cell < self.pulses.max_pulses:
            raise ConfigurationError(
                f"write_every {write_every} and pulses_per_cell {pulses_per_cell} refused: the "
                f"first must be at least 1, the second {self.pulses.max_pulses}, which one write "
                "may take."
            )
        self.model = model
        self.tiling = tiling
        self.contact = contact
        self.thresholds = thresholds
        self.write_every = write_every
        self.pulses_per_cell = pulses_per_cell
        cells = tiling.geometry.cells
        self.used = {die: tiling.used(die) for die in tiling.dies}
        self.low = {die: np.zeros(cells, np.bool_) for die in tiling.dies}
        """By die: (cells,) True where a cell was last read as LOW."""
        self.given = {die: np.zeros(cells, np.int64) for die in tiling.dies}
        """By die: (cells,) pulses so far."""

    def program(self) -> None:
        """Write every weight, before the first step, and compute with what the cells hold."""
        wanted = self.tiling.states_for(signs_of(self.model))
        for address, cells in self.used.items():
            with self.contact(address) as die:
                self.low[address][cells] = self._read(die, cells)
                self._write(die, wanted[address])
        hold(self.model, self.tiling.weights_of(self.low))

    def __call__(self, step: int) -> None:
        """After a step, counted from 1: write the cells that are to change, if it is time."""
        if step % self.write_every:
            return
        wanted = self.tiling.states_for(signs_of(self.model))
        for address, cells in self.used.items():
            if (self.low[address][cells] != wanted[address][cells]).any():
                with self.contact(address) as die:
                    self._write(die, wanted[address])
        hold(self.model, self.tiling.weights_of(self.low))

    def _write(self, die: MemoryDie, wanted: NDArray[np.bool_]) -> None:
        cells = self.used[die.address]
        low, given = self.low[die.address], self.given[die.address]
        room = room_to_write(die, given, self.pulses.max_pulses, self.pulses_per_cell)
        cells = cells[room[cells] & (low[cells] != wanted[cells])]
        threshold = self.thresholds[die.address]
        for block in program_and_verify(die, self.pulses, cells, wanted[cells], threshold):
            given[block.cells] += block.pulses
        low[cells] = self._read(die, cells)

    def _read(self, die: MemoryDie, cells: NDArray[np.intp]) -> NDArray[np.bool_]:
        return read_states(die, cells, self.thresholds[die.address], self.pulses.read_amplitude)
