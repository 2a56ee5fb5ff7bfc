import numpy as np
import pytest

from crossbar.attempts import AttemptList, AttemptPlan
from crossbar.errors import ReportedError, WrongInstrumentError
from crossbar.geometry import CellAddress, DieAddress, DieGeometry
from crossbar.limits import Limits
from crossbar.pulses import Pulse, State
from drivers.die_access.on_board import (
    OnBoardAccess,
    OnBoardMultiplier,
    OnBoardSequencer,
    ranges_from,
)
from drivers.die_board import DieBoard
from drivers.visa import connect
from physics.wafer import SimulatedWafer
from simulated_instruments.bench import SimulatedBench

SOCKET = "TCPIP0::192.168.0.12::5025::SOCKET"
USB = "USB0::0x1209::0x0001::1::INSTR"
GEOMETRY = DieGeometry(subarrays=2, rows=100, columns=50)
LIMITS = Limits(
    max_amplitude=1.2,
    min_width=1e-9,
    max_width=1e-3,
    max_read_amplitude=0.3,
    max_current=1e-3,
    source="test",
)
WRITE_LOW = Pulse(amplitude=0.9, width=50e-9)
WRITE_HIGH = Pulse(amplitude=-0.9, width=50e-9)


@pytest.fixture(params=[SOCKET, USB], ids=["socket", "usb"])
def bench(request):
    wafer = SimulatedWafer(addresses=[DieAddress(0, 0)], geometry=GEOMETRY, seed=1)
    bench = SimulatedBench(wafer, {request.param: "die_board"})
    bench.station.die_under_needles, bench.station.in_contact = DieAddress(0, 0), True
    return bench


@pytest.fixture
def board(bench):
    (address,) = bench.emulators
    board = DieBoard(connect(address, visa_library=bench.visa_library))
    board.check_identity()
    board.prepare(LIMITS)
    yield board
    board.shutdown()
    board.adapter.close()


@pytest.fixture
def access(board):
    return OnBoardAccess(board=board, geometry=GEOMETRY)


@pytest.fixture
def multiplier(board):
    return OnBoardMultiplier(board=board, geometry=GEOMETRY)


def healthy(bench):
    """Cells that are as they should be."""
    return np.flatnonzero(bench.station.die.truth.classes == 0)


def test_what_is_written_is_read(access, bench):
    """A checkerboard on the healthy cells of a die with defects."""
    cells = healthy(bench)
    access.write(np.arange(GEOMETRY.cells), WRITE_HIGH)
    access.write(cells[::2], WRITE_LOW)
    low, high = (access.read(some, 0.1).conductance for some in (cells[::2], cells[1::2]))

    assert np.median(low) == pytest.approx(2e-4, rel=0.05)
    assert np.median(high) == pytest.approx(1e-4, rel=0.1)
    assert np.mean(low > 1.5e-4) > 0.98


def test_readings_keep_the_order_asked_for(access):
    """Whether they travel as a list, a mask, or all."""
    order = np.random.default_rng(3).permutation(GEOMETRY.cells)
    everything = access.read(np.arange(GEOMETRY.cells), 0.1).current
    for cells in (order, np.sort(order[:5000]), order[:7]):
        assert access.read(cells, 0.1).current == pytest.approx(
            everything[cells], rel=0.06, abs=1e-7
        )


def test_a_clipped_reading_is_in_compliance(access, board, bench):
    """Shorts, in the smallest range."""
    everything = access.read(np.arange(GEOMETRY.cells), 0.2)
    assert not everything.in_compliance.any()
    board.read_range = 100e-6
    readings = access.read(np.arange(GEOMETRY.cells), 0.2)

    assert readings.in_compliance.any()
    assert (readings.in_compliance == (everything.current > 99e-6)).mean() > 0.999
    assert readings.current.max() == pytest.approx(100e-6)


def test_no_cells_are_no_message(access, board, bench):
    """Nor a question."""
    before = bench.elapsed
    assert access.read(np.zeros(0, dtype=np.intp), 0.1).current.shape == (0,)
    access.write(np.zeros(0, dtype=np.intp), WRITE_LOW)

    assert bench.elapsed == before


def test_the_board_refuses_what_passes_its_limits(access, bench):
    """Even from a driver that did not check."""
    with pytest.raises(ReportedError, match="LIMit:AMPLitude"):
        access.write(np.arange(3), Pulse(amplitude=1.3, width=50e-9))
    with pytest.raises(ReportedError, match="LIMit:READ"):
        access.read(np.arange(3), 0.4)

    assert not bench.station.die.pulses_given.any()


