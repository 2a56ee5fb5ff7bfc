"""Pulse trains, read traces, voltage sweeps and dot products."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "dot_product_blocks",
        sa.Column("id", ID, nullable=False),
        sa.Column("run_id", ID, nullable=False),
        sa.Column("die_id", ID, nullable=False),
        sa.Column("subarray", sa.Integer(), nullable=False),
        sa.Column(
            "row_voltages_array",
            ID,
            nullable=False,
        ),
        sa.Column("current_array", ID, nullable=False),
        sa.Column(
            "conductance_array",
            ID,
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["conductance_array"],
            ["arrays.id"],
            name=op.f("fk_dot_product_blocks_conductance_array"),
        ),
        sa.ForeignKeyConstraint(
            ["current_array"], ["arrays.id"], name=op.f("fk_dot_product_blocks_current_array")
        ),
        sa.ForeignKeyConstraint(
            ["row_voltages_array"],
            ["arrays.id"],
            name=op.f("fk_dot_product_blocks_row_voltages_array"),
        ),
        sa.ForeignKeyConstraint(
            ["run_id", "die_id"],
            ["run_dies.run_id", "run_dies.die_id"],
            name=op.f("fk_dot_product_blocks_run_id_die_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dot_product_blocks")),
        sa.UniqueConstraint(
            "run_id",
            "die_id",
            "subarray",
            name=op.f("uq_dot_product_blocks_run_id_die_id_subarray"),
        ),
    )
    with op.batch_alter_table("dot_product_blocks", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_dot_product_blocks_die_id"), ["die_id"], unique=False)

    op.create_table(
        "pulse_trains",
        sa.Column("id", ID, nullable=False),
        sa.Column("run_id", ID, nullable=False),
        sa.Column("die_id", ID, nullable=False),
        sa.Column("cell", sa.Integer(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("amplitude_array", ID, nullable=False),
        sa.Column("width_array", ID, nullable=False),
        sa.Column("pulses_array", ID, nullable=False),
        sa.Column(
            "conductance_array",
            ID,
            nullable=False,
        ),
        sa.Column("read_amplitude", sa.Double(), nullable=True),
        sa.Column("outcome", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["amplitude_array"], ["arrays.id"], name=op.f("fk_pulse_trains_amplitude_array")
        ),
        sa.ForeignKeyConstraint(
            ["conductance_array"], ["arrays.id"], name=op.f("fk_pulse_trains_conductance_array")
        ),
        sa.ForeignKeyConstraint(
            ["pulses_array"], ["arrays.id"], name=op.f("fk_pulse_trains_pulses_array")
        ),
        sa.ForeignKeyConstraint(
            ["run_id", "die_id"],
            ["run_dies.run_id", "run_dies.die_id"],
            name=op.f("fk_pulse_trains_run_id_die_id"),
        ),
        sa.ForeignKeyConstraint(
            ["width_array"], ["arrays.id"], name=op.f("fk_pulse_trains_width_array")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pulse_trains")),
        sa.UniqueConstraint(
            "run_id", "die_id", "cell", "part", name=op.f("uq_pulse_trains_run_id_die_id_cell_part")
        ),
    )
    with op.batch_alter_table("pulse_trains", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_pulse_trains_die_id"), ["die_id"], unique=False)

    op.create_table(
        "read_traces",
        sa.Column("id", ID, nullable=False),
        sa.Column("run_id", ID, nullable=False),
        sa.Column("die_id", ID, nullable=False),
        sa.Column("cell", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("read_amplitude", sa.Double(), nullable=True),
        sa.Column("time_array", ID, nullable=False),
        sa.Column(
            "conductance_array",
            ID,
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["conductance_array"], ["arrays.id"], name=op.f("fk_read_traces_conductance_array")
        ),
        sa.ForeignKeyConstraint(
            ["run_id", "die_id"],
            ["run_dies.run_id", "run_dies.die_id"],
            name=op.f("fk_read_traces_run_id_die_id"),
        ),
        sa.ForeignKeyConstraint(
            ["time_array"], ["arrays.id"], name=op.f("fk_read_traces_time_array")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_read_traces")),
        sa.UniqueConstraint(
            "run_id",
            "die_id",
            "cell",
            "state",
            "part",
            name=op.f("uq_read_traces_run_id_die_id_cell_state_part"),
        ),
    )
    with op.batch_alter_table("read_traces", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_read_traces_die_id"), ["die_id"], unique=False)

    op.create_table(
        "voltage_sweeps",
        sa.Column("id", ID, nullable=False),
        sa.Column("run_id", ID, nullable=False),
        sa.Column("die_id", ID, nullable=False),
        sa.Column("cell", sa.Integer(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("voltage_array", ID, nullable=False),
        sa.Column("current_array", ID, nullable=False),
        sa.Column(
            "in_compliance_array",
            ID,
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["current_array"], ["arrays.id"], name=op.f("fk_voltage_sweeps_current_array")
        ),
        sa.ForeignKeyConstraint(
            ["in_compliance_array"],
            ["arrays.id"],
            name=op.f("fk_voltage_sweeps_in_compliance_array"),
        ),
        sa.ForeignKeyConstraint(
            ["run_id", "die_id"],
            ["run_dies.run_id", "run_dies.die_id"],
            name=op.f("fk_voltage_sweeps_run_id_die_id"),
        ),
        sa.ForeignKeyConstraint(
            ["voltage_array"], ["arrays.id"], name=op.f("fk_voltage_sweeps_voltage_array")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voltage_sweeps")),
        sa.UniqueConstraint(
            "run_id",
            "die_id",
            "cell",
            "part",
            name=op.f("uq_voltage_sweeps_run_id_die_id_cell_part"),
        ),
    )
    with op.batch_alter_table("voltage_sweeps", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_voltage_sweeps_die_id"), ["die_id"], unique=False)
