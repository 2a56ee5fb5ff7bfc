"""What was recorded comes back byte by byte, and every other message is a difference."""

import pytest

from crossbar.errors import DataError, NoReplyError, NotConnectedError
from drivers.traffic import Recording, TrafficDifferenceError
from drivers.traffic_file import BUFFERED_LINES, Recorder, read_traffic
from drivers.visa import connect
from simulated_instruments.clock import VirtualClock
from simulated_instruments.emulated_instrument import EmulatedInstrument
from simulated_instruments.visa_library import EmulatorVisaLibrary

GPIB = "GPIB0::26::INSTR"
ABSENT = "GPIB0::5::INSTR"
SOCKET = "TCPIP0::127.0.0.1::5025::SOCKET"
BLOCK = b"#15\x00\xff\n;A"


class Parrot(EmulatedInstrument):
    """Says what was said; a block for "block?"; "work?" takes seven seconds."""

    def __init__(self, clock):
        super().__init__()
        self.clock = clock

    def handle(self, message):
        self.clock.advance(7.0 if message == b"work?" else 0.0)
        if message.endswith(b"?"):
            self.reply(BLOCK if message == b"block?" else message)


@pytest.fixture
def library():
    clock = VirtualClock()
    return EmulatorVisaLibrary({GPIB: Parrot(clock), SOCKET: Parrot(clock)}, clock=clock)


def talk(connector):
    """Some of everything, by two roles; returns what came of it."""
    heard = []
    with pytest.raises(NotConnectedError) as absent:
        connector(ABSENT, role="prober")
    smu, board = connector(GPIB, role="smu"), connector(SOCKET, role="die_board")
    smu.write("µ?")
    heard.append(smu.read())
    board.write_bytes(b"bytes \x00\x01?\n")
    heard.append(board.read())
    board.write("block?")
    heard += [board.read_bytes(3), board.read_bytes(5), board.read()]
    smu.write("block?")
    heard.append(smu.read_bytes(-1))
    smu.write("work?")
    with pytest.raises(NoReplyError) as late:
        smu.read()
    smu.write("in step?")
    heard.append(smu.read())
    return [*heard, str(absent.value), str(late.value)]


@pytest.fixture
def recorded(library, tmp_path):
    """The file, and what was heard while it was recorded."""
    path = tmp_path / "traffic.jsonl"
    with Recorder(path, {"protocol": "talk"}) as recorder:
        heard = talk(
            lambda address, role: connect(
                address, role=role, visa_library=library, recorder=recorder
            )
        )
    return path, heard


def test_a_replay_answers_as_the_instruments_did(recorded):
    path, heard = recorded
    recording = Recording(path)

    assert talk(recording.connect) == heard
    assert recording.finish() == 13
    assert recording.header["protocol"] == "talk"


def test_every_event_is_a_line_that_people_can_read(recorded):
    path, _ = recorded
    header, events = read_traffic(path)

    assert header["version"] == 1
    assert [event.time for event in events] == sorted(event.time for event in events)
    assert {event.event for event in events} == {
        "open", "open_error", "write", "read", "read_bytes", "read_error", "clear",
    }  # fmt: skip
    assert b"bytes \x00\x01?\n" in [event.data for event in events]
    assert '"text": "in step?"' in path.read_text()


def test_a_different_message_is_named_by_line_role_and_bytes(recorded):
    recording = Recording(recorded[0])
    with pytest.raises(NotConnectedError):
        recording.connect(ABSENT, role="prober")
    smu = recording.connect(GPIB, role="smu")

    with pytest.raises(TrafficDifferenceError) as difference:
        smu.write("other?")

    for part in ("line 5", "role smu", "die_board open", "b'other?'"):
        assert part in str(difference.value)
    with pytest.raises(TrafficDifferenceError, match="line 5"):
        smu.read()  # nothing fits any more
    with pytest.raises(TrafficDifferenceError, match="line 5"):
        recording.finish()


def test_a_replay_that_ends_early_or_goes_on_is_a_difference(recorded):
    short = Recording(recorded[0])
    with pytest.raises(TrafficDifferenceError, match=r"line 2: .* 19 recorded lines are left"):
        short.finish()

    long = Recording(recorded[0])
    talk(long.connect)
    with pytest.raises(TrafficDifferenceError, match="the end of the recording"):
        long.expect("smu", "write", b"more")


def test_reading_another_number_of_bytes_is_a_difference(recorded):
    recording = Recording(recorded[0])
    with pytest.raises(TrafficDifferenceError, match="read bytes of 4"):
        recording.expect("smu", "read_bytes", count=4)


def test_messages_are_buffered_but_an_error_is_on_the_disk_at_once(tmp_path):
    path = tmp_path / "traffic.jsonl"
    with Recorder(path, {}) as recorder:
        recorder.note("smu", "write", "first")
        assert "first" not in path.read_text()
        recorder.note("smu", "write_error", "gone", kind="NotConnectedError")
        assert "gone" in path.read_text()
        for _ in range(BUFFERED_LINES):
            recorder.note("smu", "write", "many")
        assert path.read_text().count("many") == BUFFERED_LINES
        recorder.note("smu", "write", "last")
    assert "last" in path.read_text()


def test_what_a_crash_left_is_readable_up_to_the_last_whole_line(recorded):
    path, _ = recorded
    whole = read_traffic(path)[1]
    path.write_bytes(path.read_bytes()[:-10])

    assert read_traffic(path)[1] == whole[:-1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Line 1 .* damaged"),
        ("[]\n", "no JSON object"),
        ('{"format": "other", "version": 1}\n', "no recording of version 1"),
        ('{"format": "crossbar-lab traffic", "version": 1}\n{"time": 1}\n', "Line 2"),
        (
            '{"format": "crossbar-lab traffic", "version": 1}\n'
            '{"time": 1, "role": "smu", "event": "sing", "text": ""}\n',
            "no known event: sing",
        ),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, text, message):
    path = tmp_path / "traffic.jsonl"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        Recording(path)


def test_files_that_cannot_be_opened(tmp_path):
    with pytest.raises(DataError, match="cannot be recorded"):
        Recorder(tmp_path / "absent" / "traffic.jsonl", {})
    with pytest.raises(DataError, match="cannot be read"):
        read_traffic(tmp_path / "absent.jsonl")
