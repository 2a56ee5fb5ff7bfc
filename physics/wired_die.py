"""A simulated die whose cells are reached through wires with resistance.

With selectors a cell that is read by itself has its own stretch of word and bit line in series.
Without, a row is read while all other rows and all columns are grounded: an entry of the effective
matrix. A dot product goes through all cells either way.

With selectors a write pulse divides between cell and wires, V_cell = V R_cell / (R_cell + R_wires),
with the R_cell before the pulse, at the pulse's voltage; of attempts, that of the state which the
pulse is to change. Amplitudes at the cells are rounded to `STEP`. Without selectors write pulses
arrive in full, and half-selected cells are not disturbed: neither is modelled. Attempts see the
cell's own stretch of wire only.

The effective matrix is exact for cells that conduct as at the largest row voltage. What voltage
dependence and noise add, a column passes on in the proportion in which it passes on everything.
Where wires take half of the current that is 0.4 % off, elsewhere less.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from crossbar.attempts import AttemptCounts, AttemptPlan
from crossbar.geometry import CellIndices, DieGeometry
from crossbar.pulses import Pulse, State
from crossbar.units import Siemens, Volts
from physics.line_resistance import Wires, effective_matrix, own_path
from physics.operations import distinct
from physics.simulated_die import Clock, SimulatedDie

FloatArray = NDArray[np.float64]

STEP: Volts = 1e-3
"""To which amplitudes at the cells are rounded, so that equal ones are given together; ours."""
NEVER: Siemens = 1e6
"""Threshold of a cell whose wires alone conduct less than what it is to be told by."""


@dataclass(frozen=True, kw_only=True)
class ArrayWiring:
    """How the cells of every sub-array are connected."""

    wires: Wires
    selectors: bool = True
    """Whether a transistor at each cell keeps out the others while one is read."""


class WiredDie:
    """The port `SimulatedDie`, over a die whose own conductances are those of bare cells.

    Effective matrices are kept until a conductance changes.
    """

    def __init__(self, die: SimulatedDie, wiring: ArrayWiring) -> None:
        self.die = die
        self.wiring = wiring
        path = own_path(die.geometry.rows, die.geometry.columns, wiring.wires)
        self._path: FloatArray = np.tile(path.numpy().ravel(), die.geometry.subarrays)
        """(cells,) Ohms in series with a cell that is read by itself, from the left."""
        self._kept: dict[int, tuple[FloatArray, FloatArray]] = {}

    @property
    def geometry(self) -> DieGeometry:
        return self.die.geometry

    @property
    def clock(self) -> Clock:
        return self.die.clock

    @property
    def stress(self) -> FloatArray:
        return self.die.stress

    @property
    def pulses_given(self) -> NDArray[np.int64]:
        return self.die.pulses_given

    @property
    def classes(self) -> NDArray[np.int8]:
        return self.die.classes

    @property
    def touched(self) -> bool:
        return self.die.touched

    def conductance(self, cells: CellIndices, voltage: Volts | FloatArray) -> FloatArray:
        """(n,) Siemens without noise, as they look at the terminals."""
        if self.wiring.selectors:
            return self._through_path(cells, self.die.conductance(cells, voltage))
        seen = np.empty(len(cells))
        size = self.geometry.rows * self.geometry.columns
        for subarray in np.unique(cells // size):
            here = np.flatnonzero(cells // size == subarray)
            matrix, _ = self._matrices(int(subarray), float(np.max(np.abs(voltage))))
            seen[here] = matrix.ravel()[cells[here] - subarray * size]
        return seen

    def conductance_in(self, cells: CellIndices, state: State, voltage: Volts) -> FloatArray:
        """(n,) Siemens at the terminals, of cells with selectors in this state."""
        return self._through_path(cells, self.die.conductance_in(cells, state, voltage))

    def conduct(self, cells: CellIndices, voltage: Volts | FloatArray) -> FloatArray:
        """(n,) Amperes: one reading of each cell, with the noise of the bare cell."""
        lost = self.die.conductance(cells, voltage) - self.conductance(cells, voltage)
        return self.die.conduct(cells, voltage) - voltage * lost

    def pulse(self, cells: CellIndices, pulse: Pulse) -> None:
        """Give each of the (n,) cells one pulse, as much of it as gets there."""
        if not self.wiring.selectors:
            self.die.pulse(cells, pulse)
            return
        for part in distinct(self.geometry.check(cells)):  # a pulse changes what the next one meets
            here = cells[part]
            before = self.die.conductance(here, pulse.amplitude)
            for at_cell, chosen in self._arriving(here, before, pulse):
                self.die.pulse(here[chosen], at_cell)

    def attempt(self, cells: CellIndices, plan: AttemptPlan) -> AttemptCounts:
        """Run the plan; thresholds and readings are conductances at the terminals."""
        room = 1 - plan.threshold * self._path[cells]
        bare = np.divide(plan.threshold, room, out=np.full(len(room), NEVER), where=room > 0)
        counts = self._attempt(self.geometry.check(cells), replace(plan, threshold=bare))
        if counts.readings is None:
            return counts
        wired = counts.readings / (1 + counts.readings * self._path[cells][:, None, None])
        return replace(counts, readings=wired)

    def _attempt(self, cells: CellIndices, plan: AttemptPlan) -> AttemptCounts:
        """The plan with the pulses that arrive; thresholds and readings are those of bare cells."""
        if not self.wiring.selectors:
            return self.die.attempt(cells, plan)
        rejected, errors = np.zeros((2, len(cells)), dtype=np.int64)
        readings = np.full((len(cells), plan.attempts, 2), np.nan) if plan.keep_readings else None
        restored = self.die.conductance_in(cells, plan.target, plan.restore.amplitude)
        written = self.die.conductance_in(cells, plan.initial, plan.write.amplitude)
        for restore, some in self._arriving(cells, restored, plan.restore):
            for write, part in self._arriving(cells[some], written[some], plan.write):
                chosen = some[part]
                threshold = plan.threshold[chosen]
                own = replace(plan, restore=restore, write=write, threshold=threshold)
                counts = self.die.attempt(cells[chosen], own)
                rejected[chosen], errors[chosen] = counts.rejected, counts.errors
                if readings is not None:
                    readings[chosen] = counts.readings
        return AttemptCounts(
            attempts=plan.attempts, rejected=rejected, errors=errors, readings=readings
        )

    def _arriving(
        self, cells: CellIndices, conductance: FloatArray, pulse: Pulse
    ) -> Iterator[tuple[Pulse, NDArray[np.intp]]]:
        """What is left of a pulse at cells that conduct so (n,), and at which positions."""
        steps = np.round(pulse.amplitude / (1 + conductance * self._path[cells]) / STEP)
        for step in np.unique(steps):
            yield replace(pulse, amplitude=float(step) * STEP), np.flatnonzero(steps == step)

    def dot_product(self, subarray: int, row_voltages: FloatArray) -> FloatArray:
        """(batch, rows) volts in, (batch, columns) amperes out of grounded columns, with noise."""
        current = self.die.dot_product(subarray, row_voltages)
        matrix, bare = self._matrices(subarray, float(np.max(np.abs(row_voltages))))
        passed_on = matrix.sum(axis=0) / np.maximum(bare.sum(axis=0), np.finfo(float).tiny)
        return row_voltages @ matrix + passed_on * (current - row_voltages @ bare)

    def snapshot(self) -> dict[str, NDArray]:
        """The state of the cells; wires have none."""
        return self.die.snapshot()

    def restore(self, snapshot: Mapping[str, NDArray]) -> None:
        """Take over a state that `snapshot` returned."""
        self.die.restore(snapshot)

    def _through_path(self, cells: CellIndices, conductance: FloatArray) -> FloatArray:
        return conductance / (1 + conductance * self._path[cells])

    def _matrices(self, subarray: int, voltage: Volts) -> tuple[FloatArray, FloatArray]:
        """(rows, columns) siemens at the terminals, and of the bare cells, at this voltage."""
        rows, columns = self.geometry.rows, self.geometry.columns
        cells = np.arange(subarray * rows * columns, (subarray + 1) * rows * columns)
        bare = self.die.conductance(cells, voltage).reshape(rows, columns)
        kept = self._kept.get(subarray)
        if kept is None or not np.array_equal(kept[1], bare):
            seen = effective_matrix(torch.from_numpy(bare), self.wiring.wires).numpy()
            kept = self._kept[subarray] = seen, bare
        return kept
