"""The shape of every emulator: bytes in, complete replies out, whatever the transport.

The same object serves in process (`visa_library`) and over TCP (`tcp_server`).
"""

import re
import threading
from abc import ABC, abstractmethod
from collections import deque
from typing import ClassVar

BLOCK = re.compile(rb"#([1-9])")
INPUT_LIMIT = 4 * 2**20
"""Bytes of one message. Ours; instruments differ."""


class EmulatedInstrument(ABC):
    """Splits the incoming bytes into messages and queues complete replies."""

    TERMINATOR: ClassVar[bytes] = b"\n"
    """The byte that ends a message."""
    REPLY_TERMINATOR: ClassVar[bytes] = b"\n"
    """What the instrument ends its replies with."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        """Held by a transport while it hands over bytes: instruments do one thing at a time."""
        self.replies: deque[bytes] = deque()
        """Complete replies, each with its terminator, oldest first."""
        self._input = bytearray()

    @abstractmethod
    def handle(self, message: bytes) -> None:
        """Act on one message without its terminator; call `reply` for what it answers."""

    def receive(self, data: bytes, *, end: bool = False) -> None:
        """Take bytes as they come; ``end`` says that the bus marked the message's end (EOI)."""
        self._input += data
        while (length := message_length(self._input, self.TERMINATOR)) is not None:
            message = bytes(self._input[:length])
            del self._input[: length + 1]
            # Some clients end lines with CR LF; the last byte of a block may look like a CR.
            self.handle(message if b"#" in message else message.removesuffix(b"\r"))
        if len(self._input) > INPUT_LIMIT:
            self._input.clear()
            self.input_overrun()
            return
        if end and self._input:
            message = bytes(self._input)
            self._input.clear()
            self.handle(message)

    def reply(self, text: str | bytes) -> None:
        """Queue one reply; its terminator is added."""
        content = text.encode("latin-1") if isinstance(text, str) else text
        self.replies.append(content + self.REPLY_TERMINATOR)

    def clear(self) -> None:
        """Device clear: forget half-received messages and unread replies, keep the settings."""
        self._input.clear()
        self.replies.clear()

    # The message exchange of IEEE 488.2, 6.3. A transport with messages of its own (GPIB, USB,
    # VXI-11) tells of it; a stream cannot. Instruments that queue their replies ignore it.

    def new_message(self) -> None:  # noqa: B027
        """The first byte of a message came while replies may be unread; nothing by default."""

    def read_in_vain(self) -> None:  # noqa: B027
        """The controller reads, and there is nothing to say; nothing by default."""

    def input_overrun(self) -> None:  # noqa: B027
        """A message was longer than `INPUT_LIMIT` and has been dropped; nothing by default."""

    @property
    def within_message(self) -> bool:
        """Whether the beginning of a message has come, and its end has not."""
        return bool(self._input)

    def status_byte(self) -> int:
        """IEEE-488.2 status byte; bit 4 says that a reply waits."""
        return 0x10 if self.replies else 0

    def trigger(self) -> None:  # noqa: B027  most instruments ignore it
        """Group execute trigger; nothing by default."""


def message_length(data: bytes | bytearray, terminator: bytes = b"\n") -> int | None:
    """Length of the first complete message in ``data``, or None: up to a terminator (one byte) that
    does not lie within a definite-length block (IEEE-488.2, ``#<digits><length><bytes>``).
    """
    position = 0
    while True:
        newline = data.find(terminator, position)
        if newline < 0:
            return None
        block = BLOCK.search(data, position, newline)
        if block is None:
            return newline
        digits = int(block[1])
        header = data[block.end() : block.end() + digits]
        if not header.isdigit() or len(header) < digits:
            position = block.end()
            continue
        position = block.end() + digits + int(header)
