"""Nothing reaches a cell that the limits forbid, whatever bytes arrive."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulated_instruments.ohmic_board import (
    LIMITS,
    NO_ERROR,
    ask,
    ask_text,
    block_of,
    list_block,
    make_board,
)


def test_power_on_and_reset_allow_no_stimulus_at_all():
    """Limits are zero until somebody sets them."""
    board = make_board(limits=b"")
    assert ask_text(board, "WRIT:CELL 0,0,0,0.1,1NS;:SYST:ERR?").startswith("-222")
    assert ask_text(board, "READ:CELL? 0,0,0,0.01;:SYST:ERR?").startswith("-222")
    board.receive(LIMITS)
    ask(board, "WRIT:CELL 0,0,0,0.1,1NS")
    assert len(board.station.die.pulses) == 1

    ask(board, "*RST")
    assert ask_text(board, "WRIT:CELL 0,0,0,0.1,1NS;:SYST:ERR?").startswith("-222")


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (b"WRIT:CELL 0,0,0,1.21,50NS", -222),
        (b"WRIT:CELL 0,0,0,0.9,2MS", -222),
        (b"WRIT:CELL 0,0,0,2.1,50NS", -222),
        (b"WRIT:CELL 2,0,0,0.9,50NS", -222),
        (b"WRIT:CELL 0,4,0,0.9,50NS", -222),
        (b"WRIT:CELL 0,0,0,0.9", -109),
        (b"READ:CELL? 0,0,0,0.31", -222),
        (b"READ:RANG 2E-3", -224),
        (b"LIM:WIDT:MIN 2MS", -221),
        (b"LIM:AMPL 5", -222),
        (b"SEL:CELL #14" + bytes([40, 0, 0, 0]), -222),
        (b"SEL:CELL #18" + bytes(8), -224),
        (b"SEL:CELL #13abc", -161),
        (b"SEL:MASK #14abcd", -161),
        (b"SEL:MASK #15" + bytes(5) + b",1", -108),
        (b"MULT? 2,#216" + bytes(16), -222),
        (b"MULT? 0,#10", -161),
        (b"MULT? 0,#14" + bytes(4), -161),
        (b"MULT? 0,#216" + np.full(4, 0.31, "<f4").tobytes(), -222),
        (b"LIM:READ 0.1;:MULT? 0,#216" + np.full(4, 0.2, "<f4").tobytes(), -222),
        (b"MULT? 0,#216" + np.full(4, np.nan, "<f4").tobytes(), -222),
        (b"ATT:THR #14" + np.array([np.inf], "<f4").tobytes(), -222),
        (b"ATT:RUN 1", -221),
        (b"ATT:REST 0.9,50NS;WRIT 0.5,10NS;RUN 1", -221),
        (b"ATT:REST -0.9,50NS;WRIT -0.5,10NS;RUN 1", -221),
        (b"SEL:ALL;:ATT:REST -0.9,50NS;WRIT 0.5,10NS;RUN 1", -221),
        (b"ATT:WRIT 1.3,10NS", -222),
        (b"ATT:COUN?", -230),
        (b"*CLS " + bytes(262_144), -223),
    ],
)
def test_what_is_out_of_bounds_is_refused_and_touches_nothing(board, die, message, error):
    """Each with its number, and the route opens."""
    board.station.route(None)

    assert ask_text(board, message).split(";")[0] == ""
    assert ask_text(board, "SYST:ERR?").startswith(f"{error},")
    assert die.pulses == []


def test_pulses_of_a_run_are_checked_against_the_limits_of_the_moment(board, die):
    """Lowered after the pulses were set."""
    ask(board, "SEL:CELL ", block_of([5], "<u4"), ";:ATT:THR ", block_of([1e-4], "<f4"))
    ask(board, "ATT:REST -0.9,50NS;WRIT 0.5,10NS;:LIM:AMPL 0.8")

    assert ask_text(board, "ATT:RUN 1;:SYST:ERR?").startswith("-222")
    assert die.plans == []


def test_pulses_of_a_list_are_checked_against_the_limits_of_the_moment(board, die):
    """Lowered after the list was sent."""
    ask(board, "SEL:CELL ", block_of([5], "<u4"), ";:ATT:REST -0.4,50NS;THR ",
        block_of([1e-4], "<f4"), ";LIST ", list_block((0.5, 1e-8, 1)))  # fmt: skip
    ask(board, "LIM:AMPL 0.45")

    assert ask_text(board, "ATT:RUN:LIST;:SYST:ERR?").startswith("-222")
    assert die.plans == []


volts = st.floats(-3, 3).map(lambda v: f"{v:.4g}".encode())
seconds = st.sampled_from([b"1NS", b"50NS", b"1US", b"1MS", b"5MS", b"1E-10", b"0"])
whole = st.integers(-1, 5).map(lambda n: str(n).encode())
row_voltages = st.lists(st.floats(-0.6, 0.6), min_size=4, max_size=8)
commands = st.one_of(
    st.binary(max_size=30),
    st.builds(lambda v: b"LIM:READ " + v, volts),
    st.builds(lambda s: b"LIM:WIDT:MAX " + s, seconds),
    st.builds(lambda s: b"LIM:WIDT:MIN " + s, seconds),
    st.builds(lambda v, s: b"WRIT:SEL " + v + b"," + s, volts, seconds),
    st.builds(lambda a, v, s: b"WRIT:CELL 0,0," + a + b"," + v + b"," + s, whole, volts, seconds),
    st.builds(lambda v, s: b"ATT:REST " + v + b"," + s, volts, seconds),
    st.builds(lambda v, s: b"ATT:WRIT " + v + b"," + s, volts, seconds),
    st.builds(
        lambda v, s: b"ATT:LIST " + list_block((v, s, 3)),
        st.floats(-3, 3, width=32),
        st.floats(0, 0.0625, width=32),
    ),
    st.builds(lambda v: b"ATT:READ " + v, volts),
    st.builds(lambda v: b"READ:ARR? " + v, volts),
    st.builds(lambda v: b"MULT? 0," + block_of(v, "<f4"), row_voltages),
    st.sampled_from(
        [
            b"*RST", b"ATT:RUN 3", b"ATT:RUN:LIST", b"ATT:WAIT? 1", b"ATT:INIT LOW",
            b"ATT:INIT HIGH", b"SEL:ALL", b"SEL:CELL " + block_of([3], "<u4"),
            b"ATT:THR " + block_of([1e-4], "<f4"), b"ROUT:OPEN",
        ]
    ),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(messages=st.lists(commands, min_size=1, max_size=25), limit=st.floats(0, 1.5))
def test_no_bytes_make_a_cell_see_more_than_the_limits(messages, limit):
    """Whatever arrives after the limits were set, and the board lives on."""
    board = make_board()
    die = board.station.die
    board.receive(f"LIM:AMPL {limit:.9g};WIDT:MAX 1MS;:LIM:READ 0.2\n".encode())
    read_limit, longest = 0.2, 1e-3
    for message in messages:
        board.receive(message, end=True)
        read_limit = max(read_limit, board.limit_read)
        longest = max(longest, board.limit_max_width)

    assert max((abs(volts) for _, volts, _ in die.pulses), default=0) <= limit * (1 + 2e-6)
    assert max((width for _, _, width in die.pulses), default=0) <= longest * (1 + 2e-6)
    assert max(map(abs, die.reads)) <= read_limit * (1 + 2e-6)
    board.clear()
    assert ask(board, "*CLS;*IDN?").startswith(b"crossbar-lab,DieBoard-20000,")


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=60))
def test_random_bytes_never_crash_the_board(data):
    """At worst they end in its error queue, with the route open."""
    board = make_board()
    board.receive(data, end=True)
    board.clear()

    assert ask_text(board, "*CLS;:SYST:ERR?") == NO_ERROR
    assert board.station.die.pulses == []
