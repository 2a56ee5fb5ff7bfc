"""From a database to a file with the report."""

from pathlib import Path

from crossbar.errors import DataError, StorageError
from db.store import Store
from lab.report.content import gather
from lab.report.page import render


def write_report(database: str, path: Path, wafer: str | None = None) -> Path:
    """Write the page about one wafer, or about all that were measured; returns its path.

    Raises DataError if there is nothing to show, StorageError if the file cannot be written.
    """
    with Store.open(database, create=False) as store:
        chosen = [
            row for row in store.wafers() if (wafer is None or row.name == wafer)
            and store.runs(row.id)
        ]  # fmt: skip
        if not chosen:
            asked = f"wafer {wafer!r}" if wafer else "any wafer"
            raise DataError(
                f"{database} holds no measurement of {asked}. Measure first: lab run array-map."
            )
        page = render([gather(store, row.id) for row in chosen])
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error}.") from None
    return path.resolve()
