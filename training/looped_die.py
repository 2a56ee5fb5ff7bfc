"""A die in the training loop: what its cells hold, what it adds up, and pulses within bounds."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from crossbar.defect_map import DefectMap
from crossbar.errors import ConfigurationError
from crossbar.memory_die import MemoryDie
from crossbar.units import Ratio
from protocols.program_and_verify import ProgramAndVerifyParameters, program_and_verify
from training.calibration import Calibration
from training.column_sums import PartCurrents, currents_of_die, hidden_sums, output_sums
from training.defect_aware_store import DefectAwareStore
from training.solution import Solution


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One time that cells were written."""

    cells: int
    """That were to change and could be given pulses."""
    failed: int
    """Of them, those that read as before."""
    pulses: int
    worn_out: int
    """Cells of the network that may get no further pulse."""


@dataclass(frozen=True, kw_only=True)
class DieSums:
    """Sums through the die's own dot product; the port `training.network.MeasuredSums`."""

    currents: PartCurrents
    solution: Solution
    """Says where the weights are; its numbers are not used."""
    calibration: Calibration

    def hidden(self, images: NDArray[np.float32]) -> NDArray[np.float64]:
        """(batch, hidden) sums of layer 1."""
        return hidden_sums(self.currents, self.solution, images, self.calibration)

    def outputs(self, driven: NDArray[np.float64]) -> NDArray[np.float64]:
        """(batch, copies, outputs) sums of layer 2."""
        return output_sums(self.currents, self.solution, driven, self.calibration)


def room_to_write(
    die: MemoryDie, given: NDArray[np.int64], pulses: int, pulses_per_cell: int
) -> NDArray[np.bool_]:
    """(cells of the die,) True where so many more pulses, on top of those ``given`` in this
    training, are within ``pulses_per_cell`` and the stress ledger's budget.
    """
    room = given + pulses <= pulses_per_cell
    return room if die.ledger is None else room & die.ledger.has_room(pulses)


class LoopedDie:
    """The cells of one die, written as the latents ask; the port `WeightStore`.

    Conductances are those that were read when a cell was last written. Dead cells of the map and
    cells that may get no further pulse have no gradient.
    """

    def __init__(
        self,
        *,
        die: MemoryDie,
        defect_map: DefectMap,
        solution: Solution,
        read_amplitude: float,
        pulses: ProgramAndVerifyParameters,
        pulses_per_cell: int,
    ) -> None:
        """``solution`` says where the weights are and what the cells are to hold at first.

        Raises ConfigurationError for a solution of another geometry, and for a bound of pulses
        that does not allow a single write.
        """
        if pulses_per_cell < pulses.max_pulses:
            raise ConfigurationError(
                f"pulses_per_cell {pulses_per_cell} allows no write, which may take "
                f"{pulses.max_pulses} pulses. Raise pulses_per_cell, or lower pulses_per_write."
            )
        self.die = die
        self.pulses = pulses
        self.pulses_per_cell = pulses_per_cell
        self.model = DefectAwareStore.of(defect_map)
        self.calibration = Calibration.of(defect_map, read_amplitude)
        self.threshold = defect_map.decision_threshold
        self.cells, _ = solution.placement.target_states(solution.target_low)
        self.solution = solution
        first = np.where(solution.target_low, defect_map.low, defect_map.high).ravel()
        self.conductance: NDArray[np.float64] = np.array(first, dtype=np.float64)
        """(cells of the die,) Siemens as last read, or as mapped where no weight is."""
        self.given: NDArray[np.int64] = np.zeros(die.geometry.cells, np.int64)
        """(cells of the die,) Pulses in this training."""

    @property
    def window(self) -> Ratio:
        """As the map has it."""
        return self.model.window

    @cached_property
    def sums(self) -> DieSums | None:
        """What the die adds up; None where its hardware has no dot product."""
        if self.die.multiplier is None:
            return None
        currents = currents_of_die(self.die, self.solution)
        return DieSums(currents=currents, solution=self.solution, calibration=self.calibration)

    def realize(self, latents: Tensor) -> Tensor:
        """(1, subarrays, rows, columns) relative conductances as read; see `WeightStore`."""
        relative = torch.from_numpy(self.conductance / self.calibration.median_low)
        held = relative.to(latents.dtype).view(latents.shape)
        writable = torch.from_numpy(self.writable).view(latents.shape)
        soft = torch.where(writable, self.model.half, 0.0) * latents.clamp(-1, 1)
        return (held + (soft - soft.detach())).unsqueeze(0)

    @property
    def holds_low(self) -> NDArray[np.bool_]:
        """(subarrays, rows, columns) True where a cell was last read as LOW."""
        return (self.conductance >= self.threshold).reshape(self.die.geometry.shape)

    @property
    def writable(self) -> NDArray[np.bool_]:
        """(cells of the die,) True where the bounds leave room for one more write."""
        return room_to_write(self.die, self.given, self.pulses.max_pulses, self.pulses_per_cell)

    def program(self) -> Written:
        """Bring every cell of the network to the solution's state, whatever it holds."""
        return self._write(self.cells, self.solution.target_low.ravel()[self.cells])

    def write(self, want_low: NDArray[np.bool_]) -> Written:
        """Write the cells that hold something else than ``want_low`` (the die's shape) asks.

        Dead cells of the map are left alone, and so are those that may get no further pulse.
        """
        wanted = want_low.ravel()[self.cells]
        differs = self.holds_low.ravel()[self.cells] != wanted
        alive = self.model.half.numpy().ravel()[self.cells] != 0
        return self._write(self.cells[differs & alive], wanted[differs & alive])

    def _write(self, cells: NDArray[np.intp], low: NDArray[np.bool_]) -> Written:
        room = self.writable[cells]
        cells, low = cells[room], low[room]
        failed = pulses = 0
        for block in program_and_verify(self.die, self.pulses, cells, low, self.threshold):
            self.conductance[block.cells] = block.conductance
            self.given[block.cells] += block.pulses
            failed += int((~block.verified).sum())
            pulses += int(block.pulses.sum())
        worn_out = int((~self.writable[self.cells]).sum())
        return Written(cells=len(cells), failed=failed, pulses=pulses, worn_out=worn_out)

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """What is known of the cells, as arrays."""
        return {"conductance": self.conductance.copy(), "given": self.given.copy()}

    def restore(self, snapshot: Mapping[str, NDArray[Any]]) -> None:
        """Take over what `snapshot` returned; the cells themselves stay as they are."""
        self.conductance = np.array(snapshot["conductance"], dtype=np.float64)
        self.given = np.array(snapshot["given"], dtype=np.int64)

    def bring_back(self) -> Written:
        """After `restore`, on a die that meanwhile was given other pulses: read every cell of the
        network, and write those that hold something else than they did.
        """
        held = self.holds_low.ravel()[self.cells]
        now = self.die.read(self.cells, self.pulses.read_amplitude).conductance
        self.conductance[self.cells] = now
        differs = (now >= self.threshold) != held
        alive = self.model.half.numpy().ravel()[self.cells] != 0
        return self._write(self.cells[differs & alive], held[differs & alive])