def test_on_board_work_opens_a_route_that_was_left_closed(access, board, bench):
    """A routed measurement before it."""
    board.select(CellAddress(0, 3, 4))
    assert bench.station.measured_cell == 154
    access.read(np.arange(3), 0.1)

    assert bench.station.measured_cell is None
    board.select(CellAddress(0, 3, 4))
    board.off()
    assert bench.station.measured_cell is None


def test_off_contact_every_cell_is_open(access, board, bench):
    """As on a real board."""
    bench.station.in_contact = False
    access.write(np.arange(GEOMETRY.cells), WRITE_LOW)

    assert not access.read(np.arange(GEOMETRY.cells), 0.1).current.any()


def make_plan(cells, **changes):
    settings = {
        "initial": State.HIGH,
        "restore": WRITE_HIGH,
        "write": Pulse(amplitude=0.55, width=10e-9),
        "read_amplitude": 0.1,
        "threshold": np.full(len(cells), 1.5e-4),
        "attempts": 20_000,
    }
    return AttemptPlan(**(settings | changes))


def test_attempts_on_the_board_are_those_of_the_die(board, bench):
    """The same counts as the physics gives for the same plan on a fresh die of the same seed."""
    cells = healthy(bench)[:40]
    plan = make_plan(cells)
    sequencer = OnBoardSequencer(board=board, geometry=GEOMETRY)
    assert sequencer.accepts(plan)
    counts = sequencer.attempt(cells, plan)

    twin = SimulatedWafer(addresses=[DieAddress(0, 0)], geometry=GEOMETRY, seed=1)
    expected = twin.die(DieAddress(0, 0)).attempt(cells, plan)
    assert counts.errors == pytest.approx(expected.errors, abs=3)
    assert counts.rejected == pytest.approx(expected.rejected, abs=3)
    assert 0 < counts.errors.sum() < 20_000 * len(cells)


def test_kept_readings_come_back_in_siemens(board, bench):
    """Before and after every write; NaN after, where the attempt was rejected."""
    cells = healthy(bench)[:3]
    plan = make_plan(cells, attempts=50, keep_readings=True)
    counts = OnBoardSequencer(board=board, geometry=GEOMETRY).attempt(cells, plan)
    before, after = np.moveaxis(counts.readings, 2, 0)

    assert before.shape == (3, 50)
    assert ((before < 1.5e-4).sum(axis=1) + counts.rejected).tolist() == [50, 50, 50]
    assert np.array_equal(np.isnan(after).sum(axis=1), counts.rejected)
    assert np.array_equal((after < 1.5e-4).sum(axis=1), counts.errors)


def test_a_long_run_is_waited_for(board, bench):
    """Ten million attempts take longer than any connection's time-out."""
    cells = healthy(bench)[:1]
    before = bench.elapsed
    OnBoardSequencer(board=board, geometry=GEOMETRY).attempt(
        cells, make_plan(cells, attempts=10_000_000)
    )

    assert bench.elapsed - before == pytest.approx(1e7 * (2.1e-6 + 60e-9), rel=1e-3)


@pytest.mark.parametrize(
    "changes",
    [
        {"write": Pulse(amplitude=4.1, width=1e-8)},
        {"restore": Pulse(amplitude=-0.9, width=0.5e-9)},
        {"restore": Pulse(amplitude=-0.9, width=20e-3)},
        {"read_amplitude": 0.6},
        {"attempts": 2 * 10**9},
        {"attempts": 10**6, "keep_readings": True},
    ],
)
def test_plans_beyond_the_hardware_are_declined(board, changes):
    """Then something else runs them."""
    sequencer = OnBoardSequencer(board=board, geometry=GEOMETRY)

    assert sequencer.accepts(make_plan(np.arange(4)))
    assert not sequencer.accepts(make_plan(np.arange(4), **changes))


