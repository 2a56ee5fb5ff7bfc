"""What write pulses bring into the cells of a die: V^2 t / R, each in the state it meets.

R is what the cell read last, if no pulse came after that; else what it read after its last pulse of
the polarity that was given since; else that of a typical cell, and that part is told apart. It is
the resistance at the reading voltage, before the pulse: a cell that switches within it, or conducts
better at more volts, takes more or less than is told.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from crossbar.attempts import AttemptPlan
from crossbar.geometry import CellIndices
from crossbar.ports import Readings
from crossbar.pulses import Pulse
from crossbar.units import Joules, Ohms

FloatArray = NDArray[np.float64]


@dataclass(kw_only=True)
class PulseEnergy:
    """Of all cells of a die together, reckoned as pulses and readings go by."""

    cells: int
    total: Joules = 0.0
    typical: Joules = 0.0
    """The part of it that was reckoned with the typical cell."""
    _now: FloatArray = field(init=False)
    """(cells,) Siemens in the present state; NaN where nothing is known."""
    _after: FloatArray = field(init=False)
    """(2, cells) Siemens last read after a pulse of negative, of positive polarity."""
    _polarity: NDArray[np.int8] = field(init=False)
    """(cells,) Place in ``_after`` of the last pulse; -1 before the first."""

    def __post_init__(self) -> None:
        self._now = np.full(self.cells, np.nan)
        self._after = np.full((2, self.cells), np.nan)
        self._polarity = np.full(self.cells, -1, dtype=np.int8)

    def read(self, cells: CellIndices, readings: Readings) -> None:
        """Learn what the (n,) cells conduct; a clamped or a negative reading, or one without a
        voltage, says nothing.
        """
        if readings.voltage == 0:
            return
        good = ~readings.in_compliance & (readings.conductance >= 0)
        seen, cells = readings.conductance[good], cells[good]
        self._now[cells] = seen
        written = self._polarity[cells] >= 0
        self._after[self._polarity[cells[written]], cells[written]] = seen[written]

    def write(self, cells: CellIndices, pulse: Pulse, typical: Ohms, times: int = 1) -> None:
        """Add so many equal pulses on each of the (n,) cells."""
        if times < 1 or pulse.amplitude == 0:
            return
        self._add(self._now[cells], pulse, typical)
        place = int(pulse.amplitude > 0)
        self._add(self._after[place, cells], pulse, typical, times - 1)
        self._now[cells], self._polarity[cells] = self._after[place, cells], place

    def attempt(self, cells: CellIndices, plan: AttemptPlan, typical: Ohms) -> None:
        """Add the attempts of a plan on each of the (n,) cells: restore and write each meet the
        state that the other one leaves, as if none failed.
        """
        self.write(cells, plan.restore, typical)
        self.write(cells, plan.write, typical)
        for pulse, before in ((plan.restore, plan.write), (plan.write, plan.restore)):
            met = self._after[int(before.amplitude > 0), cells]
            self._add(met, pulse, typical, plan.attempts - 1)

    def _add(self, conductance: FloatArray, pulse: Pulse, typical: Ohms, times: int = 1) -> None:
        """Pulses that meet these conductances (n,), NaN where unknown."""
        each = times * pulse.amplitude**2 * pulse.width
        unknown = np.isnan(conductance)
        by_typical = each * int(unknown.sum()) / typical
        self.typical += by_typical
        self.total += by_typical + each * float(conductance[~unknown].sum())
