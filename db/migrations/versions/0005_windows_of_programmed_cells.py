"""Levels and windows of programmed cells; empty where a state was asked for, as before."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
COLUMNS = ("level_array", "window_low_array", "window_high_array")


def upgrade() -> None:
    with op.batch_alter_table("programmed_blocks", schema=None) as batch_op:
        for name in COLUMNS:
            batch_op.add_column(sa.Column(name, ID, nullable=True))
        for name in COLUMNS:
            batch_op.create_foreign_key(
                batch_op.f(f"fk_programmed_blocks_{name}"), "arrays", [name], ["id"]
            )
