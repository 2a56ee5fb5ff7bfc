import sys

import numpy as np
import pytest

from crossbar.errors import (
    ConfigurationError,
    LimitError,
    NotConnectedError,
    ReportedError,
    WrongInstrumentError,
)
from crossbar.geometry import CellAddress, DieAddress, DieGeometry
from crossbar.limits import Limits
from crossbar.pulses import Pulse, State
from drivers.arc_two import ArcTwo
from drivers.die_access.crossbar_board import CrossbarBoardAccess
from drivers.packages import maker_package
from physics.defects import SISTER_CHIP
from physics.wafer import SimulatedWafer
from simulated_instruments.arc_two import EmulatedArcTwo
from simulated_instruments.probe_station import ProbeStation

GEOMETRY = DieGeometry(subarrays=1, rows=20, columns=20)
LIMITS = Limits(
    max_amplitude=1.2,
    min_width=1e-9,
    max_width=1e-3,
    max_read_amplitude=0.3,
    max_current=1e-3,
    source="bench.toml [limits.mtj]",
)


@pytest.fixture
def station():
    wafer = SimulatedWafer(
        addresses=[DieAddress(0, 0)], geometry=GEOMETRY, seed=1, defects=SISTER_CHIP
    )
    return ProbeStation(wafer=wafer, die_under_needles=DieAddress(0, 0), in_contact=True)


@pytest.fixture
def library(station):
    return EmulatedArcTwo(station)


@pytest.fixture
def board(library):
    board = ArcTwo(library)
    board.prepare(LIMITS)
    return board


def test_construction_sends_nothing():
    """The driver takes the object as it is."""
    assert ArcTwo(None).library is None


def test_reads_are_the_cells_currents(board, station):
    """Both signs; every line back at 0 V afterwards."""
    cell = CellAddress(0, 17, 18)
    truth = float(station.die.conductance(np.array([GEOMETRY.index(cell)]), 0.1)[0])
    forward, clipped = board.read_cell(cell, 0.1)
    backward, _ = board.read_cell(cell, -0.1)

    assert forward == pytest.approx(0.1 * truth, rel=0.2)
    assert backward == pytest.approx(-forward, rel=0.2)
    assert not clipped
    assert set(board.library.levels.values()) == {0.0}


@pytest.mark.parametrize("target", State)
def test_a_pulse_writes_its_cell_and_no_other(board, station, target):
    """Though `off` left every line at 0 V: the driver floats them first."""
    cells = np.arange(GEOMETRY.cells)
    opposite = Pulse.writing(target.other, 1.5, 50e-9)
    station.die.pulse(cells, opposite)
    before = station.die.conductance(cells, 0.1)
    for column in range(8):
        board.pulse_cell(CellAddress(0, 3, column), Pulse.writing(target, 1.5, 50e-9))
    change = station.die.conductance(cells, 0.1) / before
    changed = set(np.flatnonzero(np.abs(change - 1) > 0.2))

    assert changed
    assert changed <= set(range(3 * 20, 3 * 20 + 8))
    assert all((change[c] > 1) == (target is State.LOW) for c in changed)


@pytest.mark.parametrize(
    ("pulse", "message"),
    [
        (Pulse(amplitude=10.5, width=1e-6), "10 V open circuit"),
        (Pulse(amplitude=1.0, width=20e-9), "40 ns"),
        (Pulse(amplitude=1.0, width=100.5e-9), "whole nanoseconds"),
    ],
)
def test_what_the_board_cannot_do_is_refused_before_anything_is_sent(pulse, message):
    """With a library that would fail at once."""
    with pytest.raises(LimitError, match=message):
        ArcTwo(None).pulse_cell(CellAddress(0, 0, 0), pulse)


def test_reads_beyond_the_read_limit_are_refused():
    """Before anything is sent."""
    with pytest.raises(LimitError, match="up to ±1 V"):
        ArcTwo(None).read_cell(CellAddress(0, 0, 0), 1.2)


def test_identity_is_checked_by_what_the_object_can_do(board):
    """Any object will do that has the package's verbs."""
    board.check_identity()
    assert board.check_errors() == []
    with pytest.raises(WrongInstrumentError, match="lacks read_one"):
        ArcTwo(object()).check_identity()


def test_the_packages_errors_are_reported_and_lines_return_to_ground(board, library):
    """Here: a voltage that the board refuses."""
    with pytest.raises(ReportedError, match=r"ArC2Error.*is beyond 10 V.*\(read\).*not repeated"):
        board._run("read", lambda: library.read_one(0, 16, 12.0))
    board.off()
    assert set(library.levels.values()) == {0.0}


def test_a_missing_package_is_named_with_the_way_to_install_it(monkeypatch):
    """Only when the board is opened."""
    monkeypatch.setitem(sys.modules, "pyarc2", None)
    with pytest.raises(NotConnectedError, match=r"'pyarc2' cannot be imported.*pip install pyarc2"):
        ArcTwo.open_library("0:arc2fw.bin")
    with pytest.raises(NotConnectedError, match="pip install another_package_of_nobody"):
        maker_package("another_package_of_nobody", "board")


@pytest.mark.parametrize("address", ["", "0", "zero:fw.bin", "GPIB0::1::INSTR"])
def test_an_address_has_an_id_and_a_firmware_file(address):
    """Before the package is needed."""
    with pytest.raises(ConfigurationError, match="<id>:<firmware file>"):
        ArcTwo.open_library(address)


def test_access_reads_and_writes_many_cells(board, station):
    """The port `CellAccess`, cell after cell."""
    access = CrossbarBoardAccess(board=board, geometry=GEOMETRY)
    cells = np.array([0, 21, 399])
    readings = access.read(cells, 0.1)
    access.write(cells, Pulse.writing(State.LOW, 1.0, 50e-9))

    truth = station.die.conductance(cells, 0.1)
    assert access.cells_at_once == 1
    assert readings.conductance.shape == (3,)
    assert access.read(cells, 0.1).conductance == pytest.approx(truth, rel=0.3)


def test_a_die_that_does_not_fit_is_refused_with_both_sizes(board):
    """The default die has 100 rows."""
    with pytest.raises(
        ConfigurationError, match=r"4 x 100 x 50 cells.*ArC TWO reaches at most 1 x 32 x 32 cells"
    ):
        CrossbarBoardAccess(board=board, geometry=DieGeometry())
