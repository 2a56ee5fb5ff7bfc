"""What was fitted: cell models to single cells, a population to many dies."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select

from crossbar.errors import DataError
from crossbar.estimate import Estimate
from crossbar.geometry import DieAddress
from crossbar.pulses import State
from db import schema
from db.insert import insert_row
from db.rows import Check, FitRow, PopulationRow
from db.run_tables import die_of_run, now
from db.wafer_tables import ensure_die, find_die


def save_fits(connection: Connection, run_id: int, die: DieAddress, fits: Sequence[FitRow]) -> None:
    """Store fits to the records of one run and die. An earlier fit of the same kind, cell and
    target gives way: it can be made again from the records, which stay.
    """
    die_id = die_of_run(connection, run_id, die)
    for fit in fits:
        key: dict[str, Any] = {"run_id": run_id, "die_id": die_id, "kind": fit.kind}
        key |= {"cell": None if fit.cell is None else int(fit.cell)}
        key |= {"target": None if fit.target is None else fit.target.value}
        _forget(connection, key)
        fit_id = insert_row(
            connection,
            schema.fits,
            log_likelihood=fit.log_likelihood,
            converged=fit.converged,
            assumptions=dict(fit.assumptions),
            **key,
        )
        for table, parts in (
            (schema.fit_parameters, fit.parameters),
            (schema.fit_checks, fit.checks),
        ):
            rows = [{"fit_id": fit_id, "name": name} | asdict(part) for name, part in parts.items()]
            if rows:
                connection.execute(insert(table), rows)


def _forget(connection: Connection, key: dict[str, Any]) -> None:
    """Delete the fit of this key, if there is one."""
    query = select(schema.fits.c.id).filter_by(**key)
    fit_id = connection.execute(query).scalar_one_or_none()
    if fit_id is not None:
        for part in (schema.fit_parameters, schema.fit_checks):
            connection.execute(delete(part).where(part.c.fit_id == fit_id))
        connection.execute(delete(schema.fits).where(schema.fits.c.id == fit_id))


def fits_of_die(
    connection: Connection,
    wafer_id: int,
    die: DieAddress,
    *,
    run_id: int | None = None,
    kind: str | None = "switching",
) -> list[FitRow]:
    """The fits of a die, by run, cell and target; an unfitted die gives an empty list. A ``kind``
    of None gives those of all kinds.

    Raises DataError where fits of several runs rest on different assumptions: parameters of
    another model are other quantities, and must not get into one population.
    """
    of_die = [schema.fits.c.die_id == find_die(connection, wafer_id, die)]
    if kind is not None:
        of_die.append(schema.fits.c.kind == kind)
    if run_id is not None:
        of_die.append(schema.fits.c.run_id == run_id)
    ordered = (
        select(schema.fits)
        .where(*of_die)
        .order_by(schema.fits.c.run_id, schema.fits.c.cell, schema.fits.c.target)
    )
    rows = connection.execute(ordered).all()
    for name in {row.kind for row in rows}:
        _refuse_to_mix(name, {row.run_id: row.assumptions for row in rows if row.kind == name})
    estimates = _parts(connection, schema.fit_parameters, of_die, Estimate)
    checks = _parts(connection, schema.fit_checks, of_die, Check)
    return [
        FitRow(
            cell=row.cell,
            target=None if row.target is None else State(row.target),
            kind=row.kind,
            parameters=estimates.get(row.id, {}),
            log_likelihood=row.log_likelihood,
            converged=row.converged,
            assumptions=row.assumptions,
            checks=checks.get(row.id, {}),
        )
        for row in rows
    ]


def _parts(
    connection: Connection, table: Table, of_die: list[Any], part: type[Any]
) -> dict[int, dict[str, Any]]:
    """What a table holds about some fits: parts by the fit's id and the part's name."""
    found: dict[int, dict[str, Any]] = {}
    query = select(table).join(schema.fits, schema.fits.c.id == table.c.fit_id).where(*of_die)
    for row in connection.execute(query).mappings():
        values = {name: row[name] for name in row if name not in ("fit_id", "name")}
        found.setdefault(row["fit_id"], {})[row["name"]] = part(**values)
    return found


MODEL = ("barrier_exponent", "distribution")
"""Assumptions that change what the parameters of a fit mean."""


def _refuse_to_mix(kind: str, assumptions: Mapping[int, Mapping[str, Any]]) -> None:
    """Raise DataError unless the fits of these runs are of one model."""
    models = {run: {name: of.get(name) for name in MODEL} for run, of in assumptions.items()}
    first = min(models, default=None)
    for run, model in models.items():
        if first is not None and model != models[first]:
            raise DataError(
                f"The {kind} fits of run {first} suppose {dict(assumptions[first])}, those of run "
                f"{run} {dict(assumptions[run])}: they are not comparable. Take those of one run, "
                "or fit the other again."
            )


def save_population(
    connection: Connection,
    parameters: Mapping[str, object],
    *,
    wafer_id: int | None = None,
    dies: Sequence[DieAddress] = (),
    source: str = "",
) -> int:
    """Store a population of defects, as the fields of a DefectPopulation; returns its id.

    It comes from some dies of a wafer, or from a ``source`` in words.
    """
    population_id = insert_row(
        connection, schema.populations, parameters=parameters, source=source, created_at=now()
    )
    for address in dies:
        die_id = ensure_die(connection, wafer_id, address)
        link = {"population_id": population_id, "die_id": die_id}
        connection.execute(insert(schema.population_dies), link)
    return population_id


def population_row(connection: Connection, population_id: int | None = None) -> PopulationRow:
    """One population, or the latest. Raises DataError if there is none."""
    query = select(schema.populations).order_by(schema.populations.c.id.desc()).limit(1)
    if population_id is not None:
        query = query.where(schema.populations.c.id == population_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        which = "" if population_id is None else f" {population_id}"
        raise DataError(
            f"There is no population{which} of defects in this database; fit one to the dies' "
            "defect maps first."
        )
    behind = (
        select(schema.dies.c.x, schema.dies.c.y)
        .join(schema.population_dies, schema.population_dies.c.die_id == schema.dies.c.id)
        .where(schema.population_dies.c.population_id == row.id)
    )
    columns: dict[str, Any] = dict(row._mapping)
    addresses = sorted(DieAddress(x, y) for x, y in connection.execute(behind))
    return PopulationRow(dies=tuple(addresses), **columns)
