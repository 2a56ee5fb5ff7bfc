"""Inserting one row."""

import enum
from typing import Any

import numpy as np
from sqlalchemy import Connection, Table, insert


def insert_row(connection: Connection, table: Table, **columns: Any) -> int:
    """Insert one row; returns its id. NumPy's scalars and enums become plain values."""
    values = {name: _plain(value) for name, value in columns.items()}
    key = connection.execute(insert(table), values).inserted_primary_key
    assert key is not None  # only an INSERT from a SELECT has none
    return key[0]


def _plain(value: Any) -> Any:
    """A scalar as database drivers take it."""
    if isinstance(value, enum.Enum):
        return value.value
    return value.item() if isinstance(value, np.generic) else value
