"""A 4200A on a station with one cell, and how to talk to it."""

import numpy as np

from crossbar.geometry import DieAddress, DieGeometry
from physics.wafer import SimulatedWafer
from simulated_instruments.probe_station import ProbeStation

DIE = DieAddress(0, 0)
CELL = 12
TO_SMU = ":PMU:RPM:CONFIGURE PMU1-1, 2"


class RecordingStation(ProbeStation):
    """Notes every pulse on its way to the cell."""

    def pulse(self, cell, voltage, width, impedance):
        if voltage:
            self.trigger_lines.setdefault(0, []).append((cell, voltage, width, impedance))
        super().pulse(cell, voltage, width, impedance)

    @property
    def pulses(self):
        return self.trigger_lines.get(0, [])


def new_station():
    """In contact, one cell connected to everything."""
    wafer = SimulatedWafer(
        addresses=[DIE], geometry=DieGeometry(subarrays=1, rows=5, columns=5), seed=3
    )
    station = RecordingStation(wafer=wafer, die_under_needles=DIE, in_contact=True)
    station.route(CELL)
    return station


def ask(emulator, *messages):
    """The reply to the last message; all others are acknowledged."""
    for message in messages:
        emulator.receive(message.encode() + b"\0")
        (reply,) = emulator.replies
        emulator.replies.clear()
        if message != messages[-1]:
            assert reply == b"ACK\0", message
    return reply.decode().removesuffix("\0")


def expected_current(station, voltage):
    return voltage * station.die.conductance(np.array([CELL]), voltage)[0]
