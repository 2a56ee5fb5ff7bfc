import numpy as np
import pytest
from pymeasure.test import expected_protocol

from crossbar.attempts import AttemptList, AttemptPlan
from crossbar.errors import (
    InstrumentError,
    LimitError,
    ReplyError,
    ReportedError,
    WrongInstrumentError,
)
from crossbar.geometry import CellAddress, DieGeometry
from crossbar.limits import Limits
from crossbar.pulses import Pulse, State
from drivers.die_board import DieBoard
from drivers.die_board_blocks import block, selection

OK = b'+0,"No error"'
SHAPE = ("SYST:SHAP?", "2,4,8")
LIMITS = Limits(
    max_amplitude=1.2,
    min_width=1e-9,
    max_width=1e-3,
    max_read_amplitude=0.3,
    max_current=1e-3,
    source="test",
)
THREE = np.array([3, 1, 40])
THREE_AS_LIST = b":SEL:CELL #212" + bytes([3, 0, 0, 0, 1, 0, 0, 0, 40, 0, 0, 0])


def float_block(*values):
    return block(np.array(values, dtype="<f4"))


def test_prepare_sets_the_limits_and_reads_them_back():
    """The longest width before the shortest, so that the two never contradict each other."""
    with expected_protocol(
        DieBoard,
        [
            ("*CLS;*RST", None),
            ("LIM:AMPL 1.2", None),
            ("LIM:WIDT:MAX 0.001", None),
            ("LIM:WIDT:MIN 1e-09", None),
            ("LIM:READ 0.3", None),
            (":SYST:ERR?", OK),
            ("LIM:AMPL?", "+1.2"),
            ("LIM:WIDT:MAX?", "+1.0E-03"),
            ("LIM:WIDT:MIN?", "+1.0E-09"),
            ("LIM:READ?", "+3.0E-01"),
        ],
    ) as board:
        board.prepare(LIMITS)


def test_a_limit_that_does_not_hold_stops_the_bench():
    """A board that answers another limit is not to be trusted with a pulse."""
    with (
        expected_protocol(
            DieBoard,
            [
                ("*CLS;*RST", None),
                ("LIM:AMPL 1.2", None),
                ("LIM:WIDT:MAX 0.001", None),
                ("LIM:WIDT:MIN 1e-09", None),
                ("LIM:READ 0.3", None),
                (":SYST:ERR?", OK),
                ("LIM:AMPL?", "2"),
            ],
        ) as board,
        pytest.raises(InstrumentError, match=r"told limit_amplitude = 1\.2, but keeps 2"),
    ):
        board.prepare(LIMITS)


def test_a_cell_is_routed_and_released():
    """Subarray, row, column; the error queue is asked in the same message."""
    with expected_protocol(
        DieBoard,
        [
            (b":ROUT:CLOS 1,17,3;:SYST:ERR?\n", OK),
            ("ROUT:CLOS?", "1,17,3"),
            (b":ROUT:OPEN;:SYST:ERR?\n", OK),
            (b"*CLS;:ROUT:OPEN;:SYST:ERR?\n", OK),
        ],
    ) as board:
        board.select(CellAddress(1, 17, 3))
        assert board.route == "1,17,3"
        board.release()
        board.shutdown()


def test_reading_a_few_cells_sends_their_list():
    """One round trip; the full scale comes with the currents."""
    with expected_protocol(
        DieBoard,
        [
            SHAPE,
            (
                b":ROUT:OPEN;" + THREE_AS_LIST + b";:READ:SEL? 0.1;:READ:RANG?;:SYST:ERR?\n",
                float_block(1e-5, -2e-5, 1e-3) + b";+1.0E-03;" + OK,
            ),
        ],
    ) as board:
        currents, full_scale = board.read_cells(THREE, 0.1)

    assert currents == pytest.approx([1e-5, -2e-5, 1e-3])
    assert full_scale == 1e-3


def test_reading_the_whole_die_is_one_block():
    """No selection travels."""
    with expected_protocol(
        DieBoard,
        [
            SHAPE,
            (
                b":ROUT:OPEN;:READ:ARR? -0.1;:READ:RANG?;:SYST:ERR?\n",
                float_block(*range(64)) + b";+1.0E-03;" + OK,
            ),
        ],
    ) as board:
        currents, _ = board.read_cells(np.arange(64), -0.1)

    assert currents.tolist() == list(range(64))


