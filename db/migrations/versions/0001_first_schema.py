"""The first schema: wafers, dies, runs and their records, analysis, training, evaluations.

Frozen. It repeats `db.schema` as that was at the time, in plain types.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create every table, those that others refer to first."""
    _create_bench()
    _create_training()
    _create_runs()
    _create_records()
    _create_analysis()
    _create_evaluations()


def _id() -> sa.Column[int]:
    return sa.Column("id", ID, primary_key=True)


def _refer(name: str, table: str, **options: Any) -> sa.Column[int]:
    return sa.Column(name, ID, sa.ForeignKey(f"{table}.id"), **({"nullable": False} | options))


def _required(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def _record(name: str, *columns: Any, key: tuple[str, ...]) -> None:
    """A table whose rows belong to one run and die, unique by ``key`` among them."""
    op.create_table(
        name,
        _id(),
        sa.Column("run_id", ID, nullable=False),
        sa.Column("die_id", ID, nullable=False, index=True),
        *columns,
        sa.ForeignKeyConstraint(["run_id", "die_id"], ["run_dies.run_id", "run_dies.die_id"]),
        sa.UniqueConstraint("run_id", "die_id", *key),
    )


def _create_bench() -> None:
    op.create_table(
        "wafers",
        _id(),
        sa.Column("name", sa.String(200), nullable=False, unique=True),
        _required("subarrays", sa.Integer()),
        _required("rows", sa.Integer()),
        _required("columns", sa.Integer()),
        _required("technology", sa.String(50)),
    )
    op.create_table(
        "dies",
        _id(),
        _refer("wafer_id", "wafers"),
        _required("x", sa.Integer()),
        _required("y", sa.Integer()),
        sa.Column("prober_column", sa.Integer()),
        sa.Column("prober_row", sa.Integer()),
        sa.UniqueConstraint("wafer_id", "x", "y"),
    )
    op.create_table(
        "instruments",
        _id(),
        _required("role", sa.String(50)),
        _required("driver", sa.String(100)),
        _required("address", sa.String(200)),
        _required("identity", sa.String(200)),
        _required("first_seen", TIME),
        sa.UniqueConstraint("role", "driver", "address", "identity"),
    )
    op.create_table(
        "arrays",
        _id(),
        _required("dtype", sa.String(20)),
        _required("shape", sa.JSON()),
        _required("checksum", sa.String(64)),
        _required("compression", sa.String(8)),
        _required("data", sa.LargeBinary()),
    )


def _create_training() -> None:
    op.create_table(
        "training_runs",
        _id(),
        _required("strategy", sa.String(50)),
        _required("dataset", sa.String(50)),
        _required("recipe", sa.JSON()),
        _required("seed", sa.BigInteger()),
        _refer("die_id", "dies", nullable=True),
        sa.Column("software_accuracy", sa.Double()),
        _required("versions", sa.JSON()),
        _required("created_at", TIME),
    )
    op.create_table(
        "training_arrays",
        _refer("training_run_id", "training_runs", primary_key=True),
        sa.Column("name", sa.String(200), primary_key=True),
        _required("position", sa.Integer()),
        _refer("value_array", "arrays"),
    )


def _create_runs() -> None:
    op.create_table(
        "runs",
        _id(),
        _refer("wafer_id", "wafers"),
        _refer("training_run_id", "training_runs", nullable=True),
        _required("protocol", sa.String(100)),
        _required("parameters", sa.JSON()),
        sa.Column("seed", sa.BigInteger()),
        _required("versions", sa.JSON()),
        _required("bench", sa.Text()),
        _required("status", sa.String(20)),
        _required("message", sa.Text()),
        _required("started_at", TIME),
        sa.Column("finished_at", TIME),
    )
    op.create_table(
        "run_instruments",
        _refer("run_id", "runs", primary_key=True),
        _refer("instrument_id", "instruments", primary_key=True),
    )
    op.create_table(
        "run_dies",
        _refer("run_id", "runs", primary_key=True),
        _refer("die_id", "dies", primary_key=True, index=True),
        _required("position", sa.Integer()),
        sa.Column("finished_at", TIME),
        sa.UniqueConstraint("run_id", "position"),
    )


def _create_records() -> None:
    _record(
        "contacts",
        _refer("cells_array", "arrays"),
        _refer("conductance_array", "arrays"),
        _required("touching", sa.Boolean()),
        key=(),
    )
    _record(
        "array_map_blocks",
        _required("first_cell", sa.Integer()),
        sa.Column("read_amplitude", sa.Double()),
        _refer("low_array", "arrays"),
        _refer("high_array", "arrays"),
        _refer("in_compliance_array", "arrays"),
        key=("first_cell",),
    )
    _record(
        "wer_points",
        _required("cell", sa.Integer()),
        _required("target", sa.String(8)),
        _required("amplitude", sa.Double()),
        _required("width", sa.Double()),
        _required("attempts", sa.BigInteger()),
        _required("errors", sa.BigInteger()),
        _required("rejected", sa.BigInteger()),
        sa.Column("interval_low", sa.Double()),
        sa.Column("interval_high", sa.Double()),
        sa.Column("confidence", sa.Double()),
        _required("execution", sa.String(20)),
        _required("stopped_by", sa.String(20)),
        key=("cell", "target", "amplitude", "width"),
    )
    _record(
        "programmed_blocks",
        _required("first_cell", sa.Integer()),
        _refer("cells_array", "arrays"),
        _refer("target_low_array", "arrays"),
        _refer("conductance_array", "arrays"),
        _refer("verified_array", "arrays"),
        _refer("pulses_array", "arrays"),
        sa.Column("threshold", sa.Double()),
        key=("first_cell",),
    )


def _create_analysis() -> None:
    op.create_table(
        "defect_maps",
        _id(),
        _refer("die_id", "dies", index=True),
        _refer("run_id", "runs", nullable=True),
        _required("source", sa.Text()),
        _required("thresholds", sa.JSON()),
        _required("lines", sa.JSON()),
        sa.Column("median_low", sa.Double()),
        sa.Column("median_high", sa.Double()),
        _refer("classes_array", "arrays"),
        _refer("low_array", "arrays"),
        _refer("high_array", "arrays"),
        _required("created_at", TIME),
    )
    _record(
        "fits",
        _required("kind", sa.String(20)),
        _required("cell", sa.Integer()),
        _required("target", sa.String(8)),
        sa.Column("log_likelihood", sa.Double()),
        _required("converged", sa.Boolean()),
        key=("kind", "cell", "target"),
    )
    op.create_table(
        "fit_parameters",
        _refer("fit_id", "fits", primary_key=True),
        sa.Column("name", sa.String(30), primary_key=True),
        sa.Column("estimate", sa.Double()),
        sa.Column("low", sa.Double()),
        sa.Column("high", sa.Double()),
    )
    op.create_table(
        "populations",
        _id(),
        _required("source", sa.Text()),
        _required("parameters", sa.JSON()),
        _required("created_at", TIME),
    )
    op.create_table(
        "population_dies",
        _refer("population_id", "populations", primary_key=True),
        _refer("die_id", "dies", primary_key=True),
    )
    op.create_table(
        "conductance_maps",
        _id(),
        _required("source", sa.Text()),
        _required("kernel", sa.String(100)),
        _required("programming", sa.Integer()),
        _refer("conductance_array", "arrays"),
        sa.UniqueConstraint("source", "kernel", "programming"),
    )


def _create_evaluations() -> None:
    op.create_table(
        "evaluations",
        _id(),
        _refer("training_run_id", "training_runs", index=True),
        _refer("die_id", "dies", nullable=True),
        _refer("programming_run_id", "runs", nullable=True),
        _required("dataset", sa.String(50)),
        _required("images", sa.Integer()),
        _required("correct", sa.Integer()),
        _required("where", sa.String(20)),
        _required("calibration", sa.JSON()),
        _required("created_at", TIME),
    )
