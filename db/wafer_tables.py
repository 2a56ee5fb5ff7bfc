"""Wafers and their dies."""

from typing import Any

from sqlalchemy import Connection, Row, select, update

from crossbar.errors import ConfigurationError, StorageError
from crossbar.geometry import DieAddress, DieGeometry
from db.insert import insert_row
from db.rows import WaferRow
from db.schema import dies, wafers


def ensure_wafer(connection: Connection, name: str, geometry: DieGeometry, technology: str) -> int:
    """Id of the wafer of this name. Raises ConfigurationError if it is stored as another kind."""
    row = connection.execute(select(wafers).where(wafers.c.name == name)).one_or_none()
    if row is None:
        subarrays, rows, columns = geometry.shape
        size = {"subarrays": subarrays, "rows": rows, "columns": columns}
        return insert_row(connection, wafers, name=name, technology=technology, **size)
    stored = _wafer_row(row)
    if (stored.geometry, stored.technology) != (geometry, technology):
        raise ConfigurationError(
            f"Wafer {name!r} is asked for as {technology} with dies of {geometry.shape} cells, but "
            f"the database holds it as {stored.technology} with {stored.geometry.shape}. Correct "
            "bench.toml, or give the new wafer a name of its own."
        )
    return stored.id


def wafer_row(connection: Connection, wafer_id: int) -> WaferRow:
    """One wafer. Raises StorageError if there is none of this id."""
    row = connection.execute(select(wafers).where(wafers.c.id == wafer_id)).one_or_none()
    if row is None:
        raise StorageError(f"There is no wafer {wafer_id} in this database.")
    return _wafer_row(row)


def wafer_rows(connection: Connection) -> list[WaferRow]:
    """All wafers, oldest first."""
    return [_wafer_row(row) for row in connection.execute(select(wafers).order_by(wafers.c.id))]


def ensure_die(
    connection: Connection,
    wafer_id: int | None,
    die: DieAddress,
    prober: tuple[int, int] | None = None,
) -> int:
    """Id of a die, stored on first sight; ``prober`` is its column and row in the prober's frame.

    Raises ConfigurationError where a caller names a die, but no wafer.
    """
    die_id = find_die(connection, check_wafer_named(wafer_id, die), die)
    frame = {} if prober is None else {"prober_column": prober[0], "prober_row": prober[1]}
    if die_id is None:
        return insert_row(connection, dies, wafer_id=wafer_id, x=die.x, y=die.y, **frame)
    if frame:
        connection.execute(update(dies).where(dies.c.id == die_id).values(frame))
    return die_id


def check_wafer_named(wafer_id: int | None, die: DieAddress) -> int:
    """Return the wafer's id as it is, or raise ConfigurationError: a die alone names nothing."""
    if wafer_id is None:
        raise ConfigurationError(f"Die {die} of which wafer? Give wafer_id along with the die.")
    return wafer_id


def find_die(connection: Connection, wafer_id: int, die: DieAddress) -> int | None:
    """Id of a die, or None if the database has not seen it."""
    query = select(dies.c.id).where(dies.c.wafer_id == wafer_id, dies.c.x == die.x)
    return connection.execute(query.where(dies.c.y == die.y)).scalar_one_or_none()


def known_dies(connection: Connection, wafer_id: int) -> tuple[DieAddress, ...]:
    """Every die of a wafer that the database has seen, sorted."""
    query = select(dies.c.x, dies.c.y).where(dies.c.wafer_id == wafer_id)
    return tuple(sorted(DieAddress(x, y) for x, y in connection.execute(query)))


def _wafer_row(row: Row[Any]) -> WaferRow:
    geometry = DieGeometry(subarrays=row.subarrays, rows=row.rows, columns=row.columns)
    return WaferRow(id=row.id, name=row.name, geometry=geometry, technology=row.technology)
