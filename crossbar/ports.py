"""The ports: what the layers above may ask of a bench, in protocols of one to three methods.

`PulseSource`, `CurrentMeter`, `CellSelector` and `Prober` are offered by single instruments;
`CellAccess`, `PulseBursts`, `AttemptSequencer`, `AttemptLister` and `DotProduct` by an addressed
die (`drivers/die_access`), which `crossbar.memory_die.MemoryDie` gathers into the one object that
protocols and training see.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from crossbar.attempts import AttemptCounts, AttemptList, AttemptPlan, ListCounts
from crossbar.geometry import CellAddress, CellIndices, DieAddress
from crossbar.pulses import Pulse
from crossbar.units import Seconds, Volts


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """One reading of each of n cells."""

    voltage: Volts
    """At the cell."""
    current: NDArray[np.float64]
    """(n,) Amperes."""
    in_compliance: NDArray[np.bool_]
    """(n,) True where the meter clamped: such a reading is not a resistance."""

    @property
    def conductance(self) -> NDArray[np.float64]:
        """(n,) Siemens."""
        return self.current / self.voltage


class PulseSource(Protocol):
    """Sends write pulses. Amplitudes are volts at the generator, which `die_access` works out."""

    def apply(self, pulse: Pulse) -> None:
        """Send one pulse; return when it is over. Never repeated on an error."""

    def off(self) -> None:
        """Switch the output off."""


class CurrentMeter(Protocol):
    """Forces a voltage and measures the current."""

    def measure(self, voltage: Volts) -> tuple[float, bool]:
        """Current in amperes at this voltage, and whether the meter was in compliance."""

    def off(self) -> None:
        """Switch the output off."""


class Clock(Protocol):
    """The time on the bench: real, or virtual where the bench is simulated."""

    @property
    def now(self) -> Seconds:
        """Since a moment that is the same for every run on this wafer; never goes back, even from
        an interrupted run to the one that resumes it.
        """

    def wait(self, duration: Seconds) -> None:
        """Let this much time pass; nothing if it is not positive."""


class Terminal(Enum):
    """What a selected cell is to be connected to."""

    METER = "meter"
    PULSE_SOURCE = "pulse source"


class CellSelector(Protocol):
    """Connects one cell at a time to the bench's pulse source or meter."""

    def select(self, cell: CellAddress, terminal: Terminal) -> None:
        """Connect this cell and no other; hardware that cannot choose connects both terminals."""

    def release(self) -> None:
        """Open every path."""


class Prober(Protocol):
    """Moves the wafer under the needles."""

    def go_to(self, die: DieAddress) -> None:
        """Bring this die under the needles, separated. Raises InstrumentError if there is none."""

    def contact(self) -> None:
        """Raise the chuck until the needles touch."""

    def separate(self) -> None:
        """Lower the chuck. Safe to call at any time."""


class CellAccess(Protocol):
    """Reads and writes cells of the die under the needles."""

    @property
    def cells_at_once(self) -> int:
        """How many cells the hardware takes in one operation: 1, a row, or the whole die."""

    def read(self, cells: CellIndices, amplitude: Volts) -> Readings:
        """Read each of the (n,) cells once."""

    def write(self, cells: CellIndices, pulse: Pulse) -> None:
        """Give each of the (n,) cells one pulse."""


class PulseBursts(Protocol):
    """Gives many equal pulses without the computer in between."""

    def burst(self, cells: CellIndices, pulse: Pulse, times: int) -> None:
        """Give each of the (n,) cells the pulse so many times."""


class AttemptSequencer(Protocol):
    """Runs many write attempts without the computer in between."""

    @property
    def execution(self) -> str:
        """ "board" or "instrument": who keeps the time; stored with every record."""

    def accepts(self, plan: AttemptPlan) -> bool:
        """Whether the hardware can run this plan."""

    def attempt(self, cells: CellIndices, plan: AttemptPlan) -> AttemptCounts:
        """Run the plan on the (n,) cells."""


class AttemptLister(Protocol):
    """Runs attempts on many cells, each with a pulse and a number of its own, as one operation."""

    def attempt_list(self, cells: CellIndices, listed: AttemptList) -> ListCounts:
        """Run the list on the (n,) different cells."""


class DotProduct(Protocol):
    """Multiplies row voltages with the conductances of a sub-array, in the analog domain."""

    def dot_product(self, subarray: int, row_voltages: NDArray[np.float64]) -> NDArray[np.float64]:
        """(batch, rows) volts in, (batch, columns) amperes out."""
