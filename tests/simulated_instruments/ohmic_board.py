"""A die board in contact with a die of known resistors, and how to talk to it."""

import numpy as np

from crossbar.attempts import AttemptCounts
from crossbar.geometry import DieAddress, DieGeometry
from simulated_instruments.die_board import EmulatedDieBoard
from simulated_instruments.probe_station import ProbeStation
from simulated_instruments.scpi_grammar import as_block

GEOMETRY = DieGeometry(subarrays=2, rows=4, columns=5)
LIMITS = b"LIM:AMPL 1.2;WIDT:MAX 1MS;MIN 1NS;:LIM:READ 0.3\n"
NO_ERROR = '+0,"No error"'


class OhmicDie:
    """A die of known resistors that notes every stimulus; it stands where a SimulatedDie would."""

    def __init__(self):
        self.siemens = np.linspace(1e-5, 4e-4, GEOMETRY.cells)
        self.pulses, self.reads, self.plans = [], [0.0], []

    def conduct(self, cells, voltage):
        self.reads.append(float(voltage))
        return self.siemens[cells] * voltage

    def pulse(self, cells, pulse):
        self.pulses.append((cells.tolist(), pulse.amplitude, pulse.width))

    def attempt(self, cells, plan):
        self.plans.append((cells.tolist(), plan))
        self.pulses += [(cells.tolist(), p.amplitude, p.width) for p in (plan.restore, plan.write)]
        self.reads.append(plan.read_amplitude)
        readings = np.full((len(cells), plan.attempts, 2), 1e-4) if plan.keep_readings else None
        return AttemptCounts(
            attempts=plan.attempts, rejected=cells * 0 + 1, errors=cells + 10, readings=readings
        )

    def dot_product(self, subarray, row_voltages):
        self.reads.append(float(np.abs(row_voltages).max()))
        return row_voltages @ self.siemens.reshape(GEOMETRY.shape)[subarray]


class OneDieWafer:
    """A wafer with that die and no other."""

    geometry = GEOMETRY

    def __init__(self, die):
        self._die = die

    def die(self, address):
        return self._die


def make_board(limits=LIMITS):
    station = ProbeStation(
        wafer=OneDieWafer(OhmicDie()), die_under_needles=DieAddress(0, 0), in_contact=True
    )
    board = EmulatedDieBoard(station)
    board.receive(b"*CLS\n" + limits)
    assert not board.errors
    return board


def ask(board, *parts):
    message = b"".join(p.encode() if isinstance(p, str) else p for p in parts)
    board.receive(message + b"\n")
    reply = b"".join(board.replies)
    board.replies.clear()
    return reply.removesuffix(b"\n")


def ask_text(board, *parts):
    return ask(board, *parts).decode()


def block_of(values, dtype):
    return as_block(np.asarray(values).astype(dtype).tobytes())


def list_block(*entries):
    """(volts, seconds, attempts) of each cell."""
    kind = [("volts", "<f4"), ("seconds", "<f4"), ("attempts", "<u4")]
    return block_of(np.array(list(entries), dtype=kind), kind)


def unblock(reply, dtype):
    digits = int(reply[1:2])
    assert reply[:1] == b"#"
    assert int(reply[2 : 2 + digits]) == len(reply) - 2 - digits
    return np.frombuffer(reply[2 + digits :], dtype=dtype)
