"""Measurement data of the B1500A: ``NAI+000.005E-09`` and how ``FMT`` and ``TSC`` shape it.

Status letters and channel letters after PyMeasure's reader. The binary formats (``FMT 3``, 4, 13,
14) are not emulated and refused. How formats 5, 15 and 25 end a line differs from formats 1, 11 and
21 at the instrument; here it does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from crossbar.units import Seconds
from simulated_instruments.clock import VirtualClock
from simulated_instruments.flex_grammar import FlexInstrument, engineering, flex, one_of, whole

ASCII_FORMATS = (1, 2, 5, 11, 12, 15, 21, 22, 25)
WITHOUT_HEADER = (2, 12, 22)
OVER_RANGE = 199.999e99
"""What stands where there is no reading."""
STATUS_BITS = {"N": 0, "V": 1, "X": 2, "T": 4, "C": 8, "U": 2, "D": 4}
LARGEST_OUTPUT = 100_001
"""Data that the output buffer holds."""


@dataclass(frozen=True, slots=True)
class Datum:
    """One value on its way out."""

    status: str
    """N, T (another channel in compliance), C (this one), V (over range); W and E for sources."""
    channel: int
    """1 to 10: the slot."""
    kind: str
    """V, I, T (time), X (index), C, Y..."""
    value: float

    @property
    def letter(self) -> str:
        """A for slot 1 to J for slot 10."""
        return "ABCDEFGHIJ"[self.channel - 1]


class DataOutput:
    """The output data buffer, and the commands that shape what goes into it."""

    def __init__(self, instrument: FlexInstrument, clock: VirtualClock) -> None:
        self.instrument = instrument
        self.clock = clock
        self.reset()

    def reset(self) -> None:
        """As after ``*RST``."""
        self.format, self.mode = 1, 0
        self.stamped = False
        self._zero = self.clock.now

    @property
    def time(self) -> Seconds:
        """Since the timer was cleared."""
        return self.clock.now - self._zero

    @property
    def with_source(self) -> bool:
        """Whether source values (or sampling indices) follow the measured ones."""
        return self.mode != 0

    def send(self, data: Sequence[Datum]) -> None:
        """One line of data, its end marked by the terminator."""
        line = ",".join(self.text(datum) for datum in data[:LARGEST_OUTPUT])
        self.instrument.replies.append(line.encode() + self.instrument.REPLY_TERMINATOR)

    def stamp(self, channel: int, time: Seconds) -> list[Datum]:
        """The time ahead of a reading, if time stamps are on."""
        return [Datum("N", channel, "T", time)] if self.stamped else []

    def text(self, datum: Datum) -> str:
        """As the present format writes it."""
        digits = 3 if self.format < 10 else 4
        number = engineering(datum.value, digits)
        if self.format in WITHOUT_HEADER:
            return number
        status = datum.status
        if self.format > 20:
            bits = STATUS_BITS.get(status)
            status = f"  {status}" if bits is None else f"{bits:03d}"
        return f"{status}{datum.letter}{datum.kind}{number}"

    @flex("FMT", 1, 2)
    def _set_format(self, form: str, mode: str = "0") -> None:
        chosen = one_of(form, ASCII_FORMATS)
        self.mode = whole(mode, 0, 10)
        self.format = chosen
        self.instrument.clear_data()

    @flex("TSC", 1)
    def _set_stamps(self, on: str) -> None:
        self.stamped = bool(whole(on, 0, 1))

    @flex("TSR", 0, 1)
    def _clear_timer(self, channel: str = "1") -> None:
        whole(channel, 1, 1002)
        self._zero = self.clock.now

    @flex("TSQ")
    def _send_time(self) -> None:
        self.send([Datum("N", 1, "T", self.time)])

    @flex("BC")
    def _clear_buffer(self) -> None:
        self.instrument.clear_data()

    @flex("NUB?")
    def _unread(self) -> str:
        return str(sum(line.count(b",") + 1 for line in self.instrument.unread_data))
