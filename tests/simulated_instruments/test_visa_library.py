import random

import pytest
import pyvisa
from pymeasure.adapters import VISAAdapter
from pyvisa.constants import StatusCode
from pyvisa.errors import VisaIOError

from crossbar.errors import ConfigurationError
from simulated_instruments.clock import VirtualClock
from simulated_instruments.emulated_instrument import EmulatedInstrument
from simulated_instruments.visa_library import EmulatorVisaLibrary

GPIB = "GPIB0::5::INSTR"
SOCKET = "TCPIP0::127.0.0.1::5025::SOCKET"


class Parrot(EmulatedInstrument):
    """Repeats what follows "say", works for what follows "work" seconds, keeps the rest."""

    def __init__(self, clock):
        super().__init__()
        self.clock = clock
        self.heard = []
        self.triggers = 0

    def handle(self, message):
        word, _, rest = message.partition(b" ")
        if word == b"say":
            self.reply(rest)
        elif word == b"work":
            self.clock.advance(float(rest))
            self.reply("done")
        else:
            self.heard.append(message)

    def trigger(self):
        self.triggers += 1


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def parrot(clock):
    return Parrot(clock)


@pytest.fixture
def library(parrot, clock):
    return EmulatorVisaLibrary({GPIB: parrot, SOCKET: parrot}, clock=clock)


@pytest.fixture
def manager(library):
    manager = pyvisa.ResourceManager(library)
    yield manager
    manager.close()


@pytest.fixture
def gpib(manager):
    return manager.open_resource(GPIB, write_termination="", timeout=1000)


@pytest.fixture
def socket(manager):
    return manager.open_resource(
        SOCKET, write_termination="\n", read_termination="\n", timeout=1000
    )


def test_a_query_is_answered(gpib):
    """A reply comes back with its line feed where no termination is set."""
    assert gpib.query("say hello") == "hello\n"


def test_the_end_of_a_gpib_write_ends_the_message(gpib, parrot):
    """GPIB marks the last byte of a write, so no line feed is needed."""
    gpib.write("first")
    gpib.write("second")

    assert parrot.heard == [b"first", b"second"]


def test_a_gpib_write_without_end_waits_for_the_rest(gpib, parrot):
    """A client may switch END off to send a message in pieces."""
    gpib.send_end = False
    gpib.write("fir")
    gpib.send_end = True
    gpib.write("st")

    assert parrot.heard == [b"first"]


def test_only_a_line_feed_ends_a_message_on_a_socket(socket, parrot):
    """A raw socket has no END: two writes are one message until the line feed comes."""
    socket.write("fir", termination="")
    assert parrot.heard == []

    socket.write("st")
    assert parrot.heard == [b"first"]


def test_a_long_reply_comes_whole_whatever_the_chunk_size(gpib):
    """A reply of 80 kB is longer than PyVISA's chunk of 20 kB."""
    text = "0123456789" * 8000
    assert gpib.query(f"say {text}") == text + "\n"


def test_the_byte_count_limits_a_read(gpib, library):
    """What was not asked for stays for the next read."""
    gpib.write("say abcdef")

    assert library.read(gpib.session, 4) == (b"abcd", StatusCode.success_max_count_read)
    assert library.read(gpib.session, 3) == (b"ef\n", StatusCode.success)


def test_a_termination_character_within_a_reply_stops_a_read(gpib, library, parrot):
    """As on hardware, which knows no better; the rest stays, and its end carries END."""
    gpib.read_termination = ";"
    gpib.write("say a;b")

    assert library.read(gpib.session, 100) == (b"a;", StatusCode.success_termination_character_read)
    assert library.read(gpib.session, 100) == (b"b\n", StatusCode.success)


def test_each_reply_on_gpib_is_a_message_of_its_own(gpib):
    """Two replies in the queue are read one by one."""
    gpib.write("say one\nsay two")

    assert [gpib.read(), gpib.read()] == ["one\n", "two\n"]


def test_a_block_on_gpib_may_hold_line_feeds(gpib):
    """Without a termination character only END stops a read."""
    gpib.write_raw(b"say #14\n\n\n\n")

    assert gpib.read_raw() == b"#14\n\n\n\n\n"


def test_a_block_on_a_socket_is_read_by_its_length(socket):
    """read_bytes goes on over line feeds, through several replies if need be."""
    socket.write_raw(b"say #14\n\n\n\n\n")
    socket.write("say next")

    assert socket.read_bytes(10) == b"#14\n\n\n\n\nne"
    assert socket.read() == "xt"


def test_a_read_with_nothing_to_come_times_out_at_once(gpib, clock):
    """The process does not wait, the virtual clock does."""
    with pytest.raises(VisaIOError) as caught:
        gpib.read()

    assert caught.value.error_code == StatusCode.error_timeout
    assert clock.now == pytest.approx(1.0)


