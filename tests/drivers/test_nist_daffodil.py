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
from drivers.die_access.crossbar_board import CrossbarBoardAccess, CrossbarBoardMultiplier
from drivers.nist_daffodil import NistDaffodil, kernel_of
from physics.wafer import SimulatedWafer
from simulated_instruments.nist_daffodil import EmulatedNistDaffodil
from simulated_instruments.probe_station import ProbeStation

CELLS = [CellAddress(0, 0, 0), CellAddress(1, 26, 49), CellAddress(3, 99, 24)]
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
    wafer = SimulatedWafer(addresses=[DieAddress(0, 0)], geometry=DieGeometry(), seed=1)
    return ProbeStation(wafer=wafer, die_under_needles=DieAddress(0, 0), in_contact=True)


@pytest.fixture
def board(station):
    board = NistDaffodil(EmulatedNistDaffodil(station))
    board.prepare(LIMITS)
    return board


def test_construction_sends_nothing():
    """The driver takes the object as it is."""
    assert NistDaffodil(None).library is None


def test_32_kernels_tile_the_die():
    """Every cell of the die of 20,000 lies in one of them, 625 in each."""
    geometry = DieGeometry()
    kernels = [kernel_of(geometry.address(index)) for index in range(geometry.cells)]

    assert sorted(set(kernels)) == list(range(32))
    assert {kernels.count(kernel) for kernel in set(kernels)} == {625}


@pytest.mark.parametrize("cell", CELLS)
def test_reads_are_the_cells_currents(board, station, cell):
    """Both signs, through the board's converters, with all lines at ground afterwards."""
    index = np.array([DieGeometry().index(cell)])
    truth = float(station.die.conductance(index, 0.3)[0])
    positive, clipped = board.read_cell(cell, 0.3)
    negative, _ = board.read_cell(cell, -0.3)

    assert positive == pytest.approx(0.3 * truth, rel=0.1)
    assert negative == pytest.approx(-0.3 * truth, rel=0.1)
    assert not clipped
    assert not any(board.library.ROW_EN_tobe + board.library.COL_EN_tobe)


def test_a_clipped_amplifier_is_told(station):
    """100 kOhm turn 17 uA into the whole swing."""
    board = NistDaffodil(EmulatedNistDaffodil(station), transimpedance=100e3)
    board.prepare(LIMITS)

    assert board.read_cell(CellAddress(0, 0, 0), 0.5)[1]


@pytest.mark.parametrize("target", State)
def test_a_pulse_writes_its_cell_and_no_other(board, station, target):
    """Row above column is positive, and lowers the resistance."""
    geometry = DieGeometry()
    cells = np.arange(geometry.cells)
    station.die.pulse(cells, Pulse.writing(target.other, 1.5, 50e-9))
    before = station.die.conductance(cells, 0.1)
    chosen = [CellAddress(1, row, 30) for row in range(20, 30)]
    for cell in chosen:
        board.pulse_cell(cell, Pulse.writing(target, 1.5, 50e-9))
    change = station.die.conductance(cells, 0.1) / before
    changed = set(np.flatnonzero(np.abs(change - 1) > 0.2))

    assert changed
    assert changed <= {geometry.index(cell) for cell in chosen}
    assert all((change[c] > 1) == (target is State.LOW) for c in changed)


@pytest.mark.parametrize(
    ("pulse", "message"),
    [
        (Pulse(amplitude=3.4, width=1e-6), "3.3 V"),
        (Pulse(amplitude=1.0, width=15e-9), "whole clock cycles of 10 ns"),
        (Pulse(amplitude=1.0, width=1e-9), "10 ns"),
    ],
)
def test_what_the_board_cannot_do_is_refused_before_anything_is_sent(pulse, message):
    """With a library that would fail at once."""
    with pytest.raises(LimitError, match=message):
        NistDaffodil(None).pulse_cell(CellAddress(0, 0, 0), pulse)


def test_reads_and_inputs_beyond_the_read_limit_are_refused():
    """Before anything is sent."""
    with pytest.raises(LimitError, match=r"up to ±0\.5 V"):
        NistDaffodil(None).read_cell(CellAddress(0, 0, 0), 0.6)
    with pytest.raises(LimitError, match="Scale the inputs down"):
        NistDaffodil(None).multiply(DieGeometry(), 0, np.full(100, -0.7))


def test_a_gate_beyond_the_supply_is_refused_where_the_package_would_clip(station):
    """`dac_invertvout` clips without a word."""
    board = NistDaffodil(EmulatedNistDaffodil(station), gate=5.5)
    board.prepare(LIMITS)
    with pytest.raises(LimitError, match=r"A line at 5\.5 V"):
        board.read_cell(CellAddress(0, 0, 0), 0.1)


def test_dot_products_add_the_kernels(board, station):
    """Signed inputs; two row blocks and two column blocks, compared with the die's own product."""
    geometry = DieGeometry()
    inputs = np.zeros((1, 100))
    inputs[0, :50] = np.linspace(-0.1, 0.1, 50)
    multiplier = CrossbarBoardMultiplier(board=board, geometry=geometry)
    currents = multiplier.dot_product(2, inputs)
    expected = station.die.dot_product(2, inputs)

    assert currents.shape == (1, 50)
    # four converter steps of 1.2 mV, one to each row block, over 1.5 kOhm; and 5 % of noise
    assert currents == pytest.approx(expected, rel=0.05, abs=8e-6)
    assert np.std(expected) > 2e-5


def test_a_dot_product_of_another_shape_is_refused(board):
    """Naming both shapes."""
    multiplier = CrossbarBoardMultiplier(board=board, geometry=DieGeometry())
    with pytest.raises(ConfigurationError, match=r"\(1, 99\).*\(batch, 100\)"):
        multiplier.dot_product(0, np.zeros((1, 99)))
    with pytest.raises(ConfigurationError, match="subarray must be 0 to 3"):
        multiplier.dot_product(4, np.zeros((1, 100)))


def test_identity_is_checked_by_shape_and_verbs(board):
    """A board of another size is not a Daffodil."""
    board.check_identity()
    assert board.check_errors() == []
    with pytest.raises(WrongInstrumentError, match="lacks setcoldacs"):
        NistDaffodil(object()).check_identity()


def test_the_packages_errors_are_reported(board):
    """The gate is checked against the reference by the package itself."""
    with pytest.raises(ReportedError, match=r"ValueError: vref is best.*not repeated"):
        board._run("set the reference", board.library.setrefopamp, 0)


def test_a_missing_package_is_named_with_the_way_to_install_it(monkeypatch):
    """Only when the board is opened."""
    monkeypatch.setitem(sys.modules, "daffodillib", None)
    with pytest.raises(NotConnectedError, match=r"daffodillib.*usnistgov/daffodil-lib"):
        NistDaffodil.open_library()


def test_the_die_of_20000_cells_fits_and_a_larger_one_does_not(board):
    """Daffodil is made for such a die."""
    access = CrossbarBoardAccess(board=board, geometry=DieGeometry())
    assert access.read(np.array([5, 19999]), 0.3).conductance.shape == (2,)
    with pytest.raises(ConfigurationError, match=r"4 x 128 x 50.*NIST Daffodil"):
        CrossbarBoardAccess(board=board, geometry=DieGeometry(rows=128))
