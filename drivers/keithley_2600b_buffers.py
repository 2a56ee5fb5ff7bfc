"""Reading buffers of a Keithley 2600B, fetched as one binary block (reference manual, ``format``).

A block is ``#0``, then 8 bytes per number, then a line feed. It has no length of its own and may
hold line feeds, so that exactly as many bytes are read as there are numbers.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossbar.errors import ConfigurationError, ReplyError
from drivers.keithley_2600b import IDENTIFIER, Keithley2600B

Column = NDArray[np.float64]
START, END = b"#0", b"\n"
COLUMNS = ("readings", "timestamps", "statuses", "sourcevalues")
COMPLIANCE = 0x40
"""Bit of a reading's status: the source was clamped."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BufferReadings:
    """What a reading buffer holds, oldest first."""

    readings: Column
    """Amperes (or volts, ohms, watts: whatever was measured)."""
    seconds: Column
    """Since the first reading."""
    source_values: Column
    """What was programmed, in volts (or amperes)."""
    in_compliance: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.readings)


def ask_block(smu: Keithley2600B, statement: str, count: int) -> Column:
    """The ``count`` numbers that a ``printbuffer`` or ``printnumber`` answers, in full precision.

    Raises ReplyError for anything else; `Keithley2600B.synchronize` afterwards. A shorter answer
    ends as the link reports a time-out.
    """
    smu.write(
        "format.data = format.REAL64 format.byteorder = format.LITTLEENDIAN "
        f"{statement} format.data = format.ASCII"
    )
    expected = len(START) + 8 * count + len(END)
    block = smu.read_bytes(expected)
    if len(block) != expected or not block.startswith(START) or not block.endswith(END):
        raise ReplyError(
            f"{smu.name} answered {block[:20]!r} where a block of {count} binary numbers was "
            "expected. Synchronize with it before asking again."
        )
    return np.frombuffer(block, dtype="<f8", count=count, offset=len(START)).copy()


def read_buffer(smu: Keithley2600B, buffer: str = "smua.nvbuffer1") -> BufferReadings:
    """All readings of a buffer that collects time stamps and source values.

    Raises ConfigurationError for a name that is none and for a buffer that does not collect these,
    ReplyError where there is no such buffer.
    """
    if not IDENTIFIER.fullmatch(buffer):
        raise ConfigurationError(f"{buffer!r} is not the name of a reading buffer.")
    count = _count(smu, buffer)
    tables = [f"{buffer}.{column}" for column in COLUMNS]
    numbers = (
        ask_block(smu, f"printbuffer(1, {count}, {', '.join(tables)})", count * len(tables))
        if count
        else np.empty(0)  # of an empty buffer nothing is printed
    )
    readings, seconds, statuses, source_values = numbers.reshape(-1, len(COLUMNS)).T
    return BufferReadings(
        readings=readings,
        seconds=seconds,
        source_values=source_values,
        in_compliance=(statuses.astype(np.int64) & COMPLIANCE) > 0,
    )


def _count(smu: Keithley2600B, buffer: str) -> int:
    reply = smu.ask(
        f"local b = {buffer} or {{}} print(b.n, b.collectsourcevalues, b.collecttimestamps)"
    )
    try:
        count, *collected = map(float, reply.split("\t"))
    except ValueError:
        raise ReplyError(f"{smu.name} has no reading buffer {buffer}: {reply.strip()!r}.") from None
    if not all(collected):
        raise ConfigurationError(
            f"The buffer {buffer} of {smu.name} does not collect source values and time stamps. "
            "Clear it, then set collectsourcevalues and collecttimestamps to 1."
        )
    return int(count)
