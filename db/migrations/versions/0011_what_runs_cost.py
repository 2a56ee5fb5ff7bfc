"""What runs cost: pulses, their energy, time. Runs of before have no line."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "run_costs",
        sa.Column("run_id", ID, nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("pulses", sa.BigInteger(), nullable=False),
        sa.Column("reads", sa.BigInteger(), nullable=False),
        sa.Column("energy", sa.Double(), nullable=False),
        sa.Column("typical_energy", sa.Double(), nullable=False),
        sa.Column("messages", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_costs_run_id")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_run_costs")),
    )
