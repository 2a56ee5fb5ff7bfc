"""Inserting one row."""

from typing import Any

from sqlalchemy import Connection, Table, insert


def insert_row(connection: Connection, table: Table, **columns: Any) -> int:
    """Insert one row; returns its id."""
    return connection.execute(insert(table).values(columns)).inserted_primary_key[0]