def test_a_socket_read_without_termination_times_out(socket):
    """Real VISA waits for more bytes until the time is up, and so the bytes are lost."""
    socket.read_termination = None
    socket.write("say hello")
    with pytest.raises(VisaIOError, match="VI_ERROR_TMO"):
        socket.read()

    socket.read_termination = "\n"
    assert socket.query("say again") == "again"


def test_a_reply_slower_than_the_timeout_times_out_first(gpib):
    """Work of 2.5 s under a timeout of 1 s: two time-outs, then the late reply."""
    gpib.write("work 2.5")
    for _ in range(2):
        with pytest.raises(VisaIOError, match="VI_ERROR_TMO"):
            gpib.read()

    assert gpib.read() == "done\n"


def test_a_reply_within_the_timeout_comes(gpib, clock):
    """Its time is on the virtual clock, with the bus's 0.3 ms."""
    assert gpib.query("work 0.9") == "done\n"
    assert clock.now == pytest.approx(0.9003)


def test_device_clear_forgets_unread_replies(gpib, parrot):
    """After a clear, the next reply answers the next question; half a message is gone too."""
    parrot.receive(b"half a mess")
    gpib.write("\nsay old")
    gpib.clear()

    assert gpib.query("say new") == "new\n"


def test_the_status_byte_tells_of_a_waiting_reply(gpib):
    """Bit 4 is message available."""
    assert gpib.read_stb() == 0

    gpib.write("say something")
    assert gpib.stb == 0x10


def test_a_trigger_reaches_the_instrument(gpib, parrot):
    """Group execute trigger."""
    gpib.assert_trigger()

    assert parrot.triggers == 1


def test_an_address_without_instrument_is_not_found(manager):
    """As real VISA libraries say it, at opening."""
    with pytest.raises(VisaIOError) as caught:
        manager.open_resource("GPIB0::6::INSTR")

    assert caught.value.error_code == StatusCode.error_resource_not_found


def test_resources_are_listed_by_pattern(manager):
    """INSTR resources by default, everything on request."""
    assert manager.list_resources() == (GPIB,)
    assert manager.list_resources("?*") == (GPIB, SOCKET)
    assert manager.list_resources("ASRL?*") == ()


def test_a_short_resource_name_means_the_full_one(parrot):
    """bench.toml may say GPIB::5."""
    library = EmulatorVisaLibrary({"gpib::5": parrot})

    assert library.list_resources(None) == (GPIB,)


def test_a_bad_resource_name_is_refused(parrot):
    """Before anything is opened, with an example of a good one."""
    with pytest.raises(ConfigurationError, match=r"'GPIB0:5' is not a VISA address.*GPIB0::26"):
        EmulatorVisaLibrary({"GPIB0:5": parrot})


def test_libraries_share_nothing(clock):
    """Each instance has its own instruments, sessions and resource manager."""
    one, two = (EmulatorVisaLibrary({GPIB: Parrot(clock)}) for _ in range(2))
    managers = [pyvisa.ResourceManager(library) for library in (one, two)]
    first, second = (manager.open_resource(GPIB, timeout=10) for manager in managers)
    first.write("say for the first")

    with pytest.raises(VisaIOError, match="VI_ERROR_TMO"):
        second.read()
    assert first.read() == "for the first\n"
    for manager in managers:
        manager.close()


def test_a_closed_session_is_refused(gpib, library):
    """The handle means nothing any more."""
    session = gpib.session
    gpib.close()

    with pytest.raises(VisaIOError) as caught:
        library.write(session, b"say hello")
    assert caught.value.error_code == StatusCode.error_invalid_object


def test_a_closed_socket_loses_what_was_unread(socket):
    """A new connection does not see the old one's replies."""
    socket.write("say old")
    socket.close()
    socket.open()
    socket.read_termination = "\n"

    assert socket.query("say new") == "new"


def test_opening_leaves_the_global_random_generator_alone(manager):
    """pyvisa-sim itself draws session handles from it."""
    random.seed(1)
    state = random.getstate()
    manager.open_resource(GPIB)

    assert random.getstate() == state


def test_pymeasure_takes_the_instance(library):
    """VISAAdapter hands visa_library to PyVISA's resource manager."""
    adapter = VISAAdapter(GPIB, visa_library=library, read_termination="\n")
    adapter.write("say hello")

    assert adapter.read() == "hello"
    adapter.close()


def test_an_error_inside_an_emulator_is_not_swallowed(manager, library):
    """pyvisa-sim would turn an AttributeError into "unsupported operation"."""

    class Broken(EmulatedInstrument):
        def handle(self, message):
            raise AttributeError("a mistake in the emulator")

    library.devices[GPIB] = Broken()
    resource = manager.open_resource(GPIB)
    with pytest.raises(AttributeError, match="a mistake in the emulator"):
        resource.write("anything")
