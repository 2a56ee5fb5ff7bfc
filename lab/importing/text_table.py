"""Files of numbers in lines, read whole; what is wrong is said with file, line, value and remedy.

Delimiters (tab, comma, semicolon, blanks), line ends and a byte-order mark are found out; blank
lines and those that begin with ``#`` or ``%`` are left out. Decimal commas are refused: they
cannot be told from delimiters or thousands.
"""

import csv
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crossbar.errors import DataError

COMMENTS = ("#", "%")
DELIMITERS = "\t;,"
LINE_END = re.compile(r"\r\n|\r|\n")
BINARY_BEGINNINGS = {
    b"\x1f\x8b": "gzip", b"PK": "a zip or an Excel workbook", b"SQLite": "a database",
    b"\x89HDF": "HDF5", b"\x93NUMPY": "NumPy", b"MATLAB": "MATLAB", b"\xd0\xcf": "Excel",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a file that is neither blank nor a comment."""

    number: int
    """As an editor counts, from 1."""
    values: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class TextTable:
    """A file's lines, split into values, none of them interpreted yet."""

    path: Path
    lines: tuple[Line, ...]
    ends_with_line_end: bool

    def refusal(self, line: Line, said: str) -> DataError:
        """An error about one line."""
        return DataError(f"{self.path}, line {line.number}: {said}")

    def number(self, line: Line, column: int, name: str) -> float:
        """One value of a line. Raises DataError if it is not a finite number."""
        text = line.values[column].strip()
        try:
            value = float(text)
        except ValueError:
            raise self.refusal(line, f"{name} is {text!r}, {_why_not(text)}") from None
        if not math.isfinite(value):
            raise self.refusal(
                line, f"{name} is {text}; expected a finite number. Delete that line, or mend it."
            )
        return value

    def without_header(self) -> "TextTable":
        """Without a first line in which nothing is a number, in a format that has no header."""
        if len(self.lines) > 1 and not any(_is_number(text) for text in self.lines[0].values):
            return TextTable(
                path=self.path, lines=self.lines[1:], ends_with_line_end=self.ends_with_line_end
            )
        return self


def read_table(path: Path) -> TextTable:
    """Read a file. Raises DataError if it cannot be read, is binary, or holds no line of data."""
    text = _text(path)
    raw = [
        (number, line)
        for number, line in enumerate(LINE_END.split(text), start=1)
        if line.strip() and not line.lstrip().startswith(COMMENTS)
    ]
    if not raw:
        raise DataError(f"{path} is empty: it holds no line of data. Export or fetch it again.")
    delimiter = next((mark for mark in DELIMITERS if mark in raw[0][1]), None)
    return TextTable(
        path=path,
        lines=tuple(Line(number=n, values=_values(line, delimiter)) for n, line in raw),
        ends_with_line_end=text.endswith(("\n", "\r")),
    )


def numeric_columns(table: TextTable, names: Sequence[str]) -> NDArray[np.float64]:
    """(lines, columns) numbers of a table whose lines all hold exactly the columns named.

    Raises DataError for a line that is too short or too long, or a value that is no number.
    """
    rows = []
    for line in table.lines:
        if len(line.values) != len(names):
            raise table.refusal(line, _wrong_length(table, line, len(names), ", ".join(names)))
        rows.append([table.number(line, place, name) for place, name in enumerate(names)])
    check_last_value(table)
    return np.array(rows, dtype=np.float64)


def _wrong_length(table: TextTable, line: Line, expected: int, what: str) -> str:
    said = f"holds {len(line.values)} values; expected {expected} ({what}). "
    if line is table.lines[-1] and len(line.values) < expected:
        return said + "The file ends here and seems to be cut off: fetch it again."
    return said + "Is it of another format, or damaged?"


def check_last_value(table: TextTable) -> None:
    """Refuse a file that ends in the middle of a number, as a broken transfer leaves it.

    It does where no line end follows and the last value has fewer decimals than all the others at
    the ends of lines, which have one number of them. Raises DataError.
    """
    if table.ends_with_line_end or len(table.lines) < 3:
        return
    *others, last = (_decimals(line.values[-1]) for line in table.lines)
    if len(set(others)) == 1 and last < others[0]:
        raise table.refusal(
            table.lines[-1],
            f"the last value, {table.lines[-1].values[-1]!r}, has {last} decimals where all the "
            f"others have {others[0]}, and no line end follows: the file is cut off. Fetch it "
            "again.",
        )


def check_unit(
    table: TextTable, name: str, values: NDArray[np.float64], low: float, high: float, unit: str
) -> None:
    """Refuse a column whose typical magnitude makes no sense in its unit. Raises DataError."""
    magnitudes = np.abs(values[values != 0])
    typical = float(np.median(magnitudes)) if len(magnitudes) else float("nan")
    if len(magnitudes) and not low <= typical <= high:
        raise DataError(
            f"{table.path}: {name} is typically {typical:.4g}, which is no value in {unit} here; "
            f"expected {low:g} to {high:g}. Is the column in another unit, or are columns swapped?"
        )


def check_resistances(table: TextTable, name: str, values: NDArray[np.float64]) -> None:
    """Refuse a column that holds no resistances of memory cells in ohm. Raises DataError."""
    if np.any(values == 0):
        raise DataError(
            f"{table.path}: {name} holds {np.count_nonzero(values == 0)} zeros, and no cell has no "
            "resistance. Delete those lines."
        )
    check_unit(table, name, values, 50.0, 1e12, "ohm")


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}). Check its name.") from None
    for beginning, kind in BINARY_BEGINNINGS.items():
        if data.startswith(beginning):
            raise DataError(f"{path} is {kind}, not text; unpack or export it as text first.")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    if 0 in data:
        place = data.index(0)
        raise DataError(f"{path} is not text: byte {place} is zero. Export it as text first.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")  # "µ" and "Ω" of older programs


def _values(line: str, delimiter: str | None) -> tuple[str, ...]:
    """A line's values; a delimiter at its very end begins no further one."""
    if delimiter is None:
        return tuple(line.split())
    values = next(csv.reader([line.strip(" ")], delimiter=delimiter))
    return tuple(values[:-1] if len(values) > 1 and not values[-1].strip() else values)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _why_not(text: str) -> str:
    if not text:
        return "empty; expected a number. Fill it in, or delete that line."
    if re.fullmatch(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?", text):
        return "which has a decimal comma; write decimal points."
    return "which is not a number. Is the file of another format, or damaged?"


def _decimals(text: str) -> int:
    return len(text.strip().partition(".")[2])
