"""The stress ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "stress",
        sa.Column("id", ID, nullable=False),
        sa.Column("die_id", ID, nullable=False),
        sa.Column("pulses_array", ID, nullable=False),
        sa.Column("exact", sa.Boolean(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["die_id"], ["dies.id"], name=op.f("fk_stress_die_id")),
        sa.ForeignKeyConstraint(
            ["pulses_array"], ["arrays.id"], name=op.f("fk_stress_pulses_array")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stress")),
        sa.UniqueConstraint("die_id", name=op.f("uq_stress_die_id")),
    )
