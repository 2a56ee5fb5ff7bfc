import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossbar.attempts import AttemptCounts
from crossbar.geometry import DieAddress, DieGeometry
from simulated_instruments.die_board import EmulatedDieBoard
from simulated_instruments.probe_station import ProbeStation
from simulated_instruments.scpi_grammar import as_block, header_pattern

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


@pytest.fixture
def board():
    return make_board()


@pytest.fixture
def die(board):
    return board.station.die


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


def unblock(reply, dtype):
    digits = int(reply[1:2])
    assert reply[:1] == b"#"
    assert int(reply[2 : 2 + digits]) == len(reply) - 2 - digits
    return np.frombuffer(reply[2 + digits :], dtype=dtype)


def test_identity_and_shape(board):
    """The serial number is free; the rest tells a driver what it talks to."""
    assert ask_text(board, "*IDN?;:SYST:SHAP?") == "crossbar-lab,DieBoard-20000,0001,1.0;2,4,5"


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


def test_currents_come_in_steps_and_clip_at_full_scale(board, die):
    """With bit 1 of the questionable status, which reading clears."""
    die.siemens[7] = 5e-3
    currents = unblock(ask(board, "READ:RANG 100E-6;:READ:ARR? -0.1"), "<f4")

    assert currents[7] == np.float32(-100e-6)
    codes = currents.astype(float) / (100e-6 / 32767)
    assert codes == pytest.approx(np.rint(codes), abs=0.01)
    assert ask_text(board, "STAT:QUES?;:STAT:QUES?") == "2;0"


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


def test_a_run_gives_counts_when_it_is_over(board, die):
    """Started at once, waited for in pieces, fetched at the end."""
    ask(
        board, "SEL:CELL ", block_of([3, 9], "<u4"), ";:ATT:INIT LOW;REST 0.9,50NS;WRIT -0.5,10NS;",
        "READ 0.1;THR ", block_of([1e-4, 2e-4], "<f4"), ";RUN 1000000",
    )  # fmt: skip
    started = board.station.clock.now
    assert ask_text(board, "ATT:COUN?;:SYST:ERR?").startswith("-230")
    assert ask_text(board, "READ:ARR? 0.1;:SYST:ERR?").startswith("-221")
    whole = 1_000_000 * 2 * (100e-9 + 50e-9 + 10e-9 + 2e-6)
    assert float(ask(board, "ATT:WAIT? 1")) == pytest.approx(whole - 1)
    assert float(ask(board, "ATT:WAIT? 60")) == 0

    assert board.station.clock.now - started == pytest.approx(whole)
    assert unblock(ask(board, "ATT:COUN?"), "<u4").tolist() == [1, 1, 13, 19]
    cells, plan = die.plans[0]
    assert (cells, plan.initial.name, plan.attempts) == ([3, 9], "LOW", 1_000_000)
    assert plan.threshold == pytest.approx([1e-4, 2e-4])


def list_block(*entries):
    """(volts, seconds, attempts) of each cell."""
    kind = [("volts", "<f4"), ("seconds", "<f4"), ("attempts", "<u4")]
    return block_of(np.array(list(entries), dtype=kind), kind)


def test_a_list_gives_each_cell_its_own_pulse(board, die):
    """One cell after the other on the clock; cells alike are one plan; counts in their order."""
    ask(
        board, "SEL:CELL ", block_of([3, 9, 4], "<u4"), ";:ATT:INIT LOW;REST 0.9,50NS;THR ",
        block_of([1e-4, 2e-4, 3e-4], "<f4"), ";LIST ",
        list_block((-0.5, 10e-9, 1000), (-0.6, 20e-9, 2000), (-0.5, 10e-9, 1000)), ";RUN:LIST",
    )  # fmt: skip
    started = board.station.clock.now
    assert float(ask(board, "ATT:WAIT? 60")) == 0

    assert board.station.clock.now - started == pytest.approx(
        2000 * (100e-9 + 50e-9 + 10e-9 + 2e-6) + 2000 * (100e-9 + 50e-9 + 20e-9 + 2e-6)
    )
    assert unblock(ask(board, "ATT:COUN?"), "<u4").tolist() == [1, 1, 1, 13, 19, 14]
    assert [(cells, plan.attempts) for cells, plan in die.plans] == [([3, 4], 1000), ([9], 2000)]
    assert [plan.write.amplitude for _, plan in die.plans] == pytest.approx([-0.5, -0.6])
    assert ask_text(board, "ATT:DATA?;:SYST:ERR?").startswith("-230")