def test_many_cells_travel_as_a_mask():
    """Bit 0 of byte 0 is cell 0; only ascending cells keep their order in a mask."""
    assert selection(np.array([0, 2, 63]), 64) == b"SEL:MASK #18" + bytes(
        [5, 0, 0, 0, 0, 0, 0, 128]
    )
    assert selection(np.array([2, 0, 63]), 64).startswith(b"SEL:CELL #212")
    assert selection(np.arange(64), 64) == b"SEL:ALL"
    assert selection(np.arange(64)[::-1], 64).startswith(b"SEL:CELL #3256")


def test_writing_names_cells_and_pulse_in_one_message():
    """Nothing that could be stale."""
    with expected_protocol(
        DieBoard,
        [SHAPE, (b":ROUT:OPEN;" + THREE_AS_LIST + b";:WRIT:SEL -0.9,5e-08;:SYST:ERR?\n", OK)],
    ) as board:
        board.write_cells(THREE, Pulse(amplitude=-0.9, width=50e-9))


def test_a_burst_is_one_message():
    """However many pulses."""
    with expected_protocol(
        DieBoard,
        [SHAPE, (b":ROUT:OPEN;" + THREE_AS_LIST + b";:WRIT:BURS -0.5,2e-07,20;:SYST:ERR?\n", OK)],
    ) as board:
        board.write_cells(THREE, Pulse(amplitude=-0.5, width=200e-9), times=20)


def plan(**changes):
    settings = {
        "initial": State.HIGH,
        "restore": Pulse(amplitude=-0.9, width=50e-9),
        "write": Pulse(amplitude=0.5, width=1e-8),
        "read_amplitude": 0.1,
        "threshold": np.array([1e-4, 2e-4, 3e-4]),
        "attempts": 1000,
    }
    return AttemptPlan(**(settings | changes))


def test_a_run_is_started_waited_for_and_fetched():
    """The wait is repeated until nothing remains; the run itself is not."""
    start = (
        b":ROUT:OPEN;" + THREE_AS_LIST + b";:ATT:INIT HIGH;:ATT:REST -0.9,5e-08;"
        b":ATT:READ 0.1;:ATT:THR "
        + float_block(1e-4, 2e-4, 3e-4)
        + b";:ATT:WRIT 0.5,1e-08;:ATT:KEEP 1;:ATT:RUN 2;:ATT:WAIT? 2;:SYST:ERR?\n"
    )
    counts = block(np.array([1, 0, 2, 0, 2, 0], dtype="<u4"))
    readings = np.arange(12.0) * 1e-6
    with expected_protocol(
        DieBoard,
        [
            SHAPE,
            (start, b"+1.5E+00;" + OK),
            (b":ATT:WAIT? 2;:SYST:ERR?\n", b"+0.0E+00;" + OK),
            (b":ATT:COUN?;:SYST:ERR?\n", counts + b";" + OK),
            (b":ATT:DATA?;:SYST:ERR?\n", float_block(*readings) + b";" + OK),
        ],
    ) as board:
        result = board.attempt(THREE, plan(attempts=2, keep_readings=True))

    assert (result.attempts, result.rejected.tolist(), result.errors.tolist()) == (
        2, [1, 0, 2], [0, 2, 0],
    )  # fmt: skip
    assert result.readings == pytest.approx(readings.reshape(3, 2, 2) / 0.1)


def test_a_list_is_one_block():
    """Volts, seconds and attempts of each cell, then the same wait and the same counts."""
    entries = np.zeros(3, dtype=[("volts", "<f4"), ("seconds", "<f4"), ("attempts", "<u4")])
    entries["volts"], entries["seconds"] = (0.5, 0.6, 0.7), (1e-8, 2e-8, 5e-9)
    entries["attempts"] = (100, 200, 300)
    start = (
        b":ROUT:OPEN;" + THREE_AS_LIST + b";:ATT:INIT HIGH;:ATT:REST -0.9,5e-08;"
        b":ATT:READ 0.1;:ATT:THR "
        + float_block(1e-4, 2e-4, 3e-4)
        + b";:ATT:LIST "
        + block(entries)
        + b";:ATT:RUN:LIST;:ATT:WAIT? 2;:SYST:ERR?\n"
    )
    counts = block(np.array([1, 0, 2, 0, 2, 0], dtype="<u4"))
    listed = AttemptList(
        initial=State.HIGH,
        restore=Pulse(amplitude=-0.9, width=50e-9),
        read_amplitude=0.1,
        threshold=np.array([1e-4, 2e-4, 3e-4]),
        amplitude=np.array([0.5, 0.6, 0.7]),
        width=np.array([1e-8, 2e-8, 5e-9]),
        attempts=np.array([100, 200, 300]),
    )
    with expected_protocol(
        DieBoard,
        [
            SHAPE,
            (start, b"+0.0E+00;" + OK),
            (b":ATT:COUN?;:SYST:ERR?\n", counts + b";" + OK),
        ],
    ) as board:
        result = board.attempt_list(THREE, listed)

    assert (result.rejected.tolist(), result.errors.tolist()) == ([1, 0, 2], [0, 2, 0])


