"""Sweeps: what came out at each point of an experiment in software, kept so that it can go on."""

import hashlib
from collections.abc import Mapping

from sqlalchemy import Connection, delete, select

from crossbar.units import Seconds
from db import json_text
from db.insert import insert_row
from db.rows import SweepPointRow
from db.run_tables import now
from db.schema import sweep_points


def save_sweep_point(
    connection: Connection,
    sweep: str,
    *,
    point: Mapping[str, object],
    versions: Mapping[str, str],
    outcome: Mapping[str, object],
    seconds: Seconds,
) -> int:
    """Store the outcome of one point, made with these versions; returns its id.

    ``seconds`` is how long it took. Raises StorageError if it is stored already.
    """
    return insert_row(
        connection,
        sweep_points,
        sweep=sweep,
        digest=_digest(point, versions),
        point=dict(point),
        versions=dict(versions),
        outcome=dict(outcome),
        seconds=seconds,
        created_at=now(),
    )


def outcomes_of_sweep(
    connection: Connection, sweep: str, versions: Mapping[str, str]
) -> dict[str, SweepPointRow]:
    """Every stored point of a sweep that was made with these versions, by `json_text.canonical`
    of the point.
    """
    rows = connection.execute(select(sweep_points).where(sweep_points.c.sweep == sweep))
    return {
        json_text.canonical(row.point): SweepPointRow(outcome=row.outcome, seconds=row.seconds)
        for row in rows
        if row.versions == versions
    }


def forget_sweeps(connection: Connection, prefix: str) -> int:
    """Delete the points of all sweeps whose name begins so, of all versions; returns how many."""
    named = sweep_points.c.sweep.startswith(prefix, autoescape=True)
    return connection.execute(delete(sweep_points).where(named)).rowcount


def _digest(point: Mapping[str, object], versions: Mapping[str, str]) -> str:
    """What tells points apart: a text of any length, in a column that can be unique."""
    return hashlib.sha256(json_text.canonical([point, versions]).encode()).hexdigest()
