"""Attempts timed by the SMU's script, on simulated cells."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from crossbar.attempts import AttemptPlan
from crossbar.defect_map import CellClass
from crossbar.errors import ConfigurationError, InstrumentError, NoReplyError
from crossbar.geometry import CellAddress, DieAddress, DieGeometry
from crossbar.pulses import Pulse, State
from drivers.die_access.scripted import ScriptedSequencer
from drivers.keithley_2600b import Keithley2600B
from drivers.visa import connect
from physics.switching import log_wer
from physics.wafer import SimulatedWafer
from simulated_instruments.keithley_2600b import EmulatedKeithley2600B
from simulated_instruments.probe_station import ProbeStation
from simulated_instruments.visa_library import EmulatorVisaLibrary

DIE = DieAddress(0, 0)
GEOMETRY = DieGeometry(subarrays=1, rows=5, columns=5)
ADDRESS = "GPIB0::26::INSTR"
RESTORE = Pulse.writing(State.HIGH, 0.7, 1e-4)


class TriggeredPulser:
    """Stands in for a pulse generator of no output impedance, on digital line 1."""

    def __init__(self, station: ProbeStation) -> None:
        self.station = station
        self.armed: Pulse | None = None
        self.sent = 0
        station.trigger_lines[1] = [self.fire]

    def arm_external(self, pulse: Pulse) -> None:
        self.armed = pulse

    def off(self) -> None:
        self.armed = None

    def fire(self) -> None:
        if self.armed is not None:
            self.sent += 1
            self.station.pulse(
                self.station.pulsed_cell, self.armed.amplitude, self.armed.width, 0.0
            )


class StationSelector:
    """Stands in for a board that routes cells."""

    def __init__(self, station: ProbeStation) -> None:
        self.station = station

    def select(self, cell: CellAddress) -> None:
        self.station.route(GEOMETRY.index(cell))

    def release(self) -> None:
        self.station.route(None)


@dataclasses.dataclass
class Rig:
    station: ProbeStation
    emulator: EmulatedKeithley2600B
    smu: Keithley2600B
    generator: TriggeredPulser
    sequencer: ScriptedSequencer
    cells: np.ndarray

    def assert_quiet(self) -> None:
        assert self.emulator.channels["smua"].source["output"] == 0
        assert self.generator.armed is None
        assert self.station.measured_cell is None


@pytest.fixture
def rig() -> Rig:
    wafer = SimulatedWafer(addresses=[DIE], geometry=GEOMETRY, seed=5)
    station = ProbeStation(wafer=wafer, die_under_needles=DIE, in_contact=True)
    emulator = EmulatedKeithley2600B(station)
    library = EmulatorVisaLibrary({ADDRESS: emulator}, clock=station.clock)
    smu = Keithley2600B(connect(ADDRESS, role="smu", visa_library=library, timeout=2.0))
    smu.prepare(1e-3, nplc=0.01)
    generator = TriggeredPulser(station)
    sequencer = ScriptedSequencer(
        smu=smu,
        generator=generator,
        selector=StationSelector(station),
        geometry=GEOMETRY,
        generator_volts=lambda pulse: pulse,
    )
    healthy = np.flatnonzero(wafer.die(DIE).truth.classes.ravel() == CellClass.HEALTHY)
    return Rig(station, emulator, smu, generator, sequencer, healthy[:2])


def write_with_error_rate(rig: Rig, log_rate: float, cell: int) -> Pulse:
    """A 20 ns pulse towards LOW whose error rate on this cell is near the one asked for."""
    low, high = 0.2, 1.2
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if predicted(rig, middle, cell) > log_rate else (low, middle)
    return Pulse.writing(State.LOW, low, 20e-9)


def predicted(rig: Rig, amplitude: float, cell: int) -> float:
    """Natural log of the write error rate of a 20 ns pulse behind the path's resistance."""
    die = rig.station.wafer.die(DIE)
    before = die.low[cell]
    die.low[cell] = False
    conductance = float(die.conductance(np.array([cell]), amplitude)[0])
    die.low[cell] = before
    here = die.truth.cells[np.array([cell])]
    at_cell = amplitude / (1 + conductance * 10.0)
    return float(
        log_wer(
            torch.from_numpy(at_cell / here.vc0_low),
            torch.from_numpy(20e-9 / here.tau_d),
            torch.from_numpy(here.delta),
        )
    )


def plan_of(write: Pulse, cells: np.ndarray, attempts: int, **changes: object) -> AttemptPlan:
    return dataclasses.replace(
        AttemptPlan(
            initial=State.HIGH,
            restore=RESTORE,
            write=write,
            read_amplitude=0.1,
            threshold=np.full(len(cells), 1.4e-4),
            attempts=attempts,
        ),
        **changes,
    )


def test_counts_follow_the_error_rate(rig):
    """Closed loop: errors of 400 scripted attempts agree with the cell's true error rate."""
    cell = rig.cells[:1]
    write = write_with_error_rate(rig, math.log(0.2), int(cell[0]))
    rate = math.exp(predicted(rig, write.amplitude, int(cell[0])))

    counts = rig.sequencer.attempt(cell, plan_of(write, cell, 400))
    valid = 400 - int(counts.rejected[0])

    assert valid > 380
    assert rig.generator.sent == valid
    deviation = abs(int(counts.errors[0]) - valid * rate)
    assert deviation < 4 * math.sqrt(valid * rate * (1 - rate))


