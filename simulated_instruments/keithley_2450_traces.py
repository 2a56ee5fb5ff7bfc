"""The reading buffers of an emulated Keithley 2450 as its TRACe commands know them.

After the reference manual 2450-901-01, section 6. Not confirmed: which numbers the errors have.
"""

from collections.abc import Callable
from typing import Any

from simulated_instruments.keithley_2450_buffers import (
    DEFAULT_BUFFERS,
    DEFAULT_SIZE,
    ELEMENT,
    LARGEST_SIZE,
    MAX_BUFFERS,
    ReadingBuffer,
)
from simulated_instruments.keithley_sourcemeter import NOT_A_NUMBER, quantity, quoted
from simulated_instruments.scpi import scpi
from simulated_instruments.scpi_grammar import ScpiError, integer, word

ELEMENTS = (ELEMENT,) * 14
INDEX = integer(1, LARGEST_SIZE)
STATISTIC_WORDS = {
    "AVER": "AVERage", "MAX": "MAXimum", "MIN": "MINimum", "STDD": "STDDev", "PKPK": "PK2Pk",
}  # fmt: skip
STYLE = word("COMPact", "STANdard", "FULL", "WRITable", "FULLWRITable")


def _style(text: bytes) -> str:
    """A buffer's style, or nothing: QCoDeS ends the list of arguments with a comma."""
    return str(STYLE(text)) if text.strip() else ""


def _statistic(kind: str) -> Callable[..., str]:
    def answer(instrument: Any, name: str = DEFAULT_BUFFERS[0]) -> str:
        buffer = instrument.buffer(name)
        found = buffer.statistic(kind) if buffer.points else NOT_A_NUMBER
        return str(instrument.number_text(found))

    return answer


Statistics: Any = type(
    "Statistics",
    (),
    {
        f"_statistic_{kind}": scpi(f"TRACe:STATistics:{name}?", quoted, required=0)(
            _statistic(kind)
        )
        for kind, name in STATISTIC_WORDS.items()
    },
)


class Traces(Statistics):
    """Makes, sizes, empties and reads buffers; the instrument fills them."""

    buffers: dict[str, ReadingBuffer]

    def _no_buffers(self) -> None:
        self.buffers = {name: ReadingBuffer(DEFAULT_SIZE) for name in DEFAULT_BUFFERS}

    def buffer(self, name: str) -> ReadingBuffer:
        """The buffer of this name. Raises ScpiError -224 if there is none."""
        if name not in self.buffers:
            raise ScpiError(-224, "no such buffer")
        return self.buffers[name]

    @scpi("TRACe:MAKE", quoted, integer(10, LARGEST_SIZE), _style, required=2)
    def _make_buffer(self, name: str, size: int, style: str = "") -> None:
        if not name.isidentifier() or name in self.buffers:
            raise ScpiError(-224, "the name is taken, or is no name")
        if len(self.buffers) >= MAX_BUFFERS:
            raise ScpiError(-221, "too many buffers")
        self.buffers[name] = ReadingBuffer(size, "ONCE")

    @scpi("TRACe:DELete", quoted)
    def _delete_buffer(self, name: str) -> None:
        self.buffer(name)
        if name in DEFAULT_BUFFERS:
            raise ScpiError(-224, "default buffers stay")
        del self.buffers[name]

    @scpi("TRACe:POINts", quantity("", 1, LARGEST_SIZE, DEFAULT_SIZE), quoted, required=1)
    def _resize(self, size: float, name: str = DEFAULT_BUFFERS[0]) -> None:
        self.buffer(name).resize(int(size))

    @scpi("TRACe:POINts?", quoted, required=0)
    def _size(self, name: str = DEFAULT_BUFFERS[0]) -> str:
        return str(self.buffer(name).size)

    @scpi("TRACe:FILL:MODE", word("CONTinuous", "ONCE"), quoted, required=1)
    def _set_fill_mode(self, mode: str, name: str = DEFAULT_BUFFERS[0]) -> None:
        self.buffer(name).mode = mode

    @scpi("TRACe:FILL:MODE?", quoted, required=0)
    def _fill_mode(self, name: str = DEFAULT_BUFFERS[0]) -> str:
        return self.buffer(name).mode

    @scpi("TRACe:ACTual?", quoted, required=0)
    def _stored(self, name: str = DEFAULT_BUFFERS[0]) -> str:
        return str(len(self.buffer(name).points))

    @scpi("TRACe:CLEar", quoted, required=0)
    def _clear_buffer(self, name: str = DEFAULT_BUFFERS[0]) -> None:
        self.buffer(name).points.clear()

    @scpi("TRACe:DATA?", INDEX, INDEX, quoted, *ELEMENTS, required=2)
    def _data(
        self: Any, first: int, last: int, name: str = DEFAULT_BUFFERS[0], *elements: str
    ) -> bytes:
        buffer = self.buffer(name)
        if not first <= last <= len(buffer.points):
            raise ScpiError(-222, "beyond what is stored")
        found: bytes = self.data(buffer.elements(first, last, elements or ("READ",)))
        return found
