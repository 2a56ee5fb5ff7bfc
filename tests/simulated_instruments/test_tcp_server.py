import socket
import threading

import pytest
import pyvisa

from crossbar.errors import ConfigurationError
from simulated_instruments import tcp_server
from simulated_instruments.clock import VirtualClock
from simulated_instruments.emulated_instrument import EmulatedInstrument
from simulated_instruments.tcp_server import serve


class Parrot(EmulatedInstrument):
    """Repeats every message that ends with a question mark."""

    def handle(self, message):
        if message.endswith(b"?"):
            self.reply(message.removesuffix(b"?"))


def dial(address):
    """A plain socket to a VISA socket address, as another language would use it."""
    _, host, port, _ = address.split("::")
    return socket.create_connection((host, int(port)), timeout=5)


def line(connection):
    """One reply, read byte by byte so that nothing of the next is lost."""
    received = b""
    while not received.endswith(b"\n"):
        byte = connection.recv(1)
        assert byte, "the server hung up"
        received += byte
    return received


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def address(clock):
    with serve({"parrot": Parrot()}, clock=clock) as addresses:
        yield addresses["parrot"]


def test_a_line_is_answered_with_a_line(address):
    """On loopback, at the port that the address names."""
    assert address.startswith("TCPIP::127.0.0.1::")
    with dial(address) as connection:
        connection.sendall(b"hello?\n")

        assert line(connection) == b"hello\n"


def test_a_message_may_come_in_pieces(address):
    """TCP keeps no boundaries: only the line feed ends a message."""
    with dial(address) as connection:
        for piece in (b"hel", b"lo", b"?\nagain", b"?\n"):
            connection.sendall(piece)

        assert [line(connection), line(connection)] == [b"hello\n", b"again\n"]


def test_pieces_of_two_clients_do_not_mix(address):
    """Half a message of one is not completed by the other's, and replies go to who asked."""
    with dial(address) as one, dial(address) as other:
        one.sendall(b"from ")
        other.sendall(b"other?\n")
        assert line(other) == b"other\n"

        one.sendall(b"one?\n")
        assert line(one) == b"from one\n"


def test_clients_in_parallel_get_their_own_replies(address):
    """Four clients, fifty questions each, all at once."""
    wrong = []

    def converse(name):
        with dial(address) as connection:
            for number in range(50):
                asked = f"{name} {number}".encode()
                connection.sendall(asked + b"?\n")
                if line(connection) != asked + b"\n":
                    wrong.append(asked)

    clients = [threading.Thread(target=converse, args=(name,)) for name in "abcd"]
    for client in clients:
        client.start()
    for client in clients:
        client.join()

    assert wrong == []


def test_every_message_takes_its_time_on_the_bus(address, clock):
    """0.3 ms of virtual time each."""
    with dial(address) as connection:
        connection.sendall(b"one?\ntwo?\n")
        line(connection), line(connection)

    assert clock.now == pytest.approx(0.6e-3)


def test_a_message_without_end_disconnects(address, monkeypatch):
    """Input is bounded; other clients are served on."""
    monkeypatch.setattr(tcp_server, "MAX_MESSAGE", 1000)
    with dial(address) as flooder:
        flooder.sendall(b"x" * 2000)
        assert flooder.recv(1) == b""
    with dial(address) as other:
        other.sendall(b"still there?\n")
        assert line(other) == b"still there\n"


def test_the_end_of_the_block_disconnects_everybody():
    """No thread, connection or port stays behind."""
    before = threading.active_count()
    with serve({"parrot": Parrot()}) as addresses:
        connection = dial(addresses["parrot"])
        connection.sendall(b"hello?\n")
        line(connection)

    assert connection.recv(1) == b""
    assert threading.active_count() == before
    with pytest.raises(ConnectionRefusedError):
        dial(addresses["parrot"])
    connection.close()


def test_ports_can_be_chosen():
    """A bench file names its ports; the same one can be served again right away."""
    with serve({"parrot": Parrot()}) as addresses:
        port = int(addresses["parrot"].split("::")[2])
    with serve({"parrot": Parrot()}, ports={"parrot": port}) as addresses:
        assert addresses["parrot"] == f"TCPIP::127.0.0.1::{port}::SOCKET"


@pytest.mark.parametrize("port", [None, 70000])
def test_a_port_that_cannot_be_opened_is_named(port):
    """In use, or no port at all; servers already started are stopped again."""
    before = threading.active_count()
    with serve({"parrot": Parrot()}) as addresses:
        port = port or int(addresses["parrot"].split("::")[2])
        with (
            pytest.raises(ConfigurationError, match=f"second cannot be served.* port {port}"),
            serve({"first": Parrot(), "second": Parrot()}, ports={"second": port}),
        ):
            pass

    assert threading.active_count() == before


def test_pyvisa_py_talks_to_it(address):
    """The VISA client that needs no vendor's library; long replies come whole."""
    manager = pyvisa.ResourceManager("@py")
    resource = manager.open_resource(address, write_termination="\n", read_termination="\n")
    text = "0123456789" * 8000

    assert resource.query(text + "?") == text
    resource.close()
    manager.close()