def test_a_list_on_the_board_is_the_same_as_its_parts(board, bench):
    """Each cell's counts are those that its own plan gives, on a die of the same seed."""
    cells = np.array([5, 60, 4321, 17])
    listed = AttemptList(
        initial=State.HIGH,
        restore=WRITE_HIGH,
        read_amplitude=0.1,
        threshold=np.full(4, 1.4e-4),
        amplitude=np.array([0.40, 0.42, 0.44, 0.40]),
        width=np.full(4, 20e-9),
        attempts=np.array([1000, 2000, 3000, 1000]),
    )
    sequencer = OnBoardSequencer(board=board, geometry=GEOMETRY)

    counts = sequencer.attempt_list(cells, listed)

    twin = SimulatedWafer(addresses=[DieAddress(0, 0)], geometry=GEOMETRY, seed=1)
    die = twin.die(DieAddress(0, 0))
    assert counts.errors.max() > 0
    for places, plan in listed.parts():
        alone = die.attempt(cells[places], plan)
        spread = np.sqrt(np.maximum(alone.errors, 10))
        assert np.all(np.abs(counts.errors[places] - alone.errors) < 5 * spread)


def test_no_cells_are_no_attempts(board):
    """And empty counts."""
    sequencer = OnBoardSequencer(board=board, geometry=GEOMETRY)
    nothing = np.zeros(0, dtype=np.intp)

    assert sequencer.attempt(nothing, make_plan(nothing)).errors.shape == (0,)
    empty = AttemptList(
        initial=State.HIGH,
        restore=WRITE_HIGH,
        read_amplitude=0.1,
        threshold=np.zeros(0),
        amplitude=np.zeros(0),
        width=np.zeros(0),
        attempts=np.zeros(0, dtype=np.int64),
    )
    assert sequencer.attempt_list(nothing, empty).errors.shape == (0,)


def test_the_dot_product_obeys_ohm_and_kirchhoff(multiplier, access, bench):
    """Against the conductances of the die, in several messages."""
    die = bench.station.die
    access.write(np.arange(GEOMETRY.cells), WRITE_HIGH)
    voltages = np.random.default_rng(2).choice([0.0, 0.1], size=(700, 100))
    conductance = die.conductance(np.arange(GEOMETRY.cells), 0.1).reshape(GEOMETRY.shape)
    currents = multiplier.dot_product(1, voltages)

    assert currents.shape == (700, 50)
    assert currents == pytest.approx(voltages @ conductance[1], rel=0.03, abs=5e-6)


def test_the_range_rises_until_nothing_clips(multiplier, bench):
    """A first guess that is far too low costs round trips, not accuracy."""
    hasty = OnBoardMultiplier(board=multiplier.board, geometry=GEOMETRY, typical_conductance=1e-9)
    voltages = np.full((1, 100), 0.2)

    assert hasty.dot_product(0, voltages) == pytest.approx(
        multiplier.dot_product(0, voltages), rel=0.05, abs=2e-5
    )
    assert ranges_from(0.0) == (1e-3, 2e-3, 5e-3, 10e-3, 20e-3)
    assert ranges_from(1.0) == (20e-3,)


def test_an_empty_batch_multiplies_to_nothing(multiplier):
    """Without a message."""
    assert multiplier.dot_product(0, np.zeros((0, 100))).shape == (0, 50)


def test_currents_beyond_the_largest_range_stay_clipped(multiplier, bench):
    """Every cell a short."""
    wafer = bench.station.wafer
    wafer.die(DieAddress(0, 0))._fixed[:] = 5e-3
    currents = multiplier.dot_product(0, np.full((1, 100), 0.3))

    assert currents == pytest.approx(np.full((1, 50), 20e-3))


def test_a_board_for_another_die_is_refused(board):
    """At once, not at the first wrong cell."""
    with pytest.raises(WrongInstrumentError, match="2, 100, 50"):
        OnBoardAccess(board=board, geometry=DieGeometry())


def test_the_same_seed_gives_the_same_bits():
    """Through every layer of bytes."""
    results = []
    for _ in range(2):
        wafer = SimulatedWafer(addresses=[DieAddress(0, 0)], geometry=GEOMETRY, seed=5)
        bench = SimulatedBench(wafer, {USB: "die_board"})
        bench.station.die_under_needles, bench.station.in_contact = DieAddress(0, 0), True
        board = DieBoard(connect(USB, visa_library=bench.visa_library))
        board.prepare(LIMITS)
        access = OnBoardAccess(board=board, geometry=GEOMETRY)
        access.write(np.arange(500), WRITE_LOW)
        results.append(access.read(np.arange(600), 0.1).current)
        board.adapter.close()

    assert np.array_equal(*results)
