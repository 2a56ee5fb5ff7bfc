"""The die under the needles, as protocols and training see it: the one gate every pulse passes."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from crossbar.attempts import AttemptCounts, AttemptList, AttemptPlan, ListCounts
from crossbar.clock import WallClock
from crossbar.geometry import CellIndices, DieAddress, DieGeometry
from crossbar.limits import Limits
from crossbar.ports import (
    AttemptLister,
    AttemptSequencer,
    CellAccess,
    Clock,
    DotProduct,
    PulseBursts,
    Readings,
)
from crossbar.pulses import Pulse
from crossbar.stress import StressLedger
from crossbar.units import Volts


@dataclass(frozen=True, kw_only=True)
class MemoryDie:
    """One addressed die: checks every stimulus against the limits, then hands it over."""

    address: DieAddress
    geometry: DieGeometry
    limits: Limits
    access: CellAccess
    bursts: PulseBursts | None = None
    """Who can give many pulses at once; None where the computer sends them one by one."""
    sequencers: Sequence[AttemptSequencer] = ()
    """Who can run attempts, fastest first; empty where only software can."""
    lister: AttemptLister | None = None
    """Who can give each cell a pulse of its own in one operation; None where nobody can."""
    multiplier: DotProduct | None = None
    """None where the hardware has no analog dot product."""
    ledger: StressLedger | None = None
    """Counts the pulses of every cell; None where nobody does."""
    clock: Clock = field(default_factory=WallClock)
    """The bench's, for protocols that wait."""

    def read(self, cells: CellIndices, amplitude: Volts) -> Readings:
        """Read each of the (n,) cells once. Raises LimitError above the read limit."""
        self.limits.check_read(amplitude)
        checked = self.geometry.check(cells)
        if self.ledger is not None:
            self.ledger.reads += len(checked)
        readings = self.access.read(checked, amplitude)
        if self.ledger is not None:
            self.ledger.energy.read(checked, readings)
        return readings

    def write(self, cells: CellIndices, pulse: Pulse, times: int = 1) -> None:
        """Give each of the (n,) cells one pulse, or so many equal ones by the fastest means there
        is. Raises LimitError before anything is sent.
        """
        self.limits.check_pulse(pulse)
        checked = self.geometry.check(cells)
        if self.ledger is not None:
            self.ledger.charge(checked, times)
            self.ledger.energy.write(checked, pulse, self.limits.cell_resistance, times)
        if times > 1 and self.bursts is not None:
            self.bursts.burst(checked, pulse, times)
        else:
            for _ in range(times):
                self.access.write(checked, pulse)

    def sequencer_for(self, plan: AttemptPlan) -> AttemptSequencer | None:
        """The fastest hardware that can run this plan, or None: then software must keep time."""
        return next((s for s in self.sequencers if s.accepts(plan)), None)

    def attempt(
        self, cells: CellIndices, plan: AttemptPlan, sequencer: AttemptSequencer
    ) -> AttemptCounts:
        """Run attempts on the (n,) cells. Raises LimitError before anything is sent."""
        self.limits.check_pulse(plan.restore)
        self.limits.check_pulse(plan.write)
        self.limits.check_read(plan.read_amplitude)
        checked = self.geometry.check(cells)
        if self.ledger is not None:
            self.ledger.charge(checked, 2 * plan.attempts)  # a restore and a write
            self.ledger.energy.attempt(checked, plan, self.limits.cell_resistance)
        return sequencer.attempt(checked, plan)

    def attempt_list(
        self, cells: CellIndices, listed: AttemptList, lister: AttemptLister
    ) -> ListCounts:
        """Run the list on the (n,) cells. Raises LimitError before anything is sent."""
        self.limits.check_pulse(listed.restore)
        self.limits.check_read(listed.read_amplitude)
        checked = self.geometry.check(cells)
        parts = list(listed.parts())
        for _, plan in parts:
            self.limits.check_pulse(plan.write)
        if self.ledger is not None:
            self.ledger.charge(checked, 2 * listed.attempts)  # a restore and a write
            for places, plan in parts:
                self.ledger.energy.attempt(checked[places], plan, self.limits.cell_resistance)
        return lister.attempt_list(checked, listed)

    def dot_product(self, subarray: int, row_voltages: NDArray[np.float64]) -> NDArray[np.float64]:
        """(batch, rows) volts in, (batch, columns) amperes out. Raises LimitError, or TypeError
        where `multiplier` is None: ask first.
        """
        if self.multiplier is None:
            raise TypeError(f"die {self.address} is reached by hardware without a dot product")
        largest = float(np.max(np.abs(row_voltages), initial=0.0))
        if largest != 0:  # a dark image is an image
            self.limits.check_read(largest)
        return self.multiplier.dot_product(subarray, row_voltages)
