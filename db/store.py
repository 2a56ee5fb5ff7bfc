"""The store: one open database, and everything that is asked of it.

The methods of `Store` are the functions of this package, each run as one transaction: when a method
returns, what it was given is on the disk, and stays there whatever happens to the process or the
power; when it raises, nothing of it was stored. Every method raises StorageError if the database
refuses. One process writes at a time, others may read along.
"""

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Concatenate, ParamSpec, Self, TypeVar

from sqlalchemy import Connection, Engine

from crossbar.errors import StorageError
from crossbar.units import Seconds
from db import (
    checkpoint_tables,
    cost_tables,
    fit_tables,
    import_tables,
    map_tables,
    migrate,
    queries,
    record_tables,
    result_tables,
    run_tables,
    stress_tables,
    sweep_tables,
    twin_tables,
    wafer_tables,
)
from db.engine import WRITING, display_name, open_engine
from db.failures import translated
from db.schema import VERSION

P = ParamSpec("P")
T = TypeVar("T")


def reading(
    function: Callable[Concatenate[Connection, P], T],
) -> Callable[Concatenate["Store", P], T]:
    """Make a method that reads of a function over a connection."""

    @functools.wraps(function)
    def method(store: "Store", /, *args: P.args, **kwargs: P.kwargs) -> T:
        failure = "The database cannot be read"
        with translated(store.name, failure), store.transaction(writing=False) as connection:
            return function(connection, *args, **kwargs)

    return method


def writing(
    what: str, function: Callable[Concatenate[Connection, P], T]
) -> Callable[Concatenate["Store", P], T]:
    """Make a method that writes of a function over a connection.

    ``what`` names, for the error message, what it stores: a format of the function's arguments.
    """
    signature = inspect.signature(function)

    @functools.wraps(function)
    def method(store: "Store", /, *args: P.args, **kwargs: P.kwargs) -> T:
        given = signature.bind(None, *args, **kwargs).arguments
        failure = f"{what.format(**given)} was not stored"
        with translated(store.name, failure), store.transaction(writing=True) as connection:
            return function(connection, *args, **kwargs)

    return method


class Store:
    """One open database. `Store.open` makes it; leave it by ``with`` or `close`.

    Dies are named by the id of their wafer and their SEMI E142 address.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.name = display_name(engine)

    @classmethod
    def open(
        cls, url_or_path: str | Path, *, create: bool = True, busy_timeout: Seconds = 10.0
    ) -> Self:
        """Open a SQLite file, or what a SQLAlchemy URL names, and bring it to the present schema.

        ``busy_timeout`` is how long to wait for another program's transaction. Raises StorageError
        for what cannot be opened, is no database of ours, or is newer than this program; and,
        unless ``create``, for what does not exist yet.
        """
        store = cls(open_engine(url_or_path, create=create, busy_timeout=busy_timeout))
        try:
            store._migrate(create=create)
        except BaseException:
            store.close()
            raise
        return store

    def close(self) -> None:
        """Close the database. Nothing is left to be saved at this point."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @contextmanager
    def transaction(self, *, writing: bool) -> Iterator[Connection]:
        """A connection within one transaction: committed at the end, rolled back by an error."""
        with self.engine.connect() as connection:
            connection = connection.execution_options(**{WRITING: writing})
            with connection.begin():
                yield connection

    def _migrate(self, *, create: bool) -> None:
        failure = "The database cannot be opened"
        with translated(self.name, failure), self.transaction(writing=False) as connection:
            found = migrate.version(connection)
        if found is None and not create:
            raise StorageError(f"{self.name} holds no measurements yet; check the name.")
        if found != VERSION:
            with translated(self.name, failure), self.transaction(writing=True) as connection:
                migrate.upgrade(connection)

    # Wafers and dies
    wafer = writing("Wafer {name!r}", wafer_tables.ensure_wafer)
    wafers = reading(wafer_tables.wafer_rows)
    die = writing("Die {die}", wafer_tables.ensure_die)
    dies = reading(wafer_tables.known_dies)

    save_stress = writing("The stress ledger of die {die}", stress_tables.save_stress)
    stress = reading(stress_tables.stress_of)

    # Runs
    begin_run = writing("The beginning of a run of {protocol}", run_tables.begin_run)
    record_instruments = writing("An instrument of run {run_id}", run_tables.record_instruments)
    instruments = reading(run_tables.instruments_of_run)
    finish_die = writing("The end of die {die} in run {run_id}", run_tables.finish_die)
    finish_run = writing("The end of run {run_id}", run_tables.finish_run)
    run = reading(run_tables.run_row)
    runs = reading(run_tables.run_rows)
    interrupted_runs = reading(run_tables.interrupted_runs)
    done_dies = reading(run_tables.done_dies)

    add_cost = writing("The cost of run {run_id}", cost_tables.add_cost)
    cost = reading(cost_tables.cost_of_run)

    save_imported = writing("{imported.name}", import_tables.save_imported)

    # Records
    add = writing("Record {record.key} of die {die} in run {run_id}", record_tables.add)
    done_keys = reading(record_tables.done_keys)
    records = reading(record_tables.records)
    array_map = reading(queries.array_map)
    wer_points = reading(queries.wer_of_die)

    # What analysis makes of them
    save_defect_map = writing("The defect map of die {die}", map_tables.save_defect_map)
    defect_map = reading(map_tables.latest_defect_map)
    defect_maps = reading(map_tables.latest_defect_maps)
    save_fits = writing("A fit of die {die} in run {run_id}", fit_tables.save_fits)
    fits = reading(fit_tables.fits_of_die)
    save_population = writing("A population of defects", fit_tables.save_population)
    population = reading(fit_tables.population_row)
    save_conductance_map = writing(
        "Kernel {imported.kernel} of {imported.source}", map_tables.save_conductance_map
    )
    conductance_maps = reading(map_tables.imported_maps)
    save_twin = writing("Twin {name!r}", twin_tables.save_twin)
    twin = reading(twin_tables.twin)
    twins = reading(twin_tables.twin_rows)

    # What was learnt, and how it did
    save_training_run = writing("A training run", result_tables.save_training_run)
    training_run = reading(result_tables.training_run_row)
    latest_training_run = reading(result_tables.latest_training_run_row)
    weights_for_die = reading(result_tables.weights_for_die)
    calibration_of_die = reading(result_tables.calibration_of_die)
    save_checkpoint = writing("A checkpoint of run {run_id}", checkpoint_tables.save_checkpoint)
    checkpoint = reading(checkpoint_tables.checkpoint)
    finish_training = writing("What run {run_id} has learned", checkpoint_tables.finish_training)
    save_evaluation = writing(
        "An evaluation of training run {training_run_id}", result_tables.save_evaluation
    )
    evaluations = reading(result_tables.evaluation_rows)

    # Experiments in software, point by point
    save_sweep_point = writing("Point {point} of sweep {sweep!r}", sweep_tables.save_sweep_point)
    outcomes_of_sweep = reading(sweep_tables.outcomes_of_sweep)
    forget_sweeps = writing("That sweeps {prefix!r} are gone", sweep_tables.forget_sweeps)

    # The database itself
    counts = reading(queries.counts)
    integrity_check = reading(queries.problems)
