"""The columns that many tables of `db.schema` have."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    MetaData,
)

from db.column_types import UtcTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
ID = BigInteger().with_variant(Integer(), "sqlite")  # SQLite numbers rows in INTEGER columns only
PLAIN_JSON = JSON(none_as_null=True)


def identity() -> Column[int]:
    """The number of a row."""
    return Column("id", ID, primary_key=True)


def refer(name: str, table: str, **options: Any) -> Column[int]:
    """The number of a row of another table."""
    return Column(name, ID, ForeignKey(f"{table}.id"), **({"nullable": False} | options))


def array(name: str, **options: Any) -> Column[int]:
    """The number of an array."""
    return refer(f"{name}_array", "arrays", **options)


def moment(name: str, *, nullable: bool = False) -> Column[datetime]:
    """A time with its zone."""
    return Column(name, UtcTime, nullable=nullable)


def run_and_die() -> list[Any]:
    """Where a record comes from; the database itself refuses a die that the run does not visit."""
    return [
        Column("run_id", ID, nullable=False),
        Column("die_id", ID, nullable=False, index=True),
        ForeignKeyConstraint(["run_id", "die_id"], ["run_dies.run_id", "run_dies.die_id"]),
    ]
