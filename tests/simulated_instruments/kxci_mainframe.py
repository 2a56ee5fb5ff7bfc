"""Messages to an emulated 4200A, and its replies."""

import numpy as np

from tests.simulated_instruments.stations import CELL

TO_SMU = ":PMU:RPM:CONFIGURE PMU1-1, 2"


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
