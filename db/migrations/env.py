"""Executed by Alembic: migrates over the connection, and in the transaction, that it is given."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import TypeDecorator

from db import schema


def plain_type(kind: str, item: Any, _context: object) -> str | Literal[False]:
    """How a new migration writes our own types: as what they are made of, since it is frozen."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl!r}"
    return False  # Alembic's own way


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=schema.metadata,
    render_item=plain_type,
    render_as_batch=True,  # SQLite alters a table only by copying it
)
with context.begin_transaction():
    context.run_migrations()
