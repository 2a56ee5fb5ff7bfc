import re
from pathlib import Path

import numpy as np
import pytest

from simulated_instruments.scpi_grammar import as_block, header_pattern
from tests.simulated_instruments.ohmic_board import ask, ask_text, block_of, unblock


def test_identity_and_shape(board):
    """The serial number is free; the rest tells a driver what it talks to."""
    assert ask_text(board, "*IDN?;:SYST:SHAP?") == "crossbar-lab,DieBoard-20000,0001,1.0;2,4,5"


def test_array_row_selection_and_cell_read_the_same_currents(board, die):
    """In the order of the cell numbers, or in that of the selection."""
    expected = (die.siemens * 0.1).astype(np.float32)
    step = 1e-3 / 32767

    everything = unblock(ask(board, "READ:ARR? 0.1"), "<f4")
    assert everything == pytest.approx(expected, abs=0.51 * step)
    assert unblock(ask(board, "READ:ROW? 1,2,0.1"), "<f4").tolist() == everything[30:35].tolist()
    ask(board, "SEL:CELL ", block_of([39, 0, 17], "<u4"))
    assert unblock(ask(board, "READ:SEL? 0.1"), "<f4").tolist() == everything[[39, 0, 17]].tolist()
    assert float(ask(board, "READ:CELL? 1,3,4,0.1")) == pytest.approx(everything[39], rel=1e-6)


def test_a_mask_and_a_list_select_the_same_cells(board):
    """Bit 0 of byte 0 is cell 0; a list is little-endian uint32."""
    ask(board, "SEL:MASK ", as_block(bytes([0b00000101, 0, 0b10000000, 0, 1])))
    assert unblock(ask(board, "SEL:CELL?"), "<u4").tolist() == [0, 2, 23, 32]
    ask(board, "SEL:CELL #212", bytes([23, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]))
    assert unblock(ask(board, "SEL:CELL?"), "<u4").tolist() == [23, 2, 0]
    ask(board, "SEL:ALL")

    assert ask(board, "SEL:COUN?") == b"40"


def test_writing_gives_one_pulse_to_each_selected_cell(board, die):
    """Also to a single one; the clock counts rows, not cells."""
    ask(board, "SEL:CELL ", block_of([0, 4, 5], "<u4"), ";:WRIT:SEL -900MV,50NS")
    assert board.station.clock.now == pytest.approx(2 * (50e-9 + 100e-9))
    ask(board, "WRIT:CELL 1,0,3,1.2,1E-3")

    assert die.pulses == [
        ([0, 4, 5], -0.9, pytest.approx(50e-9)),
        ([23], 1.2, 1e-3),
    ]


def test_a_burst_gives_as_many_pulses_as_it_says_or_none(board, die):
    """The clock counts them all; one of more than half a second, or beyond a limit, is refused."""
    ask(board, "SEL:CELL ", block_of([0, 4, 5], "<u4"), ";:WRIT:BURS -500MV,50NS,30")
    assert board.station.clock.now == pytest.approx(30 * 2 * (50e-9 + 100e-9))
    assert die.pulses == [([0, 4, 5], -0.5, pytest.approx(50e-9))] * 30
    for refused in ("-0.5,1E-3,400", "-1.3,50NS,2", "-0.5,50NS,0", "-0.5,50NS,1000001"):
        assert ask_text(board, f"WRIT:BURS {refused};:SYST:ERR?").startswith("-222")
    assert len(die.pulses) == 30


def test_without_a_die_everything_is_open(board):
    """Reads and products are zero, writes do nothing, attempts find HIGH."""
    die = board.station.die
    board.station.in_contact = False
    ask(board, "SEL:ALL;:WRIT:SEL 0.9,50NS")
    assert not np.any(unblock(ask(board, "READ:ARR? 0.1"), "<f4"))
    assert not np.any(unblock(ask(board, "MULT? 0,", block_of([[0.1] * 4], "<f4")), "<f4"))
    run = ("SEL:CELL ", block_of([5], "<u4"), ";:ATT:THR ", block_of([1e-4], "<f4"))
    ask(board, *run, ";INIT HIGH;REST -0.9,50NS;WRIT 0.5,10NS;RUN 9;WAIT? 1")
    assert unblock(ask(board, "ATT:COUN?"), "<u4").tolist() == [0, 9]
    ask(board, *run, ";INIT LOW;REST 0.9,50NS;WRIT -0.5,10NS;KEEP ON;RUN 9;WAIT? 1")
    assert unblock(ask(board, "ATT:COUN?"), "<u4").tolist() == [9, 0]
    assert np.isnan(unblock(ask(board, "ATT:DATA?"), "<f4")[1::2]).all()

    assert die.pulses == []


def test_a_route_excludes_the_boards_own_work(board):
    """One cell at a time; errors and *RST open it."""
    ask(board, "ROUT:CLOS 1,2,3")
    assert (board.station.measured_cell, ask(board, "ROUT:CLOS?")) == (33, b"1,2,3")
    assert ask_text(board, "READ:ARR? 0.1;:SYST:ERR?").startswith("-221")
    assert ask(board, "ROUT:CLOS?") == b"NONE"
    ask(board, "ROUT:CLOS 0,0,1;*RST")
    assert board.station.measured_cell is None
    ask(board, "ROUT:CLOS 0,0,1;:ROUT:OPEN")
    assert board.station.measured_cell is None


def test_the_watchdog_opens_a_forgotten_route(board):
    """And notes it; it is off by default."""
    ask(board, "ROUT:CLOS 0,0,1")
    board.station.clock.advance(1e6)
    assert ask(board, "ROUT:CLOS?") == b"0,0,1"
    ask(board, "SYST:WATC 10")
    board.station.clock.advance(11)

    assert ask_text(board, "ROUT:CLOS?;:SYST:ERR?") == (
        'NONE;-365,"Time out error;watchdog opened the route"'
    )


def documented_commands():
    """Headers in the first column of the manual's tables, queries included."""
    manual = Path(__file__).parents[2] / "docs" / "die_board.md"
    for line in manual.read_text().splitlines():
        first = re.match(r"\| (`[A-Z*].*?) \|(?= )", line)
        if first is None:
            continue
        for header, and_query in re.findall(r"`([A-Z*][\w:\[\]*?]+)[^`]*`(, `\?`)?", first[1]):
            yield header
            if and_query:
                yield header + "?"


def test_the_manual_lists_exactly_what_the_board_understands(board):
    """Every header of docs/die_board.md is known, and every known header is in it."""
    headers = [header_pattern(documented)[0].pattern for documented in documented_commands()]

    assert len(headers) == len(set(headers))
    assert set(headers) == {known.header.pattern for known in board._commands}
