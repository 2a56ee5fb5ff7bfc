"""What the instruments are wired to: the wafer under the needles, and the path to one cell.

Every emulator of a bench holds the same `ProbeStation`, so what a pulse on one does, another reads.
Off contact and with an open route nothing conducts and no pulse arrives.
"""

from dataclasses import dataclass, field

import numpy as np

from crossbar.geometry import DieAddress
from crossbar.pulses import Pulse
from crossbar.units import Amperes, Ohms, Seconds, Volts
from physics.simulated_die import SimulatedDie
from physics.wafer import SimulatedWafer
from physics.wired_die import ArrayWiring, WiredDie
from simulated_instruments.clock import VirtualClock

PATH_RESISTANCE: Ohms = 10.0
"""Switches and needles between the board's bench connectors and a cell. Ours, not measured."""


@dataclass(kw_only=True)
class ProbeStation:
    """One wafer, one chuck, one board, and the wires between them."""

    wafer: SimulatedWafer
    clock: VirtualClock = field(default_factory=VirtualClock)
    die_under_needles: DieAddress | None = None
    in_contact: bool = False
    measured_cell: int | None = None
    """Flat index of the cell that the SMU's terminals reach; None is open."""
    pulsed_cell: int | None = None
    """Flat index of the cell that the pulse generator reaches; None is open."""
    wiring: ArrayWiring | None = None
    """How the cells of a die are connected; None is without resistance."""
    trigger_lines: dict[int, list] = field(default_factory=dict)
    """Callables by digital line: what a trigger pulse on that line sets off."""

    def __post_init__(self) -> None:
        """The wafer lives by the bench's clock."""
        self.wafer.clock = lambda: self.clock.now
        self._wired: dict[DieAddress, WiredDie] = {}

    @property
    def die(self) -> SimulatedDie | None:
        """The die that the needles touch, or None."""
        if not self.in_contact or self.die_under_needles is None:
            return None
        die = self.wafer.die(self.die_under_needles)
        if self.wiring is None:
            return die
        wired = self._wired.get(self.die_under_needles)
        if wired is None or wired.die is not die:  # the wafer's state was loaded anew
            wired = self._wired[self.die_under_needles] = WiredDie(die, self.wiring)
        return wired

    def route(self, cell: int | None) -> None:
        """Connect SMU and pulse generator to one cell, as a board does; None opens both."""
        self.measured_cell = self.pulsed_cell = cell

    def current(self, cell: int | None, voltage: Volts, impedance: Ohms = 0.0) -> Amperes:
        """Current through a cell for a voltage at an instrument's connector; 0 if open."""
        die = self.die
        if die is None or cell is None:
            return 0.0
        at_cell = self.voltage_at_cell(die, cell, voltage, impedance)
        return float(die.conduct(np.array([cell]), at_cell)[0])

    def pulse(self, cell: int | None, voltage: Volts, width: Seconds, impedance: Ohms) -> None:
        """Time passes, and a cell gets a pulse of this open-circuit voltage; none if open."""
        self.clock.advance(width)
        die = self.die
        if die is None or cell is None or voltage == 0:
            return
        at_cell = self.voltage_at_cell(die, cell, voltage, impedance)
        die.pulse(np.array([cell]), Pulse(amplitude=at_cell, width=width))

    def trigger(self, line: int) -> None:
        """Send a trigger pulse on a digital line."""
        for action in self.trigger_lines.get(line, ()):
            action()

    def voltage_at_cell(
        self, die: SimulatedDie, cell: int, voltage: Volts, impedance: Ohms
    ) -> Volts:
        """The divider of source, path and cell, at the cell's conductance in its present state."""
        conductance = float(die.conductance(np.array([cell]), voltage)[0])
        return voltage / (1 + conductance * (impedance + PATH_RESISTANCE))
