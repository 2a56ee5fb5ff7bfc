"""Runs: what was done on which dies, with which instruments, and how far it got."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, get_args

from sqlalchemy import Connection, Row, Select, insert, select, update

from crossbar.errors import StorageError
from crossbar.geometry import DieAddress
from db.insert import insert_row
from db.rows import RunRow, RunStatus, UsedInstrument
from db.schema import dies, instruments, run_dies, run_instruments, runs
from db.wafers import ensure_die

RESUMABLE: tuple[RunStatus, ...] = ("running", "interrupted")


def now() -> datetime:
    """The present time, with its zone."""
    return datetime.now(UTC)


def begin(
    connection: Connection,
    *,
    wafer_id: int,
    addresses: Sequence[DieAddress],
    parameters: Mapping[str, object],
    versions: Mapping[str, object],
    **columns: Any,
) -> int:
    """Store a run that starts now, and the dies it is going to visit; returns its id."""
    run_id = insert_row(
        connection,
        runs,
        wafer_id=wafer_id,
        parameters=parameters,
        versions=versions,
        status="running",
        message="",
        started_at=now(),
        **columns,
    )
    for position, address in enumerate(addresses):
        die_id = ensure_die(connection, wafer_id, address, None)
        connection.execute(
            insert(run_dies).values(run_id=run_id, die_id=die_id, position=position)
        )
    return run_id


def add_instruments(
    connection: Connection, run_id: int, used: Sequence[UsedInstrument]
) -> None:
    """Say which instruments a run uses; a resumed run may say it again, or name others."""
    for instrument in used:
        columns = {name: getattr(instrument, name) for name in UsedInstrument.__slots__}
        same = [instruments.c[name] == value for name, value in columns.items()]
        found = connection.execute(select(instruments.c.id).where(*same)).scalar_one_or_none()
        if found is None:
            found = insert_row(connection, instruments, first_seen=now(), **columns)
        link = {"run_id": run_id, "instrument_id": found}
        if not connection.execute(select(run_instruments).filter_by(**link)).first():
            connection.execute(insert(run_instruments).values(link))


def instruments_of(connection: Connection, run_id: int) -> list[UsedInstrument]:
    """The instruments that a run used."""
    columns = [instruments.c[name] for name in UsedInstrument.__slots__]
    query = (
        select(*columns)
        .join(run_instruments, run_instruments.c.instrument_id == instruments.c.id)
        .where(run_instruments.c.run_id == run_id)
        .order_by(instruments.c.id)
    )
    return [UsedInstrument(**row) for row in connection.execute(query).mappings()]


def die_of_run(connection: Connection, run_id: int, die: DieAddress) -> int:
    """Id of a die that a run visits. Raises StorageError if it does not."""
    query = _dies_of_run(run_id).where(dies.c.x == die.x, dies.c.y == die.y)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise StorageError(
            f"Die {die} is not among the dies of run {run_id}; name it when the run begins."
        )
    return row.id


def finish_die(connection: Connection, run_id: int, die: DieAddress) -> None:
    """Note that a run is through with a die. Raises StorageError if it does not visit it."""
    die_id = die_of_run(connection, run_id, die)
    this = (run_dies.c.run_id == run_id) & (run_dies.c.die_id == die_id)
    connection.execute(update(run_dies).where(this).values(finished_at=now()))


def finished_dies(connection: Connection, run_id: int) -> set[DieAddress]:
    """The dies that a run is through with."""
    query = _dies_of_run(run_id).where(run_dies.c.finished_at.is_not(None))
    return {DieAddress(row.x, row.y) for row in connection.execute(query)}


def set_status(connection: Connection, run_id: int, status: RunStatus, message: str) -> None:
    """Note how a run stands. Raises StorageError for another status, or an unknown run."""
    if status not in get_args(RunStatus):
        raise StorageError(f"A run cannot be {status!r}; it is one of {get_args(RunStatus)}.")
    finished_at = None if status == "running" else now()
    done = connection.execute(
        update(runs)
        .where(runs.c.id == run_id)
        .values(status=status, message=message, finished_at=finished_at)
    )
    if not done.rowcount:
        raise StorageError(f"There is no run {run_id} in this database.")


def run_row(connection: Connection, run_id: int) -> RunRow:
    """One run. Raises StorageError if there is none of this id."""
    row = connection.execute(select(runs).where(runs.c.id == run_id)).one_or_none()
    if row is None:
        raise StorageError(f"There is no run {run_id} in this database.")
    return _run_row(connection, row)


def run_rows(
    connection: Connection, wafer_id: int | None, statuses: Sequence[RunStatus] | None
) -> list[RunRow]:
    """Runs, latest first: of one wafer and of some statuses, where those are given."""
    query = select(runs).order_by(runs.c.id.desc())
    if wafer_id is not None:
        query = query.where(runs.c.wafer_id == wafer_id)
    if statuses is not None:
        query = query.where(runs.c.status.in_(statuses))
    return [_run_row(connection, row) for row in connection.execute(query).all()]


def _dies_of_run(run_id: int) -> Select[Any]:
    return (
        select(dies.c.id, dies.c.x, dies.c.y)
        .join(run_dies, run_dies.c.die_id == dies.c.id)
        .where(run_dies.c.run_id == run_id)
        .order_by(run_dies.c.position)
    )


def _run_row(connection: Connection, row: Row[Any]) -> RunRow:
    visited = connection.execute(_dies_of_run(row.id))
    return RunRow(**row._mapping, dies=tuple(DieAddress(die.x, die.y) for die in visited))
