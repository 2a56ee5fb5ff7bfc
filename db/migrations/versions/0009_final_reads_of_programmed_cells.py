"""Reads of programmed cells that decided nothing; empty where there were none, as before."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("programmed_blocks", schema=None) as batch_op:
        batch_op.add_column(sa.Column("final_array", ID, nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_programmed_blocks_final_array"), "arrays", ["final_array"], ["id"]
        )
