"""A probe station for one emulator: one die in contact, one of its cells connected."""

from dataclasses import dataclass, field

from crossbar.geometry import DieAddress, DieGeometry
from physics.wafer import SimulatedWafer
from simulated_instruments.probe_station import ProbeStation

DIE = DieAddress(0, 0)
GEOMETRY = DieGeometry(subarrays=1, rows=5, columns=5)
CELL = 12
"""In the middle of the array."""
MATRIX_GEOMETRY = DieGeometry(subarrays=1, rows=4, columns=4)


@dataclass(kw_only=True)
class RecordingStation(ProbeStation):
    """Notes what comes in at its connector, whether it reaches a cell or not; 0 V is no pulse."""

    pulses: list[tuple[float, float, float]] = field(default_factory=list)
    """Open-circuit volts, width and source impedance."""

    def pulse(self, cell, voltage, width, impedance):
        if voltage:
            self.pulses.append((voltage, width, impedance))
        super().pulse(cell, voltage, width, impedance)

    @property
    def volts(self):
        """Of the pulses that came in."""
        return [voltage for voltage, _, _ in self.pulses]


def one_cell_station():
    """SMU and pulse generator reach the same cell."""
    wafer = SimulatedWafer(addresses=[DIE], geometry=GEOMETRY, seed=3)
    station = RecordingStation(wafer=wafer, die_under_needles=DIE, in_contact=True)
    station.route(CELL)
    return station


def matrix_station(geometry=MATRIX_GEOMETRY):
    """Nothing is connected before a switch matrix does it."""
    wafer = SimulatedWafer(addresses=[DIE], geometry=geometry, seed=3)
    return ProbeStation(wafer=wafer, die_under_needles=DIE, in_contact=True)
