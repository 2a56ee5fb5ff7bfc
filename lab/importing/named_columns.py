"""Files whose first line names the columns, in any order, with or without units."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crossbar.errors import ConfigurationError, DataError
from crossbar.units import parse_quantity, without_prefix
from lab.importing.text_table import Line, TextTable

LARGEST_COUNT = 10**15
"""Beyond it floats do not hold every whole number; no count of pulses gets there."""
HEADING = re.compile(r"\s*(.*?)\s*(?:[(\[]\s*([^)\]]*?)\s*[)\]])?\s*")


@dataclass(frozen=True, kw_only=True)
class NamedColumns:
    """A table, where its columns stand, and by what a number there is multiplied to be SI."""

    table: TextTable
    """Its first line is the header, which `lines` leaves out."""
    places: Mapping[str, int]
    factors: Mapping[str, float]

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines below the header."""
        return self.table.lines[1:]

    def __contains__(self, name: str) -> bool:
        return name in self.places

    def text(self, line: Line, name: str) -> str:
        """What a column holds."""
        return line.values[self.places[name]].strip()

    def number(self, line: Line, name: str) -> float:
        """What a column holds, in SI. Raises DataError if it is no finite number."""
        value = self.table.number(line, self.places[name], name)
        return without_prefix(value, self.factors.get(name, 1.0))

    def count(self, line: Line, name: str) -> int:
        """A whole number that is not negative. Raises DataError for another."""
        value = self.number(line, name)
        if value != int(value) or not 0 <= value <= LARGEST_COUNT:
            raise self.table.refusal(
                line,
                f"{name} is {self.text(line, name)}; expected a whole number from 0 to "
                f"{LARGEST_COUNT:g}.",
            )
        return int(value)


def named_columns(
    table: TextTable, units: Mapping[str, str], required: Sequence[str]
) -> tuple[NamedColumns, tuple[str, ...]]:
    """Find the columns of ``units`` by name, whatever their case and order.

    ``units`` gives the SI symbol of each, "" for one without. A unit in brackets after the name,
    with a prefix or without, is heeded; without one, SI is meant. Returns the columns, and a note
    if there are others, which are left out. Raises DataError for a column that is required and
    missing, one that stands there twice, a unit that is none, and lines of another length.
    """
    header = table.lines[0]
    known = {name.lower(): name for name in units}
    places: dict[str, int] = {}
    factors: dict[str, float] = {}
    others = []
    for place, heading in enumerate(header.values):
        found = HEADING.fullmatch(heading)
        assert found is not None  # it matches everything
        name = known.get(found[1].lower().replace(" ", "_"))
        if name is None:
            others.append(heading.strip())
            continue
        if name in places:
            raise table.refusal(header, f"there are two columns {name!r}. Delete or rename one.")
        places[name] = place
        factors[name] = _factor(table, header, heading, found[2], units[name])
    _check_columns(table, places, required)
    note = f"Columns that are not used: {', '.join(others)}." if others else ""
    columns = NamedColumns(table=table, places=places, factors=factors)
    return columns, (note,) if note else ()


def _factor(table: TextTable, header: Line, heading: str, unit: str | None, symbol: str) -> float:
    if not unit or not symbol:
        return 1.0
    try:
        return parse_quantity(f"1 {unit}", symbol)
    except ConfigurationError:
        raise table.refusal(
            header, f"the column {heading.strip()!r} must be in {symbol}, such as m{symbol}."
        ) from None


def _check_columns(table: TextTable, places: Mapping[str, int], required: Sequence[str]) -> None:
    """Refuse a header that lacks something, and lines that have less or more than it names."""
    header, *lines = table.lines
    if missing := [name for name in required if name not in places]:
        raise table.refusal(
            header,
            f"the column{'s' * (len(missing) > 1)} {', '.join(missing)} "
            f"{'are' if len(missing) > 1 else 'is'} missing; the first line must name "
            f"{', '.join(required)} and names {', '.join(header.values)}.",
        )
    if not lines:
        raise DataError(f"{table.path} holds a header and no data. Export or fetch it again.")
    for line in lines:
        if len(line.values) != len(header.values):
            cut = " The file seems to be cut off: fetch it again." * (line is lines[-1])
            raise table.refusal(
                line,
                f"holds {len(line.values)} values, but the header names {len(header.values)} "
                f"columns.{cut}",
            )
