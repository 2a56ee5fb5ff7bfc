"""Weights that are pairs of HfOx cells of the die under the needles, taught in place.

What `training.weak_reset_memory` is in a model this is on the bench: the same signs, the same
pulses, and no other memory of a weight than its two cells.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from crossbar.errors import DataError
from crossbar.geometry import CellIndices
from crossbar.memory_die import MemoryDie
from crossbar.pulses import Pulse, State
from crossbar.units import Siemens, Volts
from physics.weak_reset import REFERENCE_AMPLITUDE, REFERENCE_WIDTH
from protocols.restoring import Restoring
from training.bit_memory import held
from training.weak_reset_memory import on_each_cell


@dataclass(frozen=True, kw_only=True)
class DiePulses:
    """What cells are made ready and taught with."""

    weak: Pulse = field(
        default_factory=lambda: Pulse.writing(State.HIGH, REFERENCE_AMPLITUDE, REFERENCE_WIDTH)
    )
    """The pulse that the published model counts (`physics.weak_reset.reference_pulses`)."""
    forming: Pulse = field(default_factory=lambda: Pulse.writing(State.LOW, 3.3, 1e-6))
    formed_above: Siemens = 0.2e-6
    """A cell that conducts less, and no other, gets the forming pulse."""
    restoring: Restoring = field(
        default_factory=lambda: Restoring(
            amplitude=2.0, width=1e-6, read_amplitude=0.2, min_window=1.15
        )
    )
    low: tuple[Siemens, Siemens] = (80e-6, 250e-6)
    """What a cell conducts after a SET, or it is not used."""


class DiePairs:
    """The weights of one layer; `training.weak_reset_learning.PulsedMemory`."""

    def __init__(
        self, die: MemoryDie, cells: CellIndices, pulse: Pulse, read_amplitude: Volts
    ) -> None:
        """``cells`` (2, *weights): flat indices of BL and of BLb."""
        self.die = die
        self.cells = cells
        self.pulse = pulse
        self.read_amplitude = read_amplitude

    def read(self, latents: Tensor) -> Tensor:
        """+-1 by one reading of every cell; their gradient goes straight through."""
        true, inverted = self.conductance()
        return held(latents, torch.from_numpy(np.where(true <= inverted, 1.0, -1.0)).float())

    def conductance(self) -> NDArray[np.float64]:
        """(2, *weights) Siemens by one reading of every cell."""
        readings = self.die.read(self.cells.ravel(), self.read_amplitude)
        return readings.conductance.reshape(self.cells.shape)

    def log_resistance(self) -> Tensor:
        """(2, *weights) ln(R / Ohm) by one reading of every cell; float32."""
        return torch.from_numpy(-np.log(np.maximum(self.conductance(), 1e-12))).float()

    def scatter(self, pulses: int, generator: torch.Generator) -> None:
        """Give each cell 0 to so many pulses by chance, as `WeakResetSetup.scattered` has it."""
        true, inverted = torch.randint(pulses + 1, self.cells.shape, generator=generator)
        self.give(true)
        self.give(-inverted)

    def give(self, pulses: Tensor) -> None:
        """(*weights) whole pulses, to BL where positive, else to BLb; in bursts of 1, 2, 4, ... to
        all cells that take part in one.
        """
        counts = on_each_cell(pulses).numpy().astype(np.int64).ravel()
        for digit in range(int(counts.max()).bit_length()):
            taking = (counts >> digit & 1).astype(np.bool_)
            if taking.any():
                self.die.write(self.cells.ravel()[taking], self.pulse, times=1 << digit)


def ready_cells(die: MemoryDie, count: int, pulses: DiePulses) -> CellIndices:
    """(count,) cells of the die that switch, each SET; those that are fresh are formed first.

    Raises DataError if the die has not so many.
    """
    restoring, found = pulses.restoring, np.zeros(0, np.intp)
    for start in range(0, die.geometry.cells, count):
        cells = np.arange(start, min(start + count, die.geometry.cells))
        fresh = die.read(cells, restoring.read_amplitude).conductance < pulses.formed_above
        if fresh.any():
            die.write(cells[fresh], pulses.forming)
        _, switches = restoring.thresholds(die, cells)
        cells = cells[switches]
        die.write(cells, restoring.pulse(State.LOW))
        conductance = die.read(cells, restoring.read_amplitude).conductance
        low, high = pulses.low
        found = np.concatenate([found, cells[(conductance >= low) & (conductance <= high)]])
        if len(found) >= count:
            return found[:count]
    raise DataError(
        f"Die {die.address} has {len(found)} cells that form, switch and SET, of {count} that the "
        "network takes. Use a smaller network, or another die."
    )
