"""Maps of whole dies: which cells are defective, and maps that others have published."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, RowMapping, func, select

from crossbar.defect_map import CellClass, DefectMap, DefectThresholds, LineDefect
from crossbar.errors import DataError, StorageError
from crossbar.geometry import DieAddress
from db import arrays
from db.insert import insert_row
from db.rows import ConductanceMap
from db.run_tables import now
from db.schema import conductance_maps, defect_maps, dies
from db.wafer_tables import ensure_die, wafer_row

ARRAYS = ("classes", "low", "high")


def save_defect_map(
    connection: Connection,
    wafer_id: int,
    die: DieAddress,
    defect_map: DefectMap,
    *,
    run_id: int | None = None,
    source: str = "",
) -> int:
    """Store a defect map beside the earlier ones of its die; returns its id.

    It was made of the readings of ``run_id``, or imported from ``source``. A run has one map of a
    die for the same thresholds: a resumed run that makes it again changes nothing.
    """
    die_id = ensure_die(connection, wafer_id, die)
    if run_id is not None:
        same = select(defect_maps).filter_by(die_id=die_id, run_id=run_id)
        for row in connection.execute(same):
            if DefectThresholds(**row.thresholds) == defect_map.thresholds:
                return int(row.id)
    stored = {
        f"{name}_array": arrays.save(connection, getattr(defect_map, name)) for name in ARRAYS
    }
    return insert_row(
        connection,
        defect_maps,
        die_id=die_id,
        run_id=run_id,
        source=source,
        thresholds=defect_map.thresholds,
        lines=defect_map.lines,
        median_low=defect_map.median_low,
        median_high=defect_map.median_high,
        created_at=now(),
        **stored,
    )


def latest_defect_map(connection: Connection, wafer_id: int, die: DieAddress) -> DefectMap:
    """The latest defect map of a die. Raises DataError if it has none."""
    found = latest_defect_maps(connection, wafer_id, die)
    if die not in found:
        name = wafer_row(connection, wafer_id).name
        raise DataError(
            f"Die {die} of wafer {name} has no defect map. Measure it with: lab run array-map."
        )
    return found[die]


def latest_defect_maps(
    connection: Connection, wafer_id: int, die: DieAddress | None = None
) -> dict[DieAddress, DefectMap]:
    """The latest defect map of every die that has one, or of one die."""
    newest = select(func.max(defect_maps.c.id)).group_by(defect_maps.c.die_id)
    query = (
        select(defect_maps, dies.c.x, dies.c.y)
        .join(dies, dies.c.id == defect_maps.c.die_id)
        .where(dies.c.wafer_id == wafer_id, defect_maps.c.id.in_(newest))
        .order_by(dies.c.x, dies.c.y)
    )
    if die is not None:
        query = query.where(dies.c.x == die.x, dies.c.y == die.y)
    rows = connection.execute(query).mappings().all()
    ids = [row[f"{name}_array"] for row in rows for name in ARRAYS]
    loaded = arrays.load(connection, ids, "defect_maps")
    return {DieAddress(row["x"], row["y"]): _defect_map(row, loaded) for row in rows}


def _defect_map(row: RowMapping, loaded: dict[int, NDArray[Any]]) -> DefectMap:
    lines = [line | {"cell_class": CellClass(line["cell_class"])} for line in row["lines"]]
    return DefectMap(
        median_low=row["median_low"],
        median_high=row["median_high"],
        lines=tuple(LineDefect(**line) for line in lines),
        thresholds=DefectThresholds(**row["thresholds"]),
        **{name: loaded[row[f"{name}_array"]] for name in ARRAYS},
    )


def save_conductance_map(connection: Connection, imported: ConductanceMap) -> int:
    """Store an imported map; returns its id. The same map again changes nothing, another one under
    the same name raises StorageError.
    """
    name = {key: getattr(imported, key) for key in ("source", "kernel", "programming")}
    stored = select(conductance_maps).filter_by(**name)
    row = connection.execute(stored).one_or_none()
    if row is None:
        array_id = arrays.save(connection, imported.conductance)
        return insert_row(connection, conductance_maps, conductance_array=array_id, **name)
    before = arrays.load(connection, [row.conductance_array], "conductance_maps")
    if not np.array_equal(before[row.conductance_array], imported.conductance, equal_nan=True):
        raise StorageError(
            f"Kernel {imported.kernel}, programming {imported.programming} of {imported.source} is "
            "stored already, with other values. Import the new ones under another source."
        )
    return row.id


def imported_maps(connection: Connection, source: str | None = None) -> list[ConductanceMap]:
    """The imported maps, all or those of one source, by source, kernel and programming."""
    keys = (
        conductance_maps.c.source,
        conductance_maps.c.kernel,
        conductance_maps.c.programming,
    )
    query = select(conductance_maps).order_by(*keys)
    if source is not None:
        query = query.where(conductance_maps.c.source == source)
    rows = connection.execute(query).all()
    loaded = arrays.load(connection, (row.conductance_array for row in rows), conductance_maps.name)
    return [
        ConductanceMap(
            source=row.source,
            kernel=row.kernel,
            programming=row.programming,
            conductance=loaded[row.conductance_array],
        )
        for row in rows
    ]
