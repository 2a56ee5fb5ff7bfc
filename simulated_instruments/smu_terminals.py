"""What hangs on an SMU's terminals: the cell that the board routes to it, or nothing.

`ProbeStation.pulse` serves pulse generators: it lets the pulse's width pass, and knows no
current limit. An SMU holds a level while time passes anyway, and clamps; so it has its own way to
the same cell here.
"""

import math
from typing import Protocol

import numpy as np

from crossbar.pulses import Pulse
from crossbar.units import Amperes, Seconds, Volts
from simulated_instruments.probe_station import ProbeStation

READ_LEVEL: Volts = 0.1
"""Up to here a level reads a cell and does not write it: at the default medians the barrier that is
left makes a disturb take hours of reading. Ours."""


class Terminals(Protocol):
    """Two wires out of a SourceMeter."""

    def current(self, voltage: Volts) -> Amperes:
        """One noisy reading of the current at this voltage, without a current limit."""

    def hold(self, voltage: Volts, duration: Seconds, current_limit: Amperes) -> None:
        """The voltage was there for a time that has passed already."""


class RoutedCell:
    """The cell that the board or the switch matrix connects to the SMU."""

    def __init__(self, station: ProbeStation) -> None:
        self.station = station

    def current(self, voltage: Volts) -> Amperes:
        """See `Terminals`. Open circuits carry exactly nothing."""
        return self.station.current(self.station.measured_cell, voltage)

    def hold(self, voltage: Volts, duration: Seconds, current_limit: Amperes) -> None:
        """See `Terminals`. For the cell it was one pulse, at most ``current_limit`` strong.

        What the SMU holds while the board switches over counts for the cell that is routed then.
        """
        die, index = self.station.die, self.station.measured_cell
        if die is None or index is None or abs(voltage) <= READ_LEVEL:
            return
        cell = np.array([index])
        conductance = float(die.conductance(cell, voltage)[0])
        at_cell = self.station.voltage_at_cell(die, index, voltage, impedance=0.0)
        if abs(at_cell) * conductance > current_limit:
            at_cell = math.copysign(current_limit / conductance, voltage)
        die.pulse(cell, Pulse(amplitude=at_cell, width=duration))


class OpenTerminals:
    """Nothing is connected: the second channel of a two-channel model."""

    def current(self, voltage: Volts) -> Amperes:
        """See `Terminals`."""
        return 0.0

    def hold(self, voltage: Volts, duration: Seconds, current_limit: Amperes) -> None:
        """See `Terminals`."""
