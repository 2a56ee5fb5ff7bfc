"""Reading buffers: `nvbuffer1`, `makebuffer(n)`, and printing them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from crossbar.units import Seconds
from simulated_instruments.tsp_errors import ErrorQueue
from simulated_instruments.tsp_format import OutputFormat
from simulated_instruments.tsp_interpreter import LuaObject, TspInterpreter
from simulated_instruments.tsp_settings import SWITCH_OFF, SWITCH_ON, Setting, Settings, choice

DEDICATED_CAPACITY = 149_789
"""Readings that nvbuffer1 and nvbuffer2 hold."""
COLUMNS = ("readings", "timestamps", "statuses", "sourcevalues")
"""Left out of the real list: ranges, functions and output states."""
ONLY_WHEN_EMPTY = {"appendmode", "collectsourcevalues", "collecttimestamps"}
MUST_BE_CLEARED, NO_SUCH_INDEX = 5032, 4900

SETTINGS = {
    "appendmode": SWITCH_OFF,
    "cachemode": SWITCH_ON,
    "collectsourcevalues": SWITCH_OFF,
    "collecttimestamps": SWITCH_ON,
    "fillmode": choice(0, 0, 1),
    "timestampresolution": Setting(default=1e-6, lower=1e-6),
}
CONSTANTS = {"FILL_ONCE": 0, "FILL_WINDOW": 1}


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One of a buffer's tables, as `printbuffer` takes it."""

    values: list[float]


class ReadingBuffer:
    """Readings with time, status and source value. A full buffer drops what comes (FILL_ONCE)."""

    def __init__(self, errors: ErrorQueue, capacity: int = DEDICATED_CAPACITY) -> None:
        self.capacity = capacity
        self.columns = {name: Column([]) for name in COLUMNS}
        self.values = self.columns["readings"].values
        self.base_timestamp: Seconds = 0.0
        self.settings = Settings(SETTINGS, errors, accept=self._accept)

    def clear(self) -> None:
        """Drop all readings, keep the settings."""
        for column in self.columns.values():
            column.values.clear()

    def begin(self) -> None:
        """A measure command starts: without appendmode it starts afresh."""
        if not self.settings["appendmode"]:
            self.clear()

    def append(self, reading: float, time: Seconds, status: int, source_value: float) -> None:
        """Store one reading; ``time`` is the instrument's clock."""
        if len(self.values) >= self.capacity:
            return
        if not self.values:
            self.base_timestamp = time
        row = (reading, time - self.base_timestamp, float(status), source_value)
        for name, value in zip(COLUMNS, row, strict=True):
            self.columns[name].values.append(value)

    def _accept(self, name: str, value: float) -> int:
        return MUST_BE_CLEARED if name in ONLY_WHEN_EMPTY and self.values else 0


def element(values: Sequence[float], key: object = None, *_: object) -> float | None:
    """``buf.readings[key]``, counted from 1; nil beyond the end."""
    if isinstance(key, int) and 1 <= key <= len(values):
        return values[key - 1]
    return None


def buffer_object(interpreter: TspInterpreter, buffer: ReadingBuffer) -> LuaObject:
    """The buffer as TSP sees it; ``buf[3]`` is ``buf.readings[3]``."""
    tables = {
        name: interpreter.make_object(
            handle=column,
            members={"getreading": partial(element, column.values)},
            index=partial(element, column.values),
            lua_type="synchronous_table",
        )
        for name, column in buffer.columns.items()
    }
    return interpreter.make_object(
        handle=buffer,
        getters=buffer.settings.getters()
        | {
            "n": lambda: len(buffer.values),
            "capacity": lambda: buffer.capacity,
            "basetimestamp": lambda: buffer.base_timestamp,
        },
        setters=buffer.settings.setters(),
        members=tables | CONSTANTS | {"clear": lambda *_: buffer.clear(), "clearcache": _no_cache},
        index=partial(element, buffer.values),
        lua_type="reading_buffer",
    )


def _no_cache(*_: object) -> None:
    """Nothing is cached here."""


def printed_buffers(
    first: float, last: float, tables: Sequence[object], output: OutputFormat, errors: ErrorQueue
) -> bytes | None:
    """What ``printbuffer(first, last, ...)`` answers: values interleaved, indices clamped to the
    readings there are. None after reporting 4900 for something that is no buffer.
    """
    columns = [table.values for table in tables if isinstance(table, ReadingBuffer | Column)]
    if not columns or len(columns) < len(tables):
        errors.report(NO_SUCH_INDEX)
        return None
    begin = max(1, int(first))
    end = min(int(last), *(len(values) for values in columns))
    return output.numbers([v[i] for i in range(begin - 1, end) for v in columns])
