"""The records of `crossbar.records`, to and from their tables.

A field goes into the column of its name; an array field into ``arrays``, its id into
``<name>_array``. What a record's ``key`` lists after its first word are the columns that, with run
and die, are unique. Numbers come back to the last bit; only the sign of a zero that stands outside
of an array is lost, since SQLite does not keep it.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any, TypeVar, get_type_hints

from numpy.typing import NDArray
from sqlalchemy import Connection, RowMapping, Table, select

from crossbar.errors import StorageError
from crossbar.geometry import DieAddress
from crossbar.pulses import State
from crossbar.records import (
    ArrayMapBlock,
    ContactRecord,
    DotProductBlock,
    Key,
    ProgrammedBlock,
    PulseTrain,
    ReadTrace,
    Record,
    RetentionReading,
    VoltageSweep,
    WerPoint,
)
from db import arrays, schema
from db.insert import insert_row
from db.run_tables import die_of_run

R = TypeVar(
    "R",
    ContactRecord,
    ArrayMapBlock,
    WerPoint,
    ProgrammedBlock,
    PulseTrain,
    ReadTrace,
    RetentionReading,
    VoltageSweep,
    DotProductBlock,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordTable:
    """Where records of one type are kept."""

    table: Table
    tag: str
    """The first word of their keys."""
    key_columns: tuple[str, ...]
    """The columns of the rest of their keys."""


RECORD_TABLES: dict[type[Record], RecordTable] = {
    ContactRecord: RecordTable(table=schema.contacts, tag="contact", key_columns=()),
    ArrayMapBlock: RecordTable(
        table=schema.array_map_blocks, tag="block", key_columns=("first_cell",)
    ),
    WerPoint: RecordTable(
        table=schema.wer_points, tag="wer", key_columns=("cell", "target", "amplitude", "width")
    ),
    ProgrammedBlock: RecordTable(
        table=schema.programmed_blocks, tag="programmed", key_columns=("first_cell",)
    ),
    PulseTrain: RecordTable(table=schema.pulse_trains, tag="train", key_columns=("cell", "part")),
    ReadTrace: RecordTable(
        table=schema.read_traces, tag="trace", key_columns=("cell", "state", "part")
    ),
    RetentionReading: RecordTable(
        table=schema.retention_readings, tag="retention", key_columns=("step", "written_at")
    ),
    VoltageSweep: RecordTable(
        table=schema.voltage_sweeps, tag="sweep", key_columns=("cell", "part")
    ),
    DotProductBlock: RecordTable(
        table=schema.dot_product_blocks, tag="dot product", key_columns=("subarray",)
    ),
}
"""A new type of record is one line here, and one table."""


def add(connection: Connection, run_id: int, die: DieAddress, record: Record) -> None:
    """Store one record with its arrays. Raises StorageError if one of its key is stored already, if
    the run does not visit the die, or for an unknown type of record.
    """
    place = RECORD_TABLES.get(type(record))
    if place is None:
        known = ", ".join(kind.__name__ for kind in RECORD_TABLES)
        raise StorageError(f"No table holds a {type(record).__name__}; known are {known}.")
    columns: dict[str, object] = {"run_id": run_id}
    columns["die_id"] = die_of_run(connection, run_id, die)
    for field in dataclasses.fields(record):
        value, array = getattr(record, field.name), f"{field.name}_array"
        if array not in place.table.c:
            columns[field.name] = value
        else:  # an array that a record may do without is NULL
            columns[array] = None if value is None else arrays.save(connection, value)
    columns |= zip(place.key_columns, record.key[1:], strict=True)
    insert_row(connection, place.table, **columns)


def done_keys(connection: Connection, run_id: int, die: DieAddress) -> frozenset[Key]:
    """The keys of all records that a run has stored of a die, as `record.key` gives them."""
    die_id = die_of_run(connection, run_id, die)
    found: set[Key] = set()
    for place in RECORD_TABLES.values():
        table = place.table
        columns = [table.c[name] for name in place.key_columns]
        query = select(table.c.id, *columns).filter_by(run_id=run_id, die_id=die_id)
        found.update((place.tag, *row[1:]) for row in connection.execute(query))
    return frozenset(found)


def records(connection: Connection, run_id: int, die: DieAddress, kind: type[R]) -> list[R]:
    """Everything of one type that a run has stored of a die, in the order of storing."""
    columns = RECORD_TABLES[kind].table.c
    die_id = die_of_run(connection, run_id, die)
    return read(connection, kind, columns.run_id == run_id, columns.die_id == die_id)


def read(connection: Connection, kind: type[R], *conditions: Any) -> list[R]:
    """All records of a type that meet the conditions, in the order in which they were added."""
    table = RECORD_TABLES[kind].table
    query = select(table).where(*conditions).order_by(table.c.id)
    rows = connection.execute(query).mappings().all()
    names = [column.name for column in table.columns if column.name.endswith("_array")]
    ids = [row[name] for row in rows for name in names if row[name] is not None]
    loaded = arrays.load(connection, ids, table.name)
    hints = get_type_hints(kind)
    return [
        kind(**{name: _field(row, name, hint, loaded) for name, hint in hints.items()})
        for row in rows
    ]


def _field(row: RowMapping, name: str, hint: Any, loaded: dict[int, NDArray[Any]]) -> Any:
    """One field of a record, as it was."""
    array = f"{name}_array"
    if array in row:
        return None if row[array] is None else loaded[row[array]]
    return State(row[name]) if hint is State else row[name]