def test_a_product_reports_whether_it_clipped():
    """Status of earlier commands is cleared first."""
    voltages = np.full((2, 4), 0.1)
    with expected_protocol(
        DieBoard,
        [
            SHAPE,
            (
                b"*CLS;:ROUT:OPEN;:MULT:RANG 0.002;:MULT? 1,"
                + float_block(*[0.1] * 8)
                + b";:STAT:QUES?;:SYST:ERR?\n",
                float_block(*range(16)) + b";2;" + OK,
            ),
        ],
    ) as board:
        currents, clipped = board.multiply(1, voltages, 2e-3)

    assert currents.tolist() == np.arange(16.0).reshape(2, 8).tolist()
    assert clipped


def test_a_refused_read_raises_what_the_board_said():
    """The reply is then text instead of a block."""
    with (
        expected_protocol(
            DieBoard,
            [
                SHAPE,
                (
                    b":ROUT:OPEN;:READ:ARR? 0.4;:READ:RANG?;:SYST:ERR?\n",
                    b'-222,"Data out of range;0.4 V is beyond LIMit:READ"',
                ),
                (":SYST:ERR?", OK),
            ],
        ) as board,
        pytest.raises(ReportedError, match=r"beyond LIMit:READ.*READ:ARR\? 0\.4"),
    ):
        board.read_cells(np.arange(64), 0.4)


def test_a_block_of_another_size_names_both_sizes():
    """Firmware and driver of different versions."""
    with (
        expected_protocol(
            DieBoard,
            [
                SHAPE,
                (
                    b":ROUT:OPEN;:READ:ARR? 0.1;:READ:RANG?;:SYST:ERR?\n",
                    float_block(1, 2) + b";1e-3;" + OK,
                ),
            ],
        ) as board,
        pytest.raises(ReplyError, match=r"sent 8 bytes .* 256 were expected"),
    ):
        board.read_cells(np.arange(64), 0.1)


@pytest.mark.parametrize("reply", [b"#x12345", b"#2zz" + OK, b"3.5;" + OK, b"hello"])
def test_a_reply_that_is_no_block_makes_no_sense(reply):
    """Whatever else it is; it is read to its end."""
    with (
        expected_protocol(
            DieBoard,
            [SHAPE, (b":ROUT:OPEN;:READ:ARR? 0.1;:READ:RANG?;:SYST:ERR?\n", reply)],
        ) as board,
        pytest.raises(ReplyError, match=r"answered .* to .*READ:ARR"),
    ):
        board.read_cells(np.arange(64), 0.1)


def test_another_instrument_and_another_die_are_recognised():
    """By identity and shape, each asked once."""
    with expected_protocol(
        DieBoard, [("*IDN?", "Maker,Scope,1,1"), ("SYST:SHAP?", "2,4,8")]
    ) as board:
        for _ in range(2):
            with pytest.raises(WrongInstrumentError, match="Scope"):
                board.check_identity()
            with pytest.raises(WrongInstrumentError, match="100, 50"):
                board.check_geometry(DieGeometry())
        board.check_geometry(DieGeometry(subarrays=2, rows=4, columns=8))


@pytest.mark.parametrize(
    ("name", "value"),
    [("limit_amplitude", 4.1), ("limit_read", -0.1), ("limit_max_width", 0.1)],
)
def test_limits_beyond_the_hardware_are_refused_before_a_byte_is_sent(name, value):
    """With the range."""
    with (
        expected_protocol(DieBoard, []) as board,
        pytest.raises(LimitError, match="die board takes"),
    ):
        setattr(board, name, value)


def test_plain_settings_are_one_command_each():
    """As docs/die_board.md lists them."""
    with expected_protocol(
        DieBoard,
        [
            ("READ:RANG 0.0001", None),
            ("READ:AVER 4", None),
            ("MULT:AVER 8", None),
            ("SYST:WATC 30", None),
            ("READ:RANG?", "1E-4"),
            ("READ:AVER?", "4"),
            ("SEL:COUN?", "3"),
        ],
    ) as board:
        board.read_range = 1e-4
        board.read_averages = 4
        board.multiply_averages = 8
        board.watchdog = 30
        assert (board.read_range, board.read_averages, board.selected) == (1e-4, 4, 3)
