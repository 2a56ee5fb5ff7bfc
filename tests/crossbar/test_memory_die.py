"""The gate: nothing reaches the hardware that the limits forbid."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossbar.attempts import AttemptCounts, AttemptList, AttemptPlan, ListCounts
from crossbar.errors import LabError, LimitError
from crossbar.geometry import DieAddress, DieGeometry
from crossbar.limits import Limits
from crossbar.memory_die import MemoryDie
from crossbar.ports import Readings
from crossbar.pulses import Pulse, State
from crossbar.stress import StressLedger

LIMITS = Limits(
    max_amplitude=1.2,
    min_width=1e-9,
    max_width=1e-3,
    max_read_amplitude=0.3,
    max_current=1e-3,
    source="bench.toml [limits]",
)
CELLS = np.arange(3)


class RecordingHardware:
    """Stands behind the ports and remembers every stimulus that reached it."""

    execution = "board"
    cells_at_once = 100

    def __init__(self):
        self.voltages, self.widths = [], []

    def read(self, cells, amplitude):
        self.voltages.append(("read", amplitude))
        return Readings(
            voltage=amplitude,
            current=np.zeros(len(cells)),
            in_compliance=np.zeros(len(cells), bool),
        )

    def write(self, cells, pulse):
        self.voltages.append(("write", pulse.amplitude))
        self.widths.append(pulse.width)

    def accepts(self, plan):
        return True

    def attempt(self, cells, plan):
        for pulse in (plan.restore, plan.write):
            self.write(cells, pulse)
        self.read(cells, plan.read_amplitude)
        zeros = np.zeros(len(cells), np.int64)
        return AttemptCounts(attempts=plan.attempts, rejected=zeros, errors=zeros)

    def attempt_list(self, cells, listed):
        for places, plan in listed.parts():
            self.attempt(cells[places], plan)
        return ListCounts(rejected=cells * 0, errors=cells * 0)

    def dot_product(self, subarray, row_voltages):
        self.voltages.extend(("read", v) for v in np.ravel(row_voltages))
        return np.zeros((len(row_voltages), 50))


def test_many_pulses_go_out_at_once_where_the_hardware_can():
    """One burst, else pulse by pulse; counted before, and refused as a whole."""

    class Bursting(RecordingHardware):
        def burst(self, cells, pulse, times):
            self.voltages.append(("burst", times))

    pulse = Pulse(amplitude=-0.5, width=2e-7)
    for hardware, expected in (
        (RecordingHardware(), [("write", -0.5)] * 3),
        (Bursting(), [("burst", 3)]),
    ):
        counts = np.zeros(DieGeometry().cells, np.int64)
        ledger = StressLedger(pulses=counts, budget=5, source="x", keep=lambda *_: None)
        bursts = hardware if isinstance(hardware, Bursting) else None
        die = dataclasses.replace(die_on(hardware), bursts=bursts, ledger=ledger)
        die.write(CELLS, pulse, times=3)
        assert hardware.voltages == expected
        assert counts[CELLS].tolist() == [3, 3, 3]
        with pytest.raises(LimitError, match="budget"):
            die.write(CELLS, pulse, times=3)
        assert hardware.voltages == expected


def die_on(hardware):
    return MemoryDie(
        address=DieAddress(0, 0),
        geometry=DieGeometry(),
        limits=LIMITS,
        access=hardware,
        sequencers=(hardware,),
        lister=hardware,
        multiplier=hardware,
    )


volts = st.floats(-3, 3) | st.sampled_from([1.2, -1.2, 1.2000001, float("nan")])
widths = st.floats(1e-10, 1e-2)


@given(amplitude=volts, width=widths, read=volts, kind=st.integers(0, 4))
def test_no_stimulus_beyond_the_limits_reaches_the_hardware(amplitude, width, read, kind):
    """Whatever is asked through whichever verb: it is within limits, or refused before."""
    hardware = RecordingHardware()
    die = die_on(hardware)
    try:
        if kind == 0:
            die.read(CELLS, read)
        elif kind == 1:
            die.write(CELLS, Pulse(amplitude=amplitude, width=width))
        elif kind == 2:
            plan = AttemptPlan(
                initial=State.HIGH,
                restore=Pulse(amplitude=-1.0, width=1e-7),
                write=Pulse(amplitude=amplitude, width=width),
                read_amplitude=read,
                threshold=np.ones(3),
                attempts=2,
            )
            die.attempt(CELLS, plan, hardware)
        elif kind == 3:
            listed = AttemptList(
                initial=State.HIGH,
                restore=Pulse(amplitude=-1.0, width=1e-7),
                read_amplitude=read,
                threshold=np.ones(3),
                amplitude=np.array([0.5, 0.6, amplitude]),
                width=np.array([1e-8, width, 1e-8]),
                attempts=np.array([1, 2, 3]),
            )
            die.attempt_list(CELLS, listed, hardware)
        else:
            die.dot_product(0, np.full((2, 100), read))
    except LimitError:
        assert hardware.voltages == []

    assert all(abs(v) <= (0.3 if what == "read" else 1.2) for what, v in hardware.voltages)
    assert all(1e-9 <= width <= 1e-3 for width in hardware.widths)


def test_the_message_names_value_limit_origin_and_remedy():
    """At two in the morning the message is all there is."""
    with pytest.raises(LimitError) as caught:
        die_on(RecordingHardware()).write(CELLS, Pulse(amplitude=1.6, width=1e-8))

    assert str(caught.value) == (
        "Pulse of 1.6 V refused: the limit is ±1.2 V, set by bench.toml [limits] max_amplitude. "
        "Lower the pulse, or raise the limit there."
    )


@pytest.mark.parametrize("cells", [[20_000], [-1]])
def test_cells_off_the_die_are_refused(cells):
    """An address error is found here, not by the instrument."""
    hardware = RecordingHardware()
    with pytest.raises(LabError, match="cells 0 to 19999"):
        die_on(hardware).write(np.array(cells), Pulse(amplitude=1.0, width=1e-8))

    assert hardware.voltages == []


@pytest.mark.parametrize("width", [0.0, -1e-9, float("nan"), float("inf")])
def test_a_pulse_without_a_sensible_width_cannot_be_made(width):
    """Not a number is no width."""
    with pytest.raises(LimitError):
        Pulse(amplitude=1.0, width=width)


def test_energy_is_limited():
    """V^2 t / R of a typical cell: 1 V for 1 us into 1 kOhm are 1 nJ."""
    limits = dataclasses.replace(LIMITS, max_energy=1e-9, cell_resistance=1e3, max_width=1.0)
    limits.check_pulse(Pulse(amplitude=1.0, width=0.99e-6))
    with pytest.raises(LimitError, match=r"limit is 1 nJ, set by .* max_energy"):
        limits.check_pulse(Pulse(amplitude=-1.0, width=1.1e-6))


def test_a_list_is_charged_to_each_cell_by_itself():
    """Two pulses an attempt, and the energy of each cell's own pulse."""
    ledger = StressLedger(
        pulses=np.zeros(20_000, np.int64),
        budget=10**6,
        source="bench.toml [limits.mtj]",
        keep=lambda pulses, exact: None,
    )
    limits = dataclasses.replace(LIMITS, cell_resistance=1e3)
    hardware = RecordingHardware()
    die = dataclasses.replace(die_on(hardware), limits=limits, ledger=ledger)
    listed = AttemptList(
        initial=State.HIGH,
        restore=Pulse(amplitude=-1.0, width=1e-7),
        read_amplitude=0.1,
        threshold=np.ones(3),
        amplitude=np.array([0.5, 1.0, 0.5]),
        width=np.full(3, 1e-7),
        attempts=np.array([10, 20, 10]),
    )

    die.attempt_list(np.array([7, 2, 9]), listed, hardware)

    assert ledger.pulses[[7, 2, 9]].tolist() == [20, 40, 20]
    assert (ledger.sent, ledger.pulses.sum()) == (80, 80)
    assert ledger.energy.total == pytest.approx(1e-10 * (2 * 10 * 1.25 + 20 * 2.0))
    with pytest.raises(LimitError, match="2,000,000 more pulses on cell 2 refused"):
        die.attempt_list(
            np.array([7, 2]),
            dataclasses.replace(
                listed,
                threshold=np.ones(2),
                amplitude=np.full(2, 0.5),
                width=np.full(2, 1e-7),
                attempts=np.array([1, 10**6]),
            ),
            hardware,
        )
    assert ledger.pulses.sum() == 80


def test_cells_of_a_list_that_share_a_pulse_are_one_plan():
    """In the order in which they first appear, each with its own thresholds."""
    listed = AttemptList(
        initial=State.LOW,
        restore=Pulse(amplitude=1.0, width=1e-7),
        read_amplitude=0.1,
        threshold=np.array([1.0, 2.0, 3.0]),
        amplitude=np.array([-0.5, -0.6, -0.5]),
        width=np.full(3, 1e-8),
        attempts=np.array([5, 5, 5]),
    )

    (first, one), (second, other) = listed.parts()

    assert (first.tolist(), second.tolist()) == ([0, 2], [1])
    assert one.threshold.tolist() == [1.0, 3.0]
    assert (one.write.amplitude, other.write.amplitude) == (-0.5, -0.6)
    assert (one.target, one.attempts) == (State.HIGH, 5)
