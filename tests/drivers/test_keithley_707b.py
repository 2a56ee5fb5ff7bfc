"""The driver against the manual, and against the emulator."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymeasure.test import expected_protocol

from crossbar.errors import (
    ConfigurationError,
    InstrumentError,
    ReplyError,
    ReportedError,
    WrongInstrumentError,
)
from crossbar.geometry import CellAddress, DieAddress, DieGeometry
from crossbar.ports import Terminal
from drivers.die_access.selectors import MatrixSelector
from drivers.keithley_707b import BREAK_BEFORE_MAKE, Keithley707B, MatrixCard
from drivers.matrix_wiring import MatrixWiring
from drivers.visa import connect
from physics.wafer import SimulatedWafer
from simulated_instruments.bench import SimulatedBench

DIE = DieAddress(0, 0)
ADDRESS = "GPIB0::16::INSTR"
IDENTITY = ("*IDN?", "Keithley Instruments Inc., Model 707B, 1291357, 1.02e")
OPEN_ALL = ('channel.open("allslots") print(channel.getclose("allslots"))', "nil")
CLOSE_TWO = (
    'channel.exclusiveclose("1A05,1C01") print(channel.getclose("allslots"), errorqueue.count)'
)
NEXT_ERROR = "print(errorqueue.next())"
NO_ERROR = (NEXT_ERROR, "0.00000e+00\tQueue Is Empty\t0.00000e+00\t1.00000e+00")
ASK_CARDS = "print(slot[1].idn, slot[2].idn, slot[3].idn, slot[4].idn, slot[5].idn, slot[6].idn)"
SYNCHRONIZE = [
    ("abort", None),
    ("*CLS", None),
    ('localnode.prompts = 0 localnode.showerrors = 0 print("in step")', "in step"),
]
SET_UP = [
    *SYNCHRONIZE,
    OPEN_ALL,
    ("channel.connectrule = 1", None),
    ("channel.connectsequential = 0", None),
    NO_ERROR,
]
EMPTY = "\t".join(["Empty Slot"] * 5)


@pytest.fixture
def bench():
    wafer = SimulatedWafer(
        addresses=[DIE], geometry=DieGeometry(subarrays=1, rows=4, columns=4), seed=3
    )
    return SimulatedBench(wafer, {ADDRESS: "keithley_707b"})


@pytest.fixture
def matrix(bench):
    adapter = connect(ADDRESS, visa_library=bench.visa_library)
    yield Keithley707B(adapter)
    adapter.close()


@pytest.mark.parametrize(
    ("name", "value", "sent"),
    [
        ("connect_rule", 1, "channel.connectrule = 1"),
        ("connect_rule", 2, "channel.connectrule = 2"),
        ("connect_sequential", True, "channel.connectsequential = 1"),
        ("connect_sequential", False, "channel.connectsequential = 0"),
    ],
)
def test_properties(name, value, sent):
    """Each property sends and reads the attribute of the manual."""
    query = f"print({sent.partition(' =')[0]})"
    with expected_protocol(Keithley707B, [(sent, None), (query, f"{value:.5e}")]) as matrix:
        setattr(matrix, name, value)

        assert getattr(matrix, name) == value


def test_a_rule_that_does_not_exist_is_not_sent():
    with expected_protocol(Keithley707B, []) as matrix, pytest.raises(ValueError, match="3"):
        matrix.connect_rule = 3


def test_identity_is_asked_once():
    with expected_protocol(Keithley707B, [IDENTITY]) as matrix:
        matrix.check_identity()

        assert matrix.model == "707B"
        assert matrix.identity == IDENTITY[1]


@pytest.mark.parametrize("answer", ["Keithley Instruments Inc., Model 2636B, 1, 3.3.5", "", "707A"])
def test_another_instrument_is_refused(answer):
    with (
        expected_protocol(Keithley707B, [("*IDN?", answer)]) as matrix,
        pytest.raises(WrongInstrumentError, match="707B or 708B"),
    ):
        matrix.check_identity()


def test_closing_is_one_message_and_is_read_back():
    with expected_protocol(Keithley707B, [(CLOSE_TWO, "1A05;1C01\t0.00000e+00")]) as matrix:
        matrix.close_only(("1A05", "1C01"))


def test_nothing_is_closed_by_closing_nothing():
    query = 'channel.exclusiveclose("") print(channel.getclose("allslots"), errorqueue.count)'
    with expected_protocol(Keithley707B, [(query, "nil\t0.00000e+00")]) as matrix:
        matrix.close_only(())


@pytest.mark.parametrize("closed", ["1A05", "nil", "1A05;1C01;2A05"])
def test_whatever_else_is_closed_is_opened_and_said(closed):
    protocol = [(CLOSE_TWO, f"{closed}\t0.00000e+00"), OPEN_ALL]
    with (
        expected_protocol(Keithley707B, protocol) as matrix,
        pytest.raises(InstrumentError, match="1A05, 1C01 and nothing else"),
    ):
        matrix.close_only(["1A05", "1C01"])


def test_a_refusal_is_reported_with_all_entries():
    protocol = [
        (CLOSE_TWO, "nil\t2.00000e+00"),
        (NEXT_ERROR, "1.11500e+03\tParameter error\t2.00000e+01\t1.00000e+00"),
        (NEXT_ERROR, "-2.21000e+02\tSettings conflict\t2.00000e+01\t1.00000e+00"),
        NO_ERROR,
    ]
    with (
        expected_protocol(Keithley707B, protocol) as matrix,
        pytest.raises(ReportedError, match="1115, Parameter error; -221, Settings conflict"),
    ):
        matrix.close_only(["1A05", "1C01"])


@pytest.mark.parametrize("wrong", ["slot1", "1A05:1A06", '1A05")', "7A01", "1a05", "1I01", ""])
def test_what_is_no_crosspoint_is_not_sent(wrong):
    with (
        expected_protocol(Keithley707B, []) as matrix,
        pytest.raises(ConfigurationError, match="names like 1A05"),
    ):
        matrix.close_only(["1A05", wrong])


def test_a_single_text_is_no_list_of_crosspoints():
    with expected_protocol(Keithley707B, []) as matrix, pytest.raises(ConfigurationError):
        matrix.close_only("1A05")


@pytest.mark.parametrize("reply", ["", "1A05,1C01", "hello", "1A05;", "0.00000e+00"])
def test_a_reply_that_names_no_crosspoints_is_refused(reply):
    query = 'print(channel.getclose("allslots"))'
    with (
        expected_protocol(Keithley707B, [(query, reply)]) as matrix,
        pytest.raises(ReplyError, match="which crosspoints"),
    ):
        _ = matrix.closed


def test_off_is_read_back():
    with expected_protocol(Keithley707B, [OPEN_ALL]) as matrix:
        matrix.off()


def test_a_relay_that_stays_closed_is_reported():
    protocol = [(OPEN_ALL[0], "1A05")]
    with (
        expected_protocol(Keithley707B, protocol) as matrix,
        pytest.raises(InstrumentError, match="1A05 is closed"),
    ):
        matrix.off()


def test_prepare_opens_everything_and_breaks_before_it_makes():
    protocol = [
        *SET_UP,
        ("print(channel.connectrule)", "1.00000e+00"),
        IDENTITY,
        (ASK_CARDS, f"7174,8x12 Low Current Matrix,01.10a,01234567\t{EMPTY}"),
    ]
    with expected_protocol(Keithley707B, protocol) as matrix:
        matrix.prepare()


def test_prepare_notices_a_rule_that_did_not_hold():
    protocol = [*SET_UP, ("print(channel.connectrule)", "0.00000e+00")]
    with (
        expected_protocol(Keithley707B, protocol) as matrix,
        pytest.raises(InstrumentError, match="reads back as 0"),
    ):
        matrix.prepare()


@pytest.mark.parametrize(
    ("first", "match"),
    [
        ("7072,Pseudo 8x12 SemiMatrix,00.00a,????????", "pretends to have a 7072"),
        ("Empty Slot", "has no card"),
        ("7070,Universal Adapter Card,00.00a,????????", "no rows and columns"),
    ],
)
def test_prepare_needs_relays(first, match):
    protocol = [
        *SET_UP,
        ("print(channel.connectrule)", "1.00000e+00"),
        IDENTITY,
        (ASK_CARDS, f"{first}\t{EMPTY}"),
    ]
    with (
        expected_protocol(Keithley707B, protocol) as matrix,
        pytest.raises(InstrumentError, match=match),
    ):
        matrix.prepare()


def test_cards_are_what_the_slots_say():
    """Texts of the manual."""
    texts = [
        "7173,4x12 Hi Freq Matrix AAAA,02.01a,99999999",
        "Empty Slot",
        "7072,Pseudo 8x12 SemiMatrix,00.00a,????????",
        *["Empty Slot"] * 3,
    ]
    with expected_protocol(Keithley707B, [IDENTITY, (ASK_CARDS, "\t".join(texts))]) as matrix:
        assert matrix.cards == {
            1: MatrixCard(model="7173", rows=4, columns=12),
            3: MatrixCard(model="7072", rows=8, columns=12, pseudo=True),
        }


def test_a_708b_has_one_slot():
    protocol = [
        ("*IDN?", "Keithley Instruments Inc., Model 708B, 1, 1.02e"),
        ("print(slot[1].idn)", "7174,8x12 Low Current Matrix,01.10a,1"),
    ]
    with expected_protocol(Keithley707B, protocol) as matrix:
        assert list(matrix.cards) == [1]


@pytest.mark.parametrize(("rule", "in_force"), [(0, False), (1, True), (2, False)])
def test_its_protection_is_the_connect_rule(rule, in_force):
    with expected_protocol(Keithley707B, [("print(channel.connectrule)", f"{rule:.5e}")]) as matrix:
        (protection,) = matrix.protections()

    assert (protection.value, protection.in_force) == (rule, in_force)


def test_a_garbled_number_is_a_reply_error():
    with (
        expected_protocol(Keithley707B, [("print(channel.connectrule)", "TSP>")]) as matrix,
        pytest.raises(ReplyError, match="'TSP>'"),
    ):
        _ = matrix.connect_rule


# Against the emulator


def test_a_whole_session(matrix, bench):
    matrix.check_identity()
    matrix.prepare()
    matrix.close_only(["1A05", "1C01"])

    assert matrix.closed == {"1A05", "1C01"}
    assert bench.station.measured_cell == 0
    assert matrix.connect_rule == BREAK_BEFORE_MAKE
    matrix.check_errors()
    matrix.off()
    assert matrix.closed == frozenset()
    assert bench.station.measured_cell is None


def test_a_column_that_is_not_there_moves_nothing(matrix):
    matrix.prepare()
    matrix.close_only(["1A05"])
    with pytest.raises(ReportedError, match="1A13 is not on the card"):
        matrix.close_only(["1A13"])
    assert matrix.closed == {"1A05"}


def test_prepare_finds_its_way_out_of_anything(matrix, bench):
    """A half-loaded script, prompts, old errors, unread replies, closed relays."""
    emulator = bench.emulators[ADDRESS]
    for line in (
        'localnode.prompts = 1 channel.close("1A01,2B02") channel.connectrule = 2',
        "print(1) print(2) foo()",
        "loadscript half",
        "x = 1",
    ):
        emulator.receive(line.encode() + b"\n")
    matrix.prepare()

    assert matrix.closed == frozenset()
    assert matrix.connect_rule == BREAK_BEFORE_MAKE
    matrix.check_errors()


def test_a_pseudocard_is_refused_before_it_is_used(bench, matrix):
    emulator = bench.emulators[ADDRESS]
    emulator.__init__(bench.station, cards={})
    emulator.receive(b"slot[2].pseudocard = 7072\n")
    with pytest.raises(InstrumentError, match="Slot 2"):
        matrix.prepare()


@given(data=st.data())
def test_the_cell_that_is_selected_is_connected_and_no_other(data):
    """For every size of die that the matrix holds, and either instrument."""
    geometry = data.draw(
        st.builds(
            DieGeometry,
            subarrays=st.integers(1, 3),
            rows=st.integers(1, 12),
            columns=st.integers(1, 12),
        )
    )
    rows = data.draw(st.permutations("ABCDEFGH"))
    wiring = MatrixWiring(meter=rows[0], pulse_source=rows[1], ground=rows[2])
    bench = SimulatedBench(
        SimulatedWafer(addresses=[DIE], geometry=geometry, seed=1),
        {ADDRESS: "keithley_707b"},
        options={ADDRESS: {"wiring": wiring}},
    )
    adapter = connect(ADDRESS, visa_library=bench.visa_library)
    matrix = Keithley707B(adapter)
    matrix.prepare()
    selector = MatrixSelector(matrix=matrix, wiring=wiring, geometry=geometry)
    station = bench.station
    for _ in range(4):
        cell = CellAddress(
            data.draw(st.integers(0, geometry.subarrays - 1)),
            data.draw(st.integers(0, geometry.rows - 1)),
            data.draw(st.integers(0, geometry.columns - 1)),
        )
        terminal = data.draw(st.sampled_from(Terminal))
        selector.select(cell, terminal)

        asked, other = station.measured_cell, station.pulsed_cell
        if terminal is Terminal.PULSE_SOURCE:
            asked, other = other, asked
        assert (asked, other) == (geometry.index(cell), None)
        assert matrix.closed == set(wiring.channels(geometry, cell, terminal))
    selector.release()
    assert (station.measured_cell, station.pulsed_cell) == (None, None)
    adapter.close()
