"""Reading buffers of an emulated Keithley 2450: what a reading keeps, and how it is asked for.

Elements and status bits after the reference manual (2450-901-01 rev. B, :TRACe:DATA? and
bufferVar.sourcestatuses). Ours: the date on which the emulator's clock starts, and the text of the
formatted elements.
"""

import statistics
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from simulated_instruments.scpi_grammar import word
from simulated_instruments.scpi_smu import Reading

STARTED = datetime(2026, 1, 1, tzinfo=UTC)
DEFAULT_BUFFERS = ("defbuffer1", "defbuffer2")
DEFAULT_SIZE = 100_000
LARGEST_SIZE = 6_875_000
MAX_BUFFERS = 50
"""User-defined ones. Ours: the manual names no number."""
LIMITED, REMOTE_SENSE, OUTPUT_ON = 32, 64, 128
FRONT = 8
ELEMENT = word(
    "DATE", "FORMatted", "FRACtional", "READing", "RELative", "SEConds", "SOURce",
    "SOURFORMatted", "SOURSTATus", "SOURUNIT", "STATus", "TIME", "TSTamp", "UNIT",
)  # fmt: skip
UNITS = {"VOLT": "Volt DC", "CURR": "Amp DC", "RES": "Ohm"}
STATISTICS: dict[str, Callable[[Sequence[float]], float]] = {
    "AVER": statistics.fmean,
    "MAX": max,
    "MIN": min,
    "STDD": statistics.pstdev,
    "PKPK": lambda values: max(values) - min(values),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One reading with what the buffer keeps beside it."""

    reading: Reading
    function: str
    """VOLT, CURR or RES."""
    value: float
    source: str
    sourced: float
    source_status: int
    front: bool

    def element(self, name: str, first: float) -> float | str:
        """One buffer element; ``first`` is the time of the buffer's first reading."""
        return ELEMENTS[name](self, first)

    @property
    def when(self) -> datetime:
        """The emulator's time of the reading."""
        return STARTED + timedelta(seconds=self.reading.time)


ELEMENTS: dict[str, Callable[[Point, float], float | str]] = {
    "READ": lambda point, _: point.value,
    "SOUR": lambda point, _: point.sourced,
    "REL": lambda point, first: point.reading.time - first,
    "SEC": lambda point, _: str(int(point.when.timestamp())),
    "FRAC": lambda point, _: point.reading.time % 1.0,
    "STAT": lambda point, _: str(FRONT if point.front else 0),
    "SOURSTAT": lambda point, _: str(point.source_status),
    "UNIT": lambda point, _: UNITS[point.function],
    "SOURUNIT": lambda point, _: UNITS[point.source],
    "FORM": lambda point, _: f"{point.value:.5g} {UNITS[point.function].split()[0]}",
    "SOURFORM": lambda point, _: f"{point.sourced:.5g} {UNITS[point.source].split()[0]}",
    "DATE": lambda point, _: f"{point.when:%m/%d/%Y}",
    "TIME": lambda point, _: f"{point.when:%H:%M:%S.%f}",
    "TST": lambda point, _: f"{point.when:%m/%d/%Y %H:%M:%S.%f}",
}
"""What an element is of a point, and of the time of its buffer's first."""


class ReadingBuffer:
    """Points up to a size, the oldest dropped first (fill mode CONTinuous) or the newest (ONCE)."""

    def __init__(self, size: int, mode: str = "CONT") -> None:
        self.mode = mode
        self.points: deque[Point] = deque()
        self.resize(size)

    def resize(self, size: int) -> None:
        """Change the size; the readings are lost."""
        self.size = size
        self.points.clear()

    def append(self, point: Point) -> None:
        """Store one point, if the mode allows."""
        if len(self.points) >= self.size:
            if self.mode == "ONCE":
                return
            self.points.popleft()
        self.points.append(point)

    def elements(self, first: int, last: int, names: Sequence[str]) -> list[float | str]:
        """Elements of the points ``first`` to ``last``, counted from 1."""
        began = self.points[0].reading.time
        chosen = list(self.points)[first - 1 : last]
        return [point.element(name, began) for point in chosen for name in names]

    def statistic(self, name: str) -> float:
        """One of `STATISTICS` of all readings."""
        return float(STATISTICS[name]([point.value for point in self.points]))
