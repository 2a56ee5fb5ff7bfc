"""The stress ledger of each die: how many pulses its cells have received."""

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select, update

from crossbar.geometry import DieAddress
from db import arrays
from db.insert import insert_row
from db.run_tables import now
from db.schema import arrays as array_table
from db.schema import stress
from db.wafer_tables import ensure_die, find_die


def save_stress(
    connection: Connection,
    wafer_id: int,
    die: DieAddress,
    pulses: NDArray[np.int64],
    *,
    exact: bool,
) -> None:
    """Write the (cells,) counts of a die over those of before.

    ``exact`` is False for counts that run ahead of the pulses (`crossbar.stress`).
    """
    die_id = ensure_die(connection, wafer_id, die)
    row = connection.execute(select(stress).where(stress.c.die_id == die_id)).one_or_none()
    entry: dict[str, Any] = {"exact": exact, "updated_at": now()}
    if row is None:
        saved = arrays.save(connection, pulses)
        insert_row(connection, stress, die_id=die_id, pulses_array=saved, **entry)
        return
    packed = asdict(arrays.pack(pulses))
    connection.execute(
        update(array_table).where(array_table.c.id == row.pulses_array).values(packed)
    )
    connection.execute(update(stress).where(stress.c.id == row.id).values(entry))


def stress_of(
    connection: Connection, wafer_id: int, die: DieAddress
) -> tuple[NDArray[np.int64], bool] | None:
    """The (cells,) counts of a die and whether they are exact; None if it was never pulsed."""
    die_id = find_die(connection, wafer_id, die)
    row = connection.execute(select(stress).where(stress.c.die_id == die_id)).one_or_none()
    if row is None:
        return None
    return arrays.load(connection, [row.pulses_array], "stress")[row.pulses_array], row.exact
