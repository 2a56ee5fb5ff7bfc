"""Query errors of IEEE 488.2, 6.3: what a message exchange does when the two sides disagree."""

import pytest
import pyvisa
from pyvisa.errors import VisaIOError

from crossbar.geometry import DieAddress
from physics.wafer import SimulatedWafer
from simulated_instruments import emulated_instrument, scpi
from simulated_instruments.bench import SimulatedBench
from simulated_instruments.emulated_instrument import EmulatedInstrument
from simulated_instruments.scpi import ScpiInstrument
from simulated_instruments.visa_library import EmulatorVisaLibrary

GPIB = "GPIB0::5::INSTR"
SOCKET = "TCPIP0::127.0.0.1::5025::SOCKET"
QUERY_ERROR = 0x04


class Meter(ScpiInstrument):
    """A made-up instrument that only knows the common commands."""

    IDENTITY = "Maker,Meter,1,1.0"


@pytest.fixture
def meter():
    instrument = Meter()
    instrument.receive(b"*CLS\n")
    return instrument


@pytest.fixture
def manager(meter):
    manager = pyvisa.ResourceManager(EmulatorVisaLibrary({GPIB: meter, SOCKET: meter}))
    yield manager
    manager.close()


@pytest.fixture
def gpib(manager):
    return manager.open_resource(GPIB, write_termination="\n", read_termination="\n", timeout=100)


@pytest.fixture
def stream(manager):
    return manager.open_resource(SOCKET, write_termination="\n", read_termination="\n", timeout=100)


def test_a_message_before_the_reply_was_read_interrupts_the_query(gpib):
    """The reply is lost; the second query's comes."""
    gpib.write("*IDN?")

    assert gpib.query("*ESR?") == f"{QUERY_ERROR}"
    assert gpib.query("SYST:ERR?") == '-410,"Query INTERRUPTED"'
    assert gpib.query("SYST:ERR?") == '+0,"No error"'


def test_the_rest_of_a_reply_is_lost_too(gpib, meter):
    """Half of it had been read."""
    gpib.write("*IDN?")
    gpib.read_bytes(5, break_on_termchar=True)

    assert gpib.query("SYST:ERR?") == '-410,"Query INTERRUPTED"'


def test_a_message_in_pieces_interrupts_nothing(gpib):
    """END comes with the last piece."""
    gpib.send_end = False
    gpib.write_raw(b"*ID")
    gpib.send_end = True
    gpib.write("N?")

    assert gpib.read() == Meter.IDENTITY
    assert gpib.query("SYST:ERR?") == '+0,"No error"'


def test_a_stream_keeps_its_replies(stream):
    """A socket has no messages to interrupt: both replies come, in order."""
    stream.write("*IDN?")
    stream.write("*OPC?")

    assert [stream.read(), stream.read()] == [Meter.IDENTITY, "1"]
    assert stream.query("SYST:ERR?") == '+0,"No error"'


def test_a_read_without_a_query_times_out_and_is_an_error(gpib):
    """UNTERMINATED: the instrument was addressed to talk with nothing to say."""
    with pytest.raises(VisaIOError, match="VI_ERROR_TMO"):
        gpib.read()

    assert gpib.query("SYST:ERR?") == '-420,"Query UNTERMINATED"'


def test_a_read_after_a_query_that_was_refused_adds_its_error(gpib):
    """First why there is no answer, then that there is none."""
    with pytest.raises(VisaIOError):
        gpib.query("NONSENSE?")

    assert gpib.query("SYST:ERR?").startswith("-113,")
    assert gpib.query("SYST:ERR?").startswith("-420,")


def test_a_device_clear_is_no_interruption(gpib):
    """It empties both buffers without an error."""
    gpib.write("*IDN?")
    gpib.clear()

    assert gpib.query("SYST:ERR?") == '+0,"No error"'


def test_a_reply_that_does_not_fit_is_a_deadlock(gpib, monkeypatch):
    """Nobody reads while the instrument still takes commands: the reply is dropped."""
    monkeypatch.setattr(scpi, "OUTPUT_LIMIT", 100)
    gpib.write(";".join(["*IDN?"] * 20))
    with pytest.raises(VisaIOError):
        gpib.read()

    assert gpib.query("SYST:ERR?") == '-430,"Query DEADLOCKED"'


def test_a_message_without_end_is_dropped(meter, monkeypatch):
    """Whatever was waiting for its line feed."""
    monkeypatch.setattr(emulated_instrument, "INPUT_LIMIT", 1000)
    meter.receive(b"x" * 1001)
    meter.receive(b"SYST:ERR?\n")

    assert list(meter.replies) == [b'-363,"Input buffer overrun"\n']


@pytest.mark.parametrize(
    ("message", "number"),
    [
        (b"*ESE 1.2.3", -121),
        (b"*ESE one", -104),
        (b"*ESE", -109),
        (b"*ESE 1,2", -108),
        (b"*ESE 1V", -131),
        (b"\xffIDN?", -101),
        (b"ABCDEFGHIJKLM?", -112),
        (b"ABCDEFGHIJKL?", -113),
    ],
)
def test_command_errors_have_their_own_numbers(meter, message, number):
    """All of them in the hundreds that set bit 5 of the event status register."""
    meter.receive(message + b"\nSYST:ERR?\n*ESR?\n")

    assert meter.replies[0].startswith(b"%d," % number)
    assert meter.replies[1] == b"32\n"


def test_a_2600b_queues_its_replies_on_every_link():
    """It answers line by line whenever it has something to print; nothing is interrupted."""
    wafer = SimulatedWafer(addresses=[DieAddress(0, 0)], seed=1)
    bench = SimulatedBench(wafer, {GPIB: "keithley_2600b"})
    manager = pyvisa.ResourceManager(bench.visa_library)
    smu = manager.open_resource(GPIB, write_termination="\n", read_termination="\n", timeout=100)
    smu.write("print(1)")
    smu.write("print(2)")

    assert [float(smu.read()), float(smu.read())] == [1, 2]
    manager.close()


def test_an_emulator_without_the_protocol_takes_no_notice():
    """Its replies stay."""

    class Teller(EmulatedInstrument):
        def handle(self, message):
            self.reply(message)

    teller = Teller()
    teller.receive(b"a\n")
    teller.new_message()
    teller.read_in_vain()
    teller.input_overrun()

    assert list(teller.replies) == [b"a\n"]
