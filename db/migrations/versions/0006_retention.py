"""Cells that are left alone for hours, read at logarithmic times."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TABLE = "retention_readings"
ARRAYS = ("cells_array", "written_low_array", "conductance_array")


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", ID, nullable=False),
        sa.Column("run_id", ID, nullable=False),
        sa.Column("die_id", ID, nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("written_at", sa.Double(), nullable=False),
        sa.Column("time", sa.Double(), nullable=True),
        sa.Column("read_amplitude", sa.Double(), nullable=True),
        *(sa.Column(name, ID, nullable=False) for name in ARRAYS),
        *(
            sa.ForeignKeyConstraint([name], ["arrays.id"], name=op.f(f"fk_{TABLE}_{name}"))
            for name in ARRAYS
        ),
        sa.ForeignKeyConstraint(
            ["run_id", "die_id"],
            ["run_dies.run_id", "run_dies.die_id"],
            name=op.f(f"fk_{TABLE}_run_id_die_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{TABLE}")),
        sa.UniqueConstraint(
            "run_id",
            "die_id",
            "step",
            "written_at",
            name=op.f(f"uq_{TABLE}_run_id_die_id_step_written_at"),
        ),
    )
    with op.batch_alter_table(TABLE, schema=None) as batch_op:
        batch_op.create_index(batch_op.f(f"ix_{TABLE}_die_id"), ["die_id"], unique=False)
