import re

import pytest

from crossbar.errors import NoReplyError, NotConnectedError
from drivers.visa import connect
from simulated_instruments.clock import VirtualClock
from simulated_instruments.emulated_instrument import EmulatedInstrument
from simulated_instruments.tcp_server import serve
from simulated_instruments.visa_library import EmulatorVisaLibrary

GPIB = "GPIB0::26::INSTR"
SOCKET = "TCPIP0::127.0.0.1::5025::SOCKET"


class Worker(EmulatedInstrument):
    """Repeats what ends with a question mark; "work?" takes its time on the clock."""

    def __init__(self, clock, work=7.0):
        super().__init__()
        self.clock = clock
        self.work = work
        self.heard = []

    def handle(self, message):
        self.heard.append(message)
        if message == b"work?":
            self.clock.advance(self.work)
        if message.endswith(b"?"):
            self.reply(message.removesuffix(b"?"))


def ask(adapter, question):
    adapter.write(question)
    return adapter.read()


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def worker(clock):
    return Worker(clock)


@pytest.fixture
def library(worker, clock):
    return EmulatorVisaLibrary({GPIB: worker, SOCKET: worker}, clock=clock)


@pytest.fixture(params=[GPIB, SOCKET])
def adapter(request, library):
    adapter = connect(request.param, role="smu", visa_library=library)
    yield adapter
    adapter.close()


def test_messages_end_with_a_line_feed_and_replies_come_without(adapter, worker):
    """On every interface, with no option set by the caller."""
    assert ask(adapter, "hello?") == "hello"
    assert worker.heard == [b"hello?"]


def test_a_reply_that_ends_with_carriage_return_too_comes_bare(adapter):
    """Some instruments end their lines with CR LF."""
    adapter.write_bytes(b"hello\r?\n")

    assert adapter.read() == "hello"


def test_every_byte_may_be_in_a_reply(adapter):
    """A degree sign in a reply is no UnicodeDecodeError."""
    assert ask(adapter, "25 \u00b0C?") == "25 \u00b0C"


def test_a_block_on_gpib_comes_whole(library):
    """Line feeds within it included, in one read."""
    adapter = connect(GPIB, visa_library=library)
    adapter.write_bytes(b"#14\n\n\n\n?\n")

    assert adapter.read_bytes(-1) == b"#14\n\n\n\n\n"
    adapter.close()


def test_an_address_where_nothing_answers_is_named(library):
    """With the role it was to play, and what to look at."""
    expected = (
        "smu at GPIB0::27::INSTR does not answer: is it on, and is its address right in bench.toml?"
    )
    with pytest.raises(NotConnectedError, match=re.escape(expected)):
        connect("GPIB0::27::INSTR", role="smu", visa_library=library)


def test_a_bad_address_is_named(library):
    """It is not taken for a missing VISA library."""
    with pytest.raises(NotConnectedError, match=r"smu at GPIB0:26 .*not a VISA address"):
        connect("GPIB0:26", role="smu", visa_library=library)


@pytest.mark.parametrize("missing", ["@nonsense", "/no/such/visa.so"])
def test_a_missing_visa_library_is_named(missing):
    """A backend that is not installed, and a file that is not there."""
    with pytest.raises(NotConnectedError, match=f"smu cannot be reached.*{missing}"):
        connect(GPIB, role="smu", visa_library=missing)


def test_a_closed_port_is_not_connected():
    """pyvisa-py finds out at the first write or read."""
    with serve({"worker": Worker(VirtualClock())}) as addresses:
        address = addresses["worker"]
    adapter = connect(address, role="smu", visa_library="@py")
    with pytest.raises(NotConnectedError, match="smu at TCPIP::127"):
        ask(adapter, "hello?")
    adapter.close()


def test_no_reply_names_who_was_asked_what(adapter):
    """And says that it may or may not have happened."""
    adapter.write("no question")
    with pytest.raises(
        NoReplyError,
        match=r"smu at .* did not reply within 5 s after it was sent 'no question'.*may or may not",
    ):
        adapter.read()


def test_no_bytes_are_no_reply_either(adapter):
    """A block that does not come."""
    adapter.write("no question")
    with pytest.raises(NoReplyError):
        adapter.read_bytes(4)


def test_a_write_is_not_repeated(adapter, worker):
    """The instrument hears it once, whatever became of the reply."""
    with pytest.raises(NoReplyError):
        ask(adapter, "work?")
    adapter.write("hello?")
    adapter.read()

    assert worker.heard == [b"work?", b"hello?"]


def test_a_late_reply_does_not_answer_the_next_question(adapter):
    """After a time-out the adapter clears the instrument, or connects anew."""
    with pytest.raises(NoReplyError):
        ask(adapter, "work?")
    assert ask(adapter, "hello?") == "hello"


def test_a_longer_timeout_waits_longer(library):
    """Work of 7 s under a timeout of 10 s."""
    adapter = connect(GPIB, visa_library=library, timeout=10.0)
    assert ask(adapter, "work?") == "work"
    adapter.close()


def test_a_timeout_that_a_driver_set_survives_a_new_connection(library):
    """Terminations and encoding too."""
    adapter = connect(SOCKET, visa_library=library)
    adapter.connection.timeout = 6000
    with pytest.raises(NoReplyError, match="within 6 s"):
        ask(adapter, "work?")
    assert ask(adapter, "25 \u00b0C?") == "25 \u00b0C"
    assert adapter.connection.timeout == 6000
    adapter.close()


def test_a_late_reply_over_tcp_does_not_answer_the_next_question():
    """On a real socket, in real time."""
    slow = Worker(VirtualClock(real_time=True), work=0.2)
    with serve({"worker": slow}) as addresses:
        adapter = connect(addresses["worker"], visa_library="@py", timeout=0.05)
        with pytest.raises(NoReplyError):
            ask(adapter, "work?")
        adapter.connection.timeout = 2000

        assert ask(adapter, "hello?") == "hello"
        adapter.close()
