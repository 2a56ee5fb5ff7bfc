"""Other people's measurements as runs of a wafer of their own; a file in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from crossbar.errors import StorageError
from crossbar.geometry import DieAddress, DieGeometry
from crossbar.records import Record
from db.record_tables import add
from db.run_tables import begin_run, finish_die, finish_run
from db.schema import runs
from db.wafer_tables import ensure_wafer, wafer_rows

IMPORTED = "imported"
"""Stands as the protocol of runs that this program has not made."""
ONLY_DIE = DieAddress(0, 0)
"""Where the cells are on their wafer, no file says."""


@dataclass(frozen=True, kw_only=True)
class ImportedFile:
    """What a file of measurements has become, ready to be stored."""

    wafer: str
    technology: str
    geometry: DieGeometry
    """Of the wafer if it is new; one that is stored keeps its own."""
    name: str
    """Of the file."""
    format: str
    checksum: str
    """SHA-256 of the file's bytes."""
    parameters: Mapping[str, Any]
    """Whatever else was said or found; JSON."""
    records: Sequence[Record]


def save_imported(
    connection: Connection, imported: ImportedFile, versions: Mapping[str, object]
) -> int:
    """Store a file's records as a finished run; returns its id.

    Raises StorageError if this file is on that wafer already, or names cells beyond its dies, and
    ConfigurationError if the wafer is of another technology.
    """
    wafer_id = ensure_wafer(
        connection, imported.wafer, _geometry(connection, imported), imported.technology
    )
    _refuse_twice(connection, wafer_id, imported)
    run_id = begin_run(
        connection,
        wafer_id,
        IMPORTED,
        {"format": imported.format, "file": imported.name, "checksum": imported.checksum}
        | dict(imported.parameters),
        None,
        versions,
        "",
        [ONLY_DIE],
    )
    for record in imported.records:
        add(connection, run_id, ONLY_DIE, record)
    finish_die(connection, run_id, ONLY_DIE)
    finish_run(connection, run_id, "done", imported.format)
    return run_id


def _geometry(connection: Connection, imported: ImportedFile) -> DieGeometry:
    """The wafer's own if it is known and has room enough, else the file's."""
    stored = [row for row in wafer_rows(connection) if row.name == imported.wafer]
    if not stored or stored[0].technology != imported.technology:
        return imported.geometry
    last = max((getattr(record, "cell", 0) for record in imported.records), default=0)
    if last >= stored[0].geometry.cells:
        raise StorageError(
            f"{imported.name} has a cell {last}, but dies of the wafer {imported.wafer!r} have "
            f"only {stored[0].geometry.cells} cells. Import it under another name (--name)."
        )
    return stored[0].geometry


def _refuse_twice(connection: Connection, wafer_id: int, imported: ImportedFile) -> None:
    query = select(runs.c.id, runs.c.parameters).filter_by(wafer_id=wafer_id, protocol=IMPORTED)
    for row in connection.execute(query):
        if row.parameters.get("checksum") == imported.checksum:
            raise StorageError(
                f"{imported.name} is stored already, as run {row.id} of the wafer "
                f"{imported.wafer!r}. Import it under another name (--name) to read it differently."
            )
