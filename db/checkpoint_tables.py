"""Checkpoints of trainings with a die in the loop: one for each run, the latest."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray
from sqlalchemy import Connection, delete, insert, select, update

from crossbar.geometry import DieAddress
from crossbar.units import Ratio
from db import arrays
from db.result_tables import save_training_run
from db.run_tables import run_row
from db.schema import arrays as array_table
from db.schema import runs, training_checkpoints


def save_checkpoint(
    connection: Connection, run_id: int, checkpoint: Mapping[str, NDArray[Any]]
) -> None:
    """Store arrays by name in place of the run's former checkpoint, which is gone."""
    _forget(connection, run_id)
    for name, array in checkpoint.items():
        row = {"run_id": run_id, "name": name, "value_array": arrays.save(connection, array)}
        connection.execute(insert(training_checkpoints), row)


def checkpoint(connection: Connection, run_id: int) -> dict[str, NDArray[Any]] | None:
    """The run's checkpoint, arrays by name; None before the first and once it is finished."""
    query = select(training_checkpoints).where(training_checkpoints.c.run_id == run_id)
    rows = connection.execute(query).all()
    loaded = arrays.load(connection, (row.value_array for row in rows), "training_checkpoints")
    return {row.name: loaded[row.value_array] for row in rows} or None


def finish_training(
    connection: Connection,
    run_id: int,
    *,
    dataset: str,
    recipe: Mapping[str, object],
    seed: int,
    software_accuracy: Ratio,
    versions: Mapping[str, object],
    solution: Mapping[str, NDArray[Any]],
    die: DieAddress,
) -> int:
    """Store what a run has learned in the loop, as a training run whose weights the run has
    written, and drop its checkpoint; returns the training run's id.
    """
    training_run = save_training_run(
        connection,
        strategy="in-the-loop",
        dataset=dataset,
        recipe=recipe,
        seed=seed,
        software_accuracy=software_accuracy,
        versions=versions,
        solution=solution,
        wafer_id=run_row(connection, run_id).wafer_id,
        die=die,
    )
    this = update(runs).where(runs.c.id == run_id)
    connection.execute(this.values(training_run_id=training_run))
    _forget(connection, run_id)
    return training_run


def _forget(connection: Connection, run_id: int) -> None:
    mine = training_checkpoints.c.run_id == run_id
    stored = connection.execute(select(training_checkpoints.c.value_array).where(mine)).scalars()
    ids = stored.all()
    connection.execute(delete(training_checkpoints).where(mine))
    if ids:
        connection.execute(delete(array_table).where(array_table.c.id.in_(ids)))
