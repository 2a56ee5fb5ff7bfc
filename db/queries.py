"""Reading measurements back: whole array maps, write error rates, and how the database fares."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, select

from crossbar.errors import DataError
from crossbar.geometry import DieAddress
from crossbar.pulses import State
from crossbar.records import ArrayMapBlock, WerPoint
from db import arrays, record_tables
from db.rows import ArrayMap
from db.schema import array_map_blocks, metadata, wer_points
from db.wafer_tables import find_die, wafer_row


def array_map(
    connection: Connection, wafer_id: int, die: DieAddress, run_id: int | None = None
) -> ArrayMap:
    """The latest complete map of a die, or the one that ``run_id`` made.

    Raises DataError if no run has read every cell.
    """
    wafer = wafer_row(connection, wafer_id)
    die_id = find_die(connection, wafer_id, die)
    of_die = array_map_blocks.c.die_id == die_id
    query = select(array_map_blocks.c.run_id).where(of_die).distinct()
    started = sorted(connection.execute(query).scalars(), reverse=True)
    most = 0
    for candidate in started if run_id is None else [run_id]:
        of_run = array_map_blocks.c.run_id == candidate
        blocks = record_tables.read(connection, ArrayMapBlock, of_die, of_run)
        blocks.sort(key=lambda block: block.first_cell)
        cells = np.concatenate([_cells(block) for block in blocks] or [np.array([])])
        if np.array_equal(cells, np.arange(wafer.geometry.cells)):
            return _assemble(candidate, wafer.geometry.shape, blocks)
        most = max(most, len(np.unique(cells)))
    by = "" if run_id is None else f" by run {run_id}"
    raise DataError(
        f"Die {die} of wafer {wafer.name} has no complete array map{by}: {most} of its "
        f"{wafer.geometry.cells} cells are read. Measure it with: lab run array-map."
    )


def _cells(block: ArrayMapBlock) -> NDArray[np.int64]:
    return block.first_cell + np.arange(len(block.low))


def _assemble(run_id: int, shape: tuple[int, int, int], blocks: list[ArrayMapBlock]) -> ArrayMap:
    """Blocks in order, as arrays of the die's shape."""

    def joined(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(block, name) for block in blocks]).reshape(shape)

    return ArrayMap(
        run_id=run_id,
        read_amplitude=blocks[0].read_amplitude,  # one for all: it is a parameter of the run
        low=joined("low"),
        high=joined("high"),
        in_compliance=joined("in_compliance"),
    )


def wer_of_die(
    connection: Connection,
    wafer_id: int,
    die: DieAddress,
    *,
    run_id: int | None = None,
    cell: int | None = None,
    target: State | None = None,
) -> list[WerPoint]:
    """Write error rates of a die, oldest first: all of them, or those of a run, a cell, a target.

    Points of different runs stand side by side; an unmeasured die gives an empty list.
    """
    conditions = [wer_points.c.die_id == find_die(connection, wafer_id, die)]
    if run_id is not None:
        conditions.append(wer_points.c.run_id == run_id)
    if cell is not None:
        conditions.append(wer_points.c.cell == cell)
    if target is not None:
        conditions.append(wer_points.c.target == target.value)
    return record_tables.read(connection, WerPoint, *conditions)


def counts(connection: Connection) -> dict[str, int]:
    """Number of rows by table."""
    return {
        table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in metadata.sorted_tables
    }


def problems(connection: Connection) -> list[str]:
    """Everything wrong with the database, one line each: SQLite's own checks, then every array."""
    found: list[str] = []
    if connection.dialect.name == "sqlite":
        for (line,) in connection.exec_driver_sql("PRAGMA integrity_check"):
            if line != "ok":
                found.append(line)
        for table, row, referred, _ in connection.exec_driver_sql("PRAGMA foreign_key_check"):
            found.append(f"Row {row} of table {table} refers to nothing in table {referred}.")
    return found + arrays.damages(connection)
