"""How TSP prints: numbers as text of the chosen precision, or as binary blocks."""

import struct
from collections.abc import Iterable, Sequence

from simulated_instruments.tsp_errors import ErrorQueue
from simulated_instruments.tsp_settings import Setting, Settings, choice

ASCII, REAL32, REAL64 = 1, 2, 3
BIG_ENDIAN, LITTLE_ENDIAN = 0, 1

CONSTANTS = {
    "ASCII": ASCII, "SREAL": REAL32, "REAL32": REAL32,
    "REAL": REAL64, "REAL64": REAL64, "DREAL": REAL64,
    "NORMAL": BIG_ENDIAN, "NETWORK": BIG_ENDIAN, "BIGENDIAN": BIG_ENDIAN,
    "SWAPPED": LITTLE_ENDIAN, "LITTLEENDIAN": LITTLE_ENDIAN,
}  # fmt: skip


class OutputFormat:
    """The attributes of ``format`` and what they do."""

    def __init__(self, errors: ErrorQueue) -> None:
        self.settings = Settings(
            {
                "data": choice(ASCII, ASCII, REAL32, REAL64),
                "byteorder": choice(LITTLE_ENDIAN, BIG_ENDIAN, LITTLE_ENDIAN),
                "asciiprecision": Setting(default=6, lower=1, upper=16),
            },
            errors,
        )

    def number(self, value: float) -> str:
        """``1.00000e+00`` at the default precision."""
        return f"{float(value):.{int(self.settings['asciiprecision']) - 1}e}"

    def line(self, values: Iterable[str]) -> bytes:
        """What ``print`` answers: values joined by tabs, always text."""
        return "\t".join(values).encode("latin-1", "replace")

    def numbers(self, values: Sequence[float]) -> bytes:
        """What ``printnumber`` and ``printbuffer`` answer: text, or ``#0`` and the raw floats."""
        data = int(self.settings["data"])
        if data == ASCII:
            return ", ".join(map(self.number, values)).encode("ascii")
        order = "<" if self.settings["byteorder"] == LITTLE_ENDIAN else ">"
        letter = "f" if data == REAL32 else "d"
        return b"#0" + struct.pack(f"{order}{len(values)}{letter}", *values)
