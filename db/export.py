"""Tables for people: CSV whose headers carry the units, from the types of the records' fields."""

import csv
import dataclasses
import enum
from typing import Annotated, Any, TextIO, get_args, get_origin, get_type_hints

from crossbar.records import WerPoint
from crossbar.units import Unit
from db.store import Store


def write_wer_points(store: Store, stream: TextIO, wafer_id: int) -> int:
    """Write every write error rate of a wafer as CSV, SI numbers in full precision.

    Open the stream with ``newline=""``. Returns the number of rows, the header not counted.
    """
    writer = csv.writer(stream)
    writer.writerow(["run", "die_x", "die_y", *headers(WerPoint)])
    rows = 0
    for run in sorted(store.runs(wafer_id), key=lambda run: run.id):
        for die in run.dies:
            for point in store.records(run.id, die, WerPoint):
                values = [getattr(point, field.name) for field in dataclasses.fields(point)]
                writer.writerow([run.id, die.x, die.y, *map(_plain, values)])
                rows += 1
    return rows


def headers(record: type[Any]) -> list[str]:
    """A dataclass's fields as column names, with the unit where its type has one: "width [s]"."""
    hints = get_type_hints(record, include_extras=True)
    return [_header(field.name, hints[field.name]) for field in dataclasses.fields(record)]


def _header(name: str, hint: Any) -> str:
    units = [part.symbol for part in get_args(hint)[1:] if isinstance(part, Unit)]
    return f"{name} [{units[0]}]" if get_origin(hint) is Annotated and any(units) else name


def _plain(value: object) -> object:
    return value.value if isinstance(value, enum.Enum) else value
