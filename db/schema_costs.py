"""What runs cost: a table of `db.schema`."""

from sqlalchemy import BigInteger, Column, Double, Table

from db.schema_columns import metadata, refer

run_costs = Table(
    "run_costs",
    metadata,
    refer("run_id", "runs", primary_key=True),
    Column("seconds", Double, nullable=False),
    Column("pulses", BigInteger, nullable=False),
    Column("reads", BigInteger, nullable=False),
    Column("energy", Double, nullable=False),
    Column("typical_energy", Double, nullable=False),
    Column("messages", BigInteger, nullable=False),
)
