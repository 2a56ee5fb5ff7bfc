"""Runs: what was done on which dies, with which instruments, and how far it got."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Any, get_args

from sqlalchemy import Connection, Row, Select, insert, select, update

from crossbar.errors import StorageError
from crossbar.geometry import DieAddress
from db import schema
from db.insert import insert_row
from db.rows import RunRow, RunStatus, UsedInstrument
from db.wafer_tables import ensure_die


def now() -> datetime:
    """The present time, with its zone."""
    return datetime.now(UTC)


def begin_run(
    connection: Connection,
    wafer_id: int,
    protocol: str,
    parameters: Mapping[str, object],
    seed: int | None,
    versions: Mapping[str, object],
    bench: str,
    dies: Sequence[DieAddress],
    *,
    training_run_id: int | None = None,
) -> int:
    """Store a run that starts now; returns its id.

    ``dies`` is in the order of the visits, ``bench`` the bench's configuration as text,
    ``training_run_id`` says whose weights the run programs, if it programs any.
    """
    run_id = insert_row(
        connection,
        schema.runs,
        wafer_id=wafer_id,
        training_run_id=training_run_id,
        protocol=protocol,
        parameters=parameters,
        seed=seed,
        versions=versions,
        bench=bench,
        status="running",
        message="",
        started_at=now(),
    )
    for position, address in enumerate(dies):
        die_id = ensure_die(connection, wafer_id, address)
        visit = {"run_id": run_id, "die_id": die_id, "position": position}
        connection.execute(insert(schema.run_dies), visit)
    return run_id


def record_instruments(
    connection: Connection, run_id: int, instruments: Sequence[UsedInstrument]
) -> None:
    """Say which instruments a run uses; on resuming this may be said again, or name others."""
    for instrument in instruments:
        columns = asdict(instrument)
        same = select(schema.instruments.c.id).filter_by(**columns)
        found = connection.execute(same).scalar_one_or_none()
        if found is None:
            found = insert_row(connection, schema.instruments, first_seen=now(), **columns)
        link = {"run_id": run_id, "instrument_id": found}
        if not connection.execute(select(schema.run_instruments).filter_by(**link)).first():
            connection.execute(insert(schema.run_instruments), link)


def instruments_of_run(connection: Connection, run_id: int) -> list[UsedInstrument]:
    """The instruments that a run used."""
    names = [field.name for field in fields(UsedInstrument)]
    columns = [schema.instruments.c[name] for name in names]
    query = (
        select(*columns)
        .join(
            schema.run_instruments,
            schema.run_instruments.c.instrument_id == schema.instruments.c.id,
        )
        .where(schema.run_instruments.c.run_id == run_id)
        .order_by(schema.instruments.c.id)
    )
    return [UsedInstrument(**row) for row in connection.execute(query).mappings()]


def die_of_run(connection: Connection, run_id: int, die: DieAddress) -> int:
    """Id of a die that a run visits. Raises StorageError if it does not."""
    query = _dies_of_run(run_id).where(schema.dies.c.x == die.x, schema.dies.c.y == die.y)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise StorageError(
            f"Die {die} is not among the dies of run {run_id}; name it when the run begins."
        )
    return row.id


def finish_die(connection: Connection, run_id: int, die: DieAddress) -> None:
    """Note that a run is through with a die. Raises StorageError if it does not visit it."""
    die_id = die_of_run(connection, run_id, die)
    this = (schema.run_dies.c.run_id == run_id) & (schema.run_dies.c.die_id == die_id)
    connection.execute(update(schema.run_dies).where(this).values(finished_at=now()))


def done_dies(connection: Connection, run_id: int) -> set[DieAddress]:
    """The dies that a run is through with."""
    query = _dies_of_run(run_id).where(schema.run_dies.c.finished_at.is_not(None))
    return {DieAddress(row.x, row.y) for row in connection.execute(query)}


def finish_run(connection: Connection, run_id: int, status: RunStatus, message: str = "") -> None:
    """Note how a run ended; "running" takes it up again. Raises StorageError for an unknown run."""
    if status not in get_args(RunStatus):
        raise StorageError(f"A run cannot be {status!r}; it is one of {get_args(RunStatus)}.")
    finished_at = None if status == "running" else now()
    done = connection.execute(
        update(schema.runs)
        .where(schema.runs.c.id == run_id)
        .values(status=status, message=message, finished_at=finished_at)
    )
    if not done.rowcount:
        raise StorageError(f"There is no run {run_id} in this database.")


def run_row(connection: Connection, run_id: int) -> RunRow:
    """One run. Raises StorageError if there is none of this id."""
    row = connection.execute(select(schema.runs).where(schema.runs.c.id == run_id)).one_or_none()
    if row is None:
        raise StorageError(f"There is no run {run_id} in this database.")
    return _run_row(connection, row)


def run_rows(
    connection: Connection,
    wafer_id: int | None = None,
    *,
    statuses: Sequence[RunStatus] = get_args(RunStatus),
) -> list[RunRow]:
    """Runs, latest first: all, or those of one wafer and of some statuses."""
    query = select(schema.runs).where(schema.runs.c.status.in_(statuses))
    if wafer_id is not None:
        query = query.where(schema.runs.c.wafer_id == wafer_id)
    rows = connection.execute(query.order_by(schema.runs.c.id.desc())).all()
    return [_run_row(connection, row) for row in rows]


def interrupted_runs(connection: Connection, wafer_id: int | None = None) -> list[RunRow]:
    """Runs that can be resumed, latest first. One that another process is still busy with is among
    them: its status is that of a run whose process was killed.
    """
    return run_rows(connection, wafer_id, statuses=("running", "interrupted", "failed"))


def _dies_of_run(run_id: int) -> Select[Any]:
    return (
        select(schema.dies.c.id, schema.dies.c.x, schema.dies.c.y)
        .join(schema.run_dies, schema.run_dies.c.die_id == schema.dies.c.id)
        .where(schema.run_dies.c.run_id == run_id)
        .order_by(schema.run_dies.c.position)
    )


def _run_row(connection: Connection, row: Row[Any]) -> RunRow:
    visited = connection.execute(_dies_of_run(row.id))
    return RunRow(**row._mapping, dies=tuple(DieAddress(die.x, die.y) for die in visited))
