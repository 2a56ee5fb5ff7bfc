"""What was fitted: cell models to single cells, a population to many dies."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from crossbar.errors import DataError
from crossbar.geometry import DieAddress
from crossbar.pulses import State
from db.insert import insert_row
from db.rows import Estimate, FitRow, PopulationRow
from db.runs import die_of_run, now
from db.schema import dies, fit_parameters, fits, population_dies, populations
from db.wafers import ensure_die, find_die


def replace_fits(
    connection: Connection, run_id: int, die: DieAddress, new: Sequence[FitRow]
) -> None:
    """Store fits to the points of one run and die. An earlier fit of the same kind, cell and target
    gives way: it can be made again from the points, which stay.
    """
    die_id = die_of_run(connection, run_id, die)
    for fit in new:
        key = {"kind": fit.kind, "cell": int(fit.cell), "target": fit.target.value}
        earlier = select(fits.c.id).filter_by(run_id=run_id, die_id=die_id, **key)
        connection.execute(delete(fit_parameters).where(fit_parameters.c.fit_id.in_(earlier)))
        connection.execute(delete(fits).where(fits.c.id.in_(earlier)))
        fit_id = insert_row(
            connection,
            fits,
            run_id=run_id,
            die_id=die_id,
            log_likelihood=fit.log_likelihood,
            converged=bool(fit.converged),
            **key,
        )
        parameters = [
            {"fit_id": fit_id, "name": name, "estimate": e.estimate, "low": e.low, "high": e.high}
            for name, e in fit.parameters.items()
        ]
        if parameters:
            connection.execute(insert(fit_parameters), parameters)


def fits_of_die(
    connection: Connection, wafer_id: int, die: DieAddress, *, run_id: int | None, kind: str
) -> list[FitRow]:
    """The fits of a die, by run, cell and target; an unfitted die gives an empty list."""
    of_die = [fits.c.die_id == find_die(connection, wafer_id, die), fits.c.kind == kind]
    if run_id is not None:
        of_die.append(fits.c.run_id == run_id)
    estimates: dict[int, dict[str, Estimate]] = {}
    query = select(fit_parameters).join(fits, fits.c.id == fit_parameters.c.fit_id).where(*of_die)
    for row in connection.execute(query):
        estimate = Estimate(estimate=row.estimate, low=row.low, high=row.high)
        estimates.setdefault(row.fit_id, {})[row.name] = estimate
    ordered = select(fits).where(*of_die).order_by(fits.c.run_id, fits.c.cell, fits.c.target)
    return [
        FitRow(
            cell=row.cell,
            target=State(row.target),
            kind=row.kind,
            parameters=estimates.get(row.id, {}),
            log_likelihood=row.log_likelihood,
            converged=row.converged,
        )
        for row in connection.execute(ordered)
    ]


def add_population(
    connection: Connection,
    parameters: Mapping[str, object],
    *,
    wafer_id: int | None,
    addresses: Sequence[DieAddress],
    source: str,
) -> int:
    """Store a fitted population with the dies behind it; returns its id."""
    population_id = insert_row(
        connection, populations, parameters=parameters, source=source, created_at=now()
    )
    for address in addresses if wafer_id is not None else ():
        die_id = ensure_die(connection, wafer_id, address, None)
        connection.execute(
            insert(population_dies).values(population_id=population_id, die_id=die_id)
        )
    return population_id


def population_row(connection: Connection, population_id: int | None) -> PopulationRow:
    """One population, or the latest. Raises DataError if there is none."""
    query = select(populations).order_by(populations.c.id.desc()).limit(1)
    if population_id is not None:
        query = query.where(populations.c.id == population_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        which = "" if population_id is None else f" {population_id}"
        raise DataError(
            f"There is no population{which} of defects in this database; fit one to the dies' "
            "defect maps first."
        )
    behind = (
        select(dies.c.x, dies.c.y)
        .join(population_dies, population_dies.c.die_id == dies.c.id)
        .where(population_dies.c.population_id == row.id)
    )
    columns: dict[str, Any] = dict(row._mapping)
    addresses = sorted(DieAddress(x, y) for x, y in connection.execute(behind))
    return PopulationRow(dies=tuple(addresses), **columns)