def test_readings_agree_with_counts(rig):
    """With keep_readings every attempt's two readings come back and give the same counts."""
    write = write_with_error_rate(rig, math.log(0.5), int(rig.cells[0]))
    plan = plan_of(write, rig.cells, 60, keep_readings=True)

    counts = rig.sequencer.attempt(rig.cells, plan)

    assert counts.readings.shape == (2, 60, 2)
    np.testing.assert_array_equal(np.isnan(counts.readings[..., 1]).sum(1), counts.rejected)
    np.testing.assert_array_equal((counts.readings[..., 1] < 1.4e-4).sum(1), counts.errors)
    assert 0 < counts.errors[0] < 60


def test_rejected_attempts_are_not_written(rig):
    """Where the restore does not reach the initial state, the generator is not triggered."""
    cell = rig.cells[:1]
    write = Pulse.writing(State.LOW, 0.9, 50e-9)
    plan = plan_of(write, cell, 20, threshold=np.array([1e-6]), keep_readings=True)

    counts = rig.sequencer.attempt(cell, plan)

    assert (counts.rejected[0], counts.errors[0], rig.generator.sent) == (20, 0, 0)
    assert np.isnan(counts.readings[0, :, 1]).all()


def test_starting_from_low(rig):
    """The other direction: restored to LOW by a positive level, written HIGH."""
    cell = rig.cells[:1]
    plan = plan_of(
        Pulse.writing(State.HIGH, 1.0, 50e-9),
        cell,
        50,
        initial=State.LOW,
        restore=Pulse.writing(State.LOW, 0.7, 1e-4),
    )

    counts = rig.sequencer.attempt(cell, plan)

    assert (counts.rejected[0], counts.errors[0]) == (0, 0)


def test_smu_stays_prepared_after_success(rig):
    """Afterwards the generator is off, no cell is selected, and the SMU idles at 0 V."""
    rig.sequencer.attempt(rig.cells, plan_of(Pulse.writing(State.LOW, 0.9, 50e-9), rig.cells, 5))

    assert rig.generator.armed is None
    assert rig.station.measured_cell is None
    assert rig.emulator.channels["smua"].source["levelv"] == 0
    assert rig.smu.preparation is not None


def test_one_round_trip_per_batch(rig):
    """The script goes up once, and a batch of attempts takes a handful of messages."""
    cell, received = rig.cells[:1], []
    receive = rig.emulator.receive
    rig.emulator.receive = lambda data, **end: (received.append(data), receive(data, **end))
    plan = plan_of(Pulse.writing(State.LOW, 0.9, 50e-9), cell, 100)
    rig.sequencer.attempt(cell, plan)
    rig.sequencer.attempt(cell, plan)

    assert sum(b"loadscript" in data for data in received) == 1
    assert sum(b"run_attempts(" in data and b"function" not in data for data in received) == 2
    assert len(received) < 20


@pytest.mark.parametrize(
    ("restore", "accepted"),
    [
        (Pulse(amplitude=-0.7, width=1e-4), True),
        (Pulse(amplitude=-0.7, width=9e-5), False),
        (Pulse(amplitude=-2.5, width=1e-4), False),
    ],
)
def test_accepts_what_the_smu_can_restore(rig, restore, accepted):
    """Restores shorter than 100 µs or beyond the prepared range are for somebody else."""
    plan = plan_of(Pulse.writing(State.LOW, 0.9, 50e-9), rig.cells, 5, restore=restore)

    assert rig.sequencer.execution == "instrument"
    assert rig.sequencer.accepts(plan) is accepted
    if not accepted:
        with pytest.raises(ConfigurationError):
            rig.sequencer.attempt(rig.cells, plan)


def test_threshold_hidden_by_the_current_limit(rig):
    """A threshold at or above the current limit cannot be seen, and nothing is started."""
    plan = plan_of(
        Pulse.writing(State.LOW, 0.9, 50e-9), rig.cells, 5, threshold=np.array([1e-4, 0.02])
    )
    with pytest.raises(ConfigurationError, match="current limit"):
        rig.sequencer.attempt(rig.cells, plan)

    assert rig.generator.sent == 0


def test_unprepared_smu(rig):
    """With the SMU's output off no attempt is made."""
    rig.smu.off()
    with pytest.raises(InstrumentError, match="prepare"):
        rig.sequencer.attempt(
            rig.cells, plan_of(Pulse.writing(State.LOW, 0.9, 50e-9), rig.cells, 5)
        )


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), RuntimeError("generator broke")])
def test_outputs_off_after_any_exception(rig, failure):
    """Whatever happens during a batch, both outputs end off and no cell is selected."""

    def fail() -> None:
        raise failure

    rig.station.trigger_lines[1] = [fail]
    with pytest.raises(type(failure)):
        rig.sequencer.attempt(
            rig.cells, plan_of(Pulse.writing(State.LOW, 0.9, 50e-9), rig.cells, 5)
        )

    rig.assert_quiet()


def test_lost_script_times_out_once(rig):
    """If the instrument lost the script, the call times out, is not repeated, and all is off;
    the next attempt uploads it again.
    """
    plan = plan_of(Pulse.writing(State.LOW, 0.9, 50e-9), rig.cells, 5)
    rig.sequencer.attempt(rig.cells, plan)
    rig.emulator.receive(b"run_attempts = nil\n")
    with pytest.raises(NoReplyError):
        rig.sequencer.attempt(rig.cells, plan)
    rig.assert_quiet()

    rig.smu.prepare(1e-3, nplc=0.01)

    assert rig.sequencer.attempt(rig.cells, plan).attempts == 5
