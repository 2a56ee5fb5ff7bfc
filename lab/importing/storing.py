"""From a file to a run in the database: everything of it, or nothing."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossbar.errors import DataError
from db.import_tables import ImportedFile
from db.store import Store
from lab.importing.catalog import ImportFormat
from lab.parameters import as_json
from lab.runs import versions


@dataclass(frozen=True, kw_only=True)
class ImportSummary:
    """What was imported."""

    run: int
    wafer: str
    records: dict[str, int]
    """How many of each kind."""
    cells: int
    notes: tuple[str, ...]


def import_file(
    database: str, path: Path, entry: ImportFormat, parameters: Any, wafer: str
) -> ImportSummary:
    """Read a file and store it as one run. Raises DataError if the file makes no sense; then the
    database is not touched.
    """
    if path.is_dir():
        raise DataError(f"{path} is a folder; {entry.name} reads one file. Name it.")
    measured = entry.read(path, parameters)
    file = ImportedFile(
        wafer=wafer,
        technology=measured.technology,
        geometry=measured.geometry,
        name=path.name,
        format=entry.name,
        checksum=hashlib.sha256(path.read_bytes()).hexdigest(),
        parameters={"read_with": as_json(parameters)} | dict(measured.details),
        records=measured.records,
    )
    with Store.open(database) as store:
        run = store.save_imported(file, versions())
    kinds = Counter(type(record).__name__ for record in measured.records)
    cells = {record.cell for record in measured.records}
    return ImportSummary(
        run=run, wafer=wafer, records=dict(kinds), cells=len(cells), notes=measured.notes
    )
