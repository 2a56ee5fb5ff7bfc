"""What was learnt, and how it did: training runs with their solutions, and evaluations."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, Row, Select, and_, insert, or_, select

from crossbar.errors import ConfigurationError, DataError
from crossbar.geometry import DieAddress
from crossbar.units import Ratio
from db import arrays
from db.insert import insert_row
from db.rows import EvaluationRow, TrainingRunRow
from db.run_tables import now
from db.schema import calibrations, dies, evaluations, training_arrays, training_runs
from db.wafer_tables import check_wafer_named, ensure_die

STRATEGIES = (
    "ideal", "statistics-aware", "ideal, assigned", "statistics-aware, assigned", "defect-aware",
    "in-the-loop",
)  # fmt: skip
"""How weights came about; the order is that of tables and pictures."""
PLACES = ("hardware", "emulated software")


def save_training_run(
    connection: Connection,
    *,
    strategy: str,
    dataset: str,
    recipe: Mapping[str, object],
    seed: int,
    software_accuracy: Ratio,
    versions: Mapping[str, object],
    solution: Mapping[str, NDArray[Any]],
    wafer_id: int | None = None,
    die: DieAddress | None = None,
    calibrated_in_run: int | None = None,
) -> int:
    """Store a training run and its solution, arrays by name; returns its id.

    ``die`` is the one that it was trained for; ``calibrated_in_run`` the run that programmed it
    before its columns were calibrated. Raises ConfigurationError for an unknown strategy.
    """
    _check_one_of("strategy", strategy, STRATEGIES)
    run_id = insert_row(
        connection,
        training_runs,
        strategy=strategy,
        dataset=dataset,
        recipe=recipe,
        seed=seed,
        software_accuracy=software_accuracy,
        versions=versions,
        die_id=_die_id(connection, wafer_id, die),
        created_at=now(),
    )
    if calibrated_in_run is not None:
        known = {"training_run_id": run_id, "run_id": calibrated_in_run}
        connection.execute(insert(calibrations), known)
    for position, (name, array) in enumerate(solution.items()):
        row = {"training_run_id": run_id, "name": name, "position": position}
        row["value_array"] = arrays.save(connection, array)
        connection.execute(insert(training_arrays), row)
    return run_id


def training_run_row(connection: Connection, training_run_id: int) -> TrainingRunRow:
    """One training run. Raises DataError if there is none of this id."""
    query = _trained().where(training_runs.c.id == training_run_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise DataError(f"There is no training run {training_run_id} in this database.")
    return _training_run(connection, row)


def latest_training_run_row(
    connection: Connection,
    *,
    strategy: str | None = None,
    dataset: str | None = None,
    wafer_id: int | None = None,
    die: DieAddress | None = None,
) -> TrainingRunRow:
    """The latest training run that meets what is given, calibrations left out. Raises DataError if
    none does.
    """
    query = _trained().where(*_of_die(wafer_id, die), calibrations.c.run_id.is_(None))
    wanted = {"strategy": strategy, "dataset": dataset}
    for name, value in wanted.items():
        if value is not None:
            query = query.where(training_runs.c[name] == value)
    found = _latest(connection, query)
    if found is None:
        said = [f"{name} {value}" for name, value in (wanted | {"die": die}).items() if value]
        which = f" with {', '.join(said)}" if said else ""
        raise DataError(f"There is no training run{which} in this database. Train first.")
    return found


def weights_for_die(connection: Connection, wafer_id: int, die: DieAddress) -> TrainingRunRow:
    """The latest training run for this die or for all dies, calibrations left out. Raises DataError
    if there is none.
    """
    of_all, of_die = training_runs.c.die_id.is_(None), and_(*_of_die(wafer_id, die))
    query = _trained().where(or_(of_all, of_die), calibrations.c.run_id.is_(None))
    found = _latest(connection, query)
    if found is None:
        raise DataError(f"There is no training run for die {die} in this database. Train first.")
    return found


def calibration_of_die(
    connection: Connection, run_id: int, wafer_id: int, die: DieAddress
) -> TrainingRunRow | None:
    """The latest calibration of a die since that run programmed it."""
    query = _trained().where(*_of_die(wafer_id, die), calibrations.c.run_id == run_id)
    return _latest(connection, query)


def save_evaluation(
    connection: Connection,
    *,
    training_run_id: int,
    dataset: str,
    images: int,
    correct: int,
    where: str,
    wafer_id: int | None = None,
    die: DieAddress | None = None,
    programming_run_id: int | None = None,
    calibration: Mapping[str, object] | None = None,
) -> int:
    """Store how a trained network did on one die; returns the evaluation's id.

    ``where`` is "hardware" or "emulated software"; ``programming_run_id`` the run that wrote the
    weights. Raises ConfigurationError for another place, or an impossible count.
    """
    _check_one_of("where", where, PLACES)
    if not 0 <= correct <= images or images == 0:
        raise ConfigurationError(f"{correct} of {images} images cannot be correct.")
    return insert_row(
        connection,
        evaluations,
        training_run_id=training_run_id,
        programming_run_id=programming_run_id,
        die_id=_die_id(connection, wafer_id, die),
        dataset=dataset,
        images=images,
        correct=correct,
        where=where,
        calibration=calibration or {},
        created_at=now(),
    )


def evaluation_rows(
    connection: Connection,
    *,
    training_run_id: int | None = None,
    wafer_id: int | None = None,
    die: DieAddress | None = None,
) -> list[EvaluationRow]:
    """Evaluations, oldest first: all, or those of a training run, a wafer, a die."""
    query = _with_die(evaluations).where(*_of_die(wafer_id, die)).order_by(evaluations.c.id)
    if training_run_id is not None:
        query = query.where(evaluations.c.training_run_id == training_run_id)
    return [EvaluationRow(**_columns(row)) for row in connection.execute(query)]


def _training_run(connection: Connection, row: Row[Any]) -> TrainingRunRow:
    query = select(training_arrays).where(training_arrays.c.training_run_id == row.id)
    parts = connection.execute(query.order_by(training_arrays.c.position)).all()
    loaded = arrays.load(connection, (part.value_array for part in parts), "training_arrays")
    solution = {part.name: loaded[part.value_array] for part in parts}
    return TrainingRunRow(solution=solution, **_columns(row))


def _latest(connection: Connection, query: Select[Any]) -> TrainingRunRow | None:
    """The latest of what a query of `_trained` finds."""
    latest = query.order_by(training_runs.c.id.desc()).limit(1)
    row = connection.execute(latest).one_or_none()
    return None if row is None else _training_run(connection, row)


def _trained() -> Select[Any]:
    """Training runs with their die's coordinates, and the run that they were calibrated after."""
    calibrated = calibrations.c.training_run_id == training_runs.c.id
    return (
        _with_die(training_runs)
        .add_columns(calibrations.c.run_id.label("calibrated_in_run"))
        .outerjoin(calibrations, calibrated)
    )


def _with_die(table: Any) -> Select[Any]:
    """Rows of a table with the die's coordinates, null where they belong to no die."""
    return select(table, dies.c.x, dies.c.y).outerjoin(dies, dies.c.id == table.c.die_id)


def _of_die(wafer_id: int | None, die: DieAddress | None) -> list[ColumnElement[bool]]:
    """What rows of `_with_die` must meet to be of this wafer, or this die of it."""
    wanted = [] if wafer_id is None else [dies.c.wafer_id == wafer_id]
    if die is not None:
        check_wafer_named(wafer_id, die)
        wanted += [dies.c.x == die.x, dies.c.y == die.y]
    return wanted


def _columns(row: Row[Any]) -> dict[str, Any]:
    """A row of `_with_die` as the fields of a dataclass."""
    columns = dict(row._mapping)
    x, y, die_id = (columns.pop(name) for name in ("x", "y", "die_id"))
    return columns | {"die": None if die_id is None else DieAddress(x, y)}


def _die_id(connection: Connection, wafer_id: int | None, die: DieAddress | None) -> int | None:
    return None if die is None else ensure_die(connection, wafer_id, die)


def _check_one_of(what: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ConfigurationError(f"{what} {value!r} is unknown; it is one of {', '.join(allowed)}.")
