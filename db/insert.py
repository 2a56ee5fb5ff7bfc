"""Inserting one row."""

from typing import Any

from sqlalchemy import Connection, Table, insert


def insert_row(connection: Connection, table: Table, **columns: Any) -> int:
    """Insert one row; returns its id."""
    key = connection.execute(insert(table).values(columns)).inserted_primary_key
    assert key is not None  # only an INSERT from a SELECT has none
    return key[0]
