"""Trainings with a die in the loop: the latest checkpoint of each run."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "training_checkpoints",
        sa.Column("run_id", ID, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("value_array", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_training_checkpoints_run_id")
        ),
        sa.ForeignKeyConstraint(
            ["value_array"], ["arrays.id"], name=op.f("fk_training_checkpoints_value_array")
        ),
        sa.PrimaryKeyConstraint("run_id", "name", name=op.f("pk_training_checkpoints")),
    )
