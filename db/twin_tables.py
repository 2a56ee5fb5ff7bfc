"""Twins: what the dies of a simulated wafer are, where they were made of measured ones."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray
from sqlalchemy import Connection, insert, select

from crossbar.errors import DataError, StorageError
from crossbar.geometry import DieAddress
from db import arrays
from db.insert import insert_row
from db.run_tables import now
from db.schema import dies, twin_arrays, twins
from db.wafer_tables import find_die


def save_twin(
    connection: Connection,
    name: str,
    wafer_id: int,
    dies_of_twin: Mapping[DieAddress, Mapping[str, NDArray[Any]]],
    *,
    description: Mapping[str, object],
) -> int:
    """Store the twin of measured dies of a wafer: named arrays of each; returns its id.

    Raises StorageError if there is a twin of that name: benches may already rely on it.
    """
    if connection.execute(select(twins.c.id).filter_by(name=name)).first() is not None:
        raise StorageError(
            f"There is a twin named {name!r} already, and benches may rely on it. Give the new one "
            "another name: --name."
        )
    twin_id = insert_row(
        connection,
        twins,
        name=name,
        wafer_id=wafer_id,
        description=dict(description),
        created_at=now(),
    )
    for address, named in dies_of_twin.items():
        die_id = find_die(connection, wafer_id, address)
        for array, values in named.items():
            row = {"twin_id": twin_id, "die_id": die_id, "name": array}
            row["value_array"] = arrays.save(connection, values)
            connection.execute(insert(twin_arrays), row)
    return twin_id


def twin_rows(connection: Connection) -> dict[str, dict[str, Any]]:
    """Name to description of every twin, the newest last."""
    query = select(twins.c.name, twins.c.description).order_by(twins.c.id)
    return {row.name: row.description for row in connection.execute(query)}


def twin(connection: Connection, name: str) -> dict[DieAddress, dict[str, NDArray[Any]]]:
    """The named arrays of each die of a twin. Raises DataError if there is no such twin."""
    found = connection.execute(select(twins.c.id).filter_by(name=name)).scalar_one_or_none()
    if found is None:
        known = ", ".join(connection.execute(select(twins.c.name)).scalars())
        raise DataError(
            f"The database holds no twin named {name!r}; it has {known or 'none'}. Make it with "
            "`lab twin WAFER`, or use the database in which it was made."
        )
    query = (
        select(dies.c.x, dies.c.y, twin_arrays.c.name, twin_arrays.c.value_array)
        .join(dies, dies.c.id == twin_arrays.c.die_id)
        .where(twin_arrays.c.twin_id == found)
        .order_by(dies.c.y, dies.c.x, twin_arrays.c.name)
    )
    rows = connection.execute(query).all()
    loaded = arrays.load(connection, [row.value_array for row in rows], "twin_arrays")
    twins_dies: dict[DieAddress, dict[str, NDArray[Any]]] = {}
    for row in rows:
        place = twins_dies.setdefault(DieAddress(row.x, row.y), {})
        place[row.name] = loaded[row.value_array]
    return twins_dies
