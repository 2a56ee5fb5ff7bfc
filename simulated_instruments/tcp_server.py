"""Emulators on TCP ports, for other processes and other languages.

One port per instrument, a thread per client. A client's bytes go to the emulator one complete
message at a time, under its lock, so clients take turns and each gets its own replies.
"""

import contextlib
import logging
import socket
import socketserver
import threading
from collections.abc import Iterator, Mapping

from crossbar.errors import ConfigurationError
from crossbar.units import Seconds
from simulated_instruments.clock import VirtualClock
from simulated_instruments.emulated_instrument import EmulatedInstrument, message_length
from simulated_instruments.visa_library import BUS_LATENCY

LOG = logging.getLogger(__name__)
CHUNK = 65536
MAX_MESSAGE = 4 * 2**20
"""Bytes. A client that sends more without ending a message is disconnected."""
QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)  # Linux only


class Conversation(socketserver.BaseRequestHandler):
    """One client, until it leaves."""

    server: "InstrumentServer"

    def handle(self) -> None:
        """Hand over complete messages and send back what they provoked."""
        connection: socket.socket = self.request
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        received = bytearray()
        terminator = self.server.instrument.TERMINATOR
        with contextlib.suppress(ConnectionError):
            while data := self._receive(connection):
                received += data
                while (length := message_length(received, terminator)) is not None:
                    message = bytes(received[: length + 1])
                    del received[: length + 1]
                    if replies := self.server.exchange(message):
                        connection.sendall(replies)
                if len(received) > MAX_MESSAGE:
                    LOG.warning("%s sent %d bytes without end", self.client_address, len(received))
                    return

    def _receive(self, connection: socket.socket) -> bytes:
        """Bytes as they come; none when the client has left."""
        if QUICKACK is not None:
            # pyvisa-py leaves Nagle's algorithm on: without this, two writes and a query wait 40 ms
            # for a delayed acknowledgement. Linux forgets the option, so it is set every time.
            connection.setsockopt(socket.IPPROTO_TCP, QUICKACK, 1)
        return connection.recv(CHUNK)


class InstrumentServer(socketserver.ThreadingTCPServer):
    """One emulator on one port."""

    allow_reuse_address = True

    def __init__(
        self,
        address: tuple[str, int],
        instrument: EmulatedInstrument,
        clock: VirtualClock,
        latency: Seconds,
    ) -> None:
        self.instrument = instrument
        self.clock = clock
        self.latency = latency
        self._connections: set[socket.socket] = set()
        super().__init__(address, Conversation)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)

    def exchange(self, message: bytes) -> bytes:
        """One message in, all that it makes the emulator say out."""
        with self.instrument.lock:
            self.clock.advance(self.latency)
            self.instrument.receive(message)
            replies = b"".join(self.instrument.replies)
            self.instrument.replies.clear()
        return replies

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        """Remember every connection, to close it when the server stops."""
        connection, client = super().get_request()
        self._connections.add(connection)
        return connection, client

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]
        """Forget a connection that has ended."""
        self._connections.discard(request)
        super().shutdown_request(request)

    def start(self) -> None:
        """Serve in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """Disconnect every client, and return when all threads have ended."""
        self.shutdown()
        self._thread.join()
        for connection in tuple(self._connections):
            with contextlib.suppress(OSError):  # it may have closed itself by now
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()


@contextlib.contextmanager
def serve(
    instruments: Mapping[str, EmulatedInstrument],
    *,
    host: str = "127.0.0.1",
    ports: Mapping[str, int] | None = None,
    clock: VirtualClock | None = None,
    latency: Seconds = BUS_LATENCY,
) -> Iterator[dict[str, str]]:
    """Serve emulators while the block runs; gives the VISA address of each name.

    ``ports`` by name; those not named get a free one. Anybody who reaches ``host`` can use the
    instruments: there is no password. Raises ConfigurationError for a port that cannot be opened.
    """
    clock = clock or VirtualClock()
    addresses = {}
    with contextlib.ExitStack() as running:
        for name, instrument in instruments.items():
            port = (ports or {}).get(name, 0)
            try:
                server = InstrumentServer((host, port), instrument, clock, latency)
            except (OSError, OverflowError) as error:
                raise ConfigurationError(
                    f"{name} cannot be served at {host} port {port}: {error}. Choose another port "
                    "or host."
                ) from error
            server.start()
            running.callback(server.stop)
            addresses[name] = f"TCPIP::{host}::{server.server_address[1]}::SOCKET"
        yield addresses
