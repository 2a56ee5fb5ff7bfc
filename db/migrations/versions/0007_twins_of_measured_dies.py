"""Twins: simulated dies made of measured ones."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "twins",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("wafer_id", ID, nullable=False),
        sa.Column("description", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["wafer_id"], ["wafers.id"], name=op.f("fk_twins_wafer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_twins")),
        sa.UniqueConstraint("name", name=op.f("uq_twins_name")),
    )
    op.create_table(
        "twin_arrays",
        sa.Column("twin_id", ID, nullable=False),
        sa.Column("die_id", ID, nullable=False),
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column("value_array", ID, nullable=False),
        sa.ForeignKeyConstraint(["die_id"], ["dies.id"], name=op.f("fk_twin_arrays_die_id")),
        sa.ForeignKeyConstraint(["twin_id"], ["twins.id"], name=op.f("fk_twin_arrays_twin_id")),
        sa.ForeignKeyConstraint(
            ["value_array"], ["arrays.id"], name=op.f("fk_twin_arrays_value_array")
        ),
        sa.PrimaryKeyConstraint("twin_id", "die_id", "name", name=op.f("pk_twin_arrays")),
    )