def test_a_list_without_a_die_finds_open_cells(board):
    """As any other run."""
    board.station.in_contact = False
    ask(
        board, "SEL:CELL ", block_of([3, 9], "<u4"), ";:ATT:INIT HIGH;REST -0.9,50NS;THR ",
        block_of([1e-4, 2e-4], "<f4"), ";LIST ", list_block((0.5, 1e-8, 10), (0.6, 1e-8, 20)),
        ";RUN:LIST;:ATT:WAIT? 60",
    )  # fmt: skip

    assert unblock(ask(board, "ATT:COUN?"), "<u4").tolist() == [0, 0, 10, 20]


@pytest.mark.parametrize(
    ("entries", "error"),
    [
        ([(0.5, 1e-8, 5), (1.3, 1e-8, 5)], -222),
        ([(0.5, 1e-8, 5), (0.5, 1e-1, 5)], -222),
        ([(0.5, 1e-8, 5), (np.nan, 1e-8, 5)], -222),
        ([(0.5, 1e-8, 5), (0.5, np.nan, 5)], -222),
        ([(0.5, 1e-8, 5), (0.5, 1e-8, 0)], -222),
        ([(0.5, 1e-8, 5), (-0.5, 1e-8, 5)], -221),
        ([(0.5, 1e-8, 5)], -221),
    ],
)
def test_a_list_with_one_bad_entry_is_refused_as_a_whole(board, die, entries, error):
    """Limits, signs, numbers and the length of the list."""
    ask(board, "SEL:CELL ", block_of([3, 9], "<u4"), ";:ATT:REST -0.9,50NS;THR ",
        block_of([1e-4, 2e-4], "<f4"))  # fmt: skip

    reply = ask_text(board, "ATT:LIST ", list_block(*entries), ";RUN:LIST;:SYST:ERR?")

    assert reply.startswith(f"{error},")
    assert die.plans == []


def test_pulses_of_a_list_are_checked_against_the_limits_of_the_moment(board, die):
    """Lowered after the list was sent."""
    ask(board, "SEL:CELL ", block_of([5], "<u4"), ";:ATT:REST -0.4,50NS;THR ",
        block_of([1e-4], "<f4"), ";LIST ", list_block((0.5, 1e-8, 1)))  # fmt: skip
    ask(board, "LIM:AMPL 0.45")

    assert ask_text(board, "ATT:RUN:LIST;:SYST:ERR?").startswith("-222")
    assert die.plans == []


def test_a_run_keeps_its_readings_on_request(board):
    """Float32 amperes, cell by cell, attempt by attempt, before and after."""
    setup = ("SEL:CELL ", block_of([3], "<u4"), ";:ATT:REST -0.9,50NS;WRIT 0.5,10NS;THR ",
             block_of([1e-4], "<f4"))  # fmt: skip
    ask(board, *setup, ";RUN 5;WAIT? 1")
    assert ask_text(board, "ATT:DATA?;:SYST:ERR?").startswith("-230")
    ask(board, "ATT:KEEP ON;RUN 5;WAIT? 1")

    assert unblock(ask(board, "ATT:DATA?"), "<f4") == pytest.approx([1e-5] * 10, rel=2e-3)
    assert ask_text(board, "ATT:RUN 1000000;:SYST:ERR?").startswith("-223")


def test_the_dot_product_sums_the_columns(board, die):
    """Row voltages in the converter's steps, currents in those of the range."""
    voltages = np.array([[0.1, 0, 0.2, -0.3], [0, 0, 0, 0]])
    reply = ask(board, "MULT:RANG 1E-3;:MULT? 1,", block_of(voltages, "<f4"))

    exact = voltages @ die.siemens.reshape(GEOMETRY.shape)[1]
    currents = unblock(reply, "<f4").reshape(2, 5)
    assert currents == pytest.approx(exact, abs=0.5e-3 / 2047 + 4 * 0.08e-3 * 4e-4)
    assert ask(board, "STAT:QUES?") == b"0"


def test_a_dot_product_beyond_its_range_clips(board, die):
    """And says so."""
    die.siemens[:] = 1e-2
    reply = ask(board, "MULT:RANG 2E-3;:MULT? 0,", block_of([[0.3, 0.3, 0.3, 0.3]], "<f4"))

    assert unblock(reply, "<f4").tolist() == [np.float32(2e-3)] * 5
    assert ask(board, "STAT:QUES?") == b"2"


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
