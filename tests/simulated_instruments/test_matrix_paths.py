"""What the closed crosspoints of a 707B connect.

Rows A, B and C are meter, pulse source and ground; columns 1 to 4 are word lines, 5 to 8 bit lines
of a 4 x 4 array.
"""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossbar.geometry import CellAddress, DieGeometry
from crossbar.ports import Terminal
from drivers.matrix_wiring import MatrixWiring
from simulated_instruments.keithley_707b import EmulatedKeithley707B
from tests.simulated_instruments.stations import MATRIX_GEOMETRY, matrix_station
from tests.simulated_instruments.tsp_messages import ask, error_codes


@pytest.fixture
def station():
    return matrix_station()


@pytest.mark.parametrize(
    ("closed", "measured", "pulsed", "explained"),
    [
        ("1A05,1C01", 0, None, ""),
        ("1B08,1C04", None, 15, ""),
        ("1A05,1B06,1C01", 0, 1, ""),
        ("1A05,1C01,1D07,1H12", 0, None, ""),
        ("1D05,1D09,1A09,1C01", 0, None, ""),
        ("1A05,2C01,2D01,1D01", 0, None, ""),  # ground by way of a column of the second card
        ("2A01,2D01,1D05,1C01", 0, None, ""),
        ("1A05", None, None, ""),
        ("1A05,1A01", None, None, ""),
        ("1C01,1C02", None, None, ""),
        ("1A05,1C05", None, None, "row A is shorted to ground"),
        ("1A05,1D05,1D01,1C01", None, None, "row A is shorted to ground"),
        ("1A05,1B05,1C01", None, None, "meter and pulse source are joined"),
        ("1A05,1A06,1C01", None, None, "row A reaches 2 cells in parallel"),
        ("1A05,1C01,1C02", None, None, "row A reaches 2 cells in parallel"),
        ("1A01,1C05", None, None, "row A is at a word line and ground at its bit line"),
        ("1A05,1B05,1B06,1C01", None, None, "meter and pulse source are joined"),
        ("1A05,1C01,1B06,1B07", 0, None, "row B reaches 2 cells in parallel"),
    ],
)
def test_what_is_connected(matrix, station, caplog, closed, measured, pulsed, explained):
    ask(matrix, f'channel.close("{closed}")')
    assert error_codes(matrix) == []
    assert (station.measured_cell, station.pulsed_cell) == (measured, pulsed)
    assert matrix.paths.explanation == explained
    assert (explained in caplog.text) if explained else not caplog.text


def test_current_flows_through_the_closed_crosspoints_only(matrix, station):
    """Ohm's law at the meter's row, and nothing with the word line open."""
    ask(matrix, 'channel.close("1A06,1C03")')
    assert abs(station.current(station.measured_cell, 0.1)) > 1e-9
    ask(matrix, 'channel.open("1C03")')
    assert station.current(station.measured_cell, 0.1) == 0


def test_word_and_bit_lines_of_different_arrays_do_not_cross():
    """Two arrays of 2 x 2: word lines on columns 1 to 4, bit lines on 5 to 8."""
    station = matrix_station(DieGeometry(subarrays=2, rows=2, columns=2))
    matrix = EmulatedKeithley707B(station)
    ask(matrix, 'channel.exclusiveclose("1A05,1C03")')
    assert station.measured_cell is None
    ask(matrix, 'channel.exclusiveclose("1A05,1A08,1C03")')
    assert station.measured_cell == 5
    assert matrix.paths.explanation == ""


def test_wired_from_another_slot_with_other_rows(station):
    wiring = MatrixWiring(meter="H", pulse_source="G", ground="F", first_slot=3, slots=2)
    matrix = EmulatedKeithley707B(station, wiring=wiring)
    ask(matrix, 'channel.close("3H06,3F02")')
    assert station.measured_cell == MATRIX_GEOMETRY.index(CellAddress(0, 1, 1))
    assert ask(matrix, "print(slot[1].idn, slot[4].idn)").startswith("Empty Slot\t7174,8x12")


def test_every_cell_of_a_36_by_36_die_is_reached_alone():
    """What six cards of twelve columns hold at most."""
    geometry = DieGeometry(subarrays=1, rows=36, columns=36)
    station = matrix_station(geometry)
    matrix, wiring = EmulatedKeithley707B(station), MatrixWiring()
    wiring.check_fit(geometry)
    for row, column in itertools.product(range(0, 36, 7), range(36)):
        cell = CellAddress(0, row, column)
        channels = wiring.channels(geometry, cell, Terminal.METER)
        ask(matrix, f'channel.exclusiveclose("{",".join(channels)}")')
        assert station.measured_cell == geometry.index(cell)
        assert station.pulsed_cell is None
    assert error_codes(matrix) == []


@st.composite
def crosspoints(draw):
    """A few relays of the first two cards, near the array's lines."""
    names = st.builds(
        "{}{}{:02d}".format,
        st.integers(1, 2),
        st.sampled_from("ABCD"),
        st.integers(1, 12),
    )
    return draw(st.lists(names, max_size=7, unique=True))


@given(closed=crosspoints())
def test_a_cell_is_connected_where_current_could_flow(closed):
    """Against another way of thinking: walk from crosspoint to crosspoint."""
    station = matrix_station()
    matrix = EmulatedKeithley707B(station)
    ask(matrix, f'channel.exclusiveclose("{",".join(closed)}")')

    def reached(start):
        seen, edge = {start}, [start]
        while edge:
            at = edge.pop()
            for name in closed:
                ends = {name[1], (name[0], name[2:])}
                for line in ends - seen if at in ends else ():
                    seen.add(line)
                    edge.append(line)
        return seen

    lines = {(0, n): ("1", f"{n + 1:02d}") for n in range(4)}
    bits = {(1, n): ("1", f"{n + 5:02d}") for n in range(4)}
    ground = reached("C")
    for row, other, found in (
        ("A", "B", station.measured_cell),
        ("B", "A", station.pulsed_cell),
    ):
        net = reached(row)
        words_g, bits_s = (
            [key[1] for key, line in lines.items() if line in ground],
            [key[1] for key, line in bits.items() if line in net],
        )
        cells = [w * 4 + b for w in words_g for b in bits_s]
        turned = any(x in net for x in lines.values()) and any(x in ground for x in bits.values())
        single = len(cells) == 1 and not turned and "C" not in net and other not in net
        assert found == (cells[0] if single else None)
