"""Every table, in SQLAlchemy Core; `migrations/` builds the same, and a test holds them to it.

Types are those that both SQLite and PostgreSQL have. Dies carry their SEMI E142 coordinates, and
the prober's own where a prober is known. A column ``<name>_array`` refers to the table ``arrays``.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from db.column_types import NanAsNull
from db.schema_calibrations import calibrations as calibrations
from db.schema_columns import ID, PLAIN_JSON, metadata
from db.schema_columns import array as _array
from db.schema_columns import identity as _id
from db.schema_columns import moment as _time
from db.schema_columns import refer as _refer
from db.schema_columns import run_and_die as _run_and_die
from db.schema_costs import run_costs as run_costs

VERSION = "0012"
"""The migration that leads to this schema; known here so that opening need not import Alembic."""

# What is measured on, and with what.

wafers = Table(
    "wafers",
    metadata,
    _id(),
    Column("name", String(200), nullable=False, unique=True),
    Column("subarrays", Integer, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("columns", Integer, nullable=False),
    Column("technology", String(50), nullable=False),
)

dies = Table(
    "dies",
    metadata,
    _id(),
    _refer("wafer_id", "wafers"),
    Column("x", Integer, nullable=False),
    Column("y", Integer, nullable=False),
    Column("prober_column", Integer),
    Column("prober_row", Integer),
    UniqueConstraint("wafer_id", "x", "y"),
)

instruments = Table(
    "instruments",
    metadata,
    _id(),
    Column("role", String(50), nullable=False),
    Column("driver", String(100), nullable=False),
    Column("address", String(200), nullable=False),
    Column("identity", String(200), nullable=False),
    _time("first_seen"),
    UniqueConstraint("role", "driver", "address", "identity"),
)

arrays = Table(
    "arrays",
    metadata,
    _id(),
    Column("dtype", String(20), nullable=False),
    Column("shape", PLAIN_JSON, nullable=False),
    Column("checksum", String(64), nullable=False),
    Column("compression", String(8), nullable=False),
    Column("data", LargeBinary, nullable=False),
)

stress = Table(
    "stress",
    metadata,
    _id(),
    Column("die_id", ID, ForeignKey("dies.id"), nullable=False, unique=True),
    _array("pulses"),
    Column("exact", Boolean, nullable=False),
    _time("updated_at"),
)

# Runs, and the records that they left.

runs = Table(
    "runs",
    metadata,
    _id(),
    _refer("wafer_id", "wafers"),
    _refer("training_run_id", "training_runs", nullable=True),
    Column("protocol", String(100), nullable=False),
    Column("parameters", PLAIN_JSON, nullable=False),
    Column("seed", BigInteger, nullable=True),
    Column("versions", PLAIN_JSON, nullable=False),
    Column("bench", Text, nullable=False),
    Column("status", String(20), nullable=False),
    Column("message", Text, nullable=False),
    _time("started_at"),
    _time("finished_at", nullable=True),
)

run_instruments = Table(
    "run_instruments",
    metadata,
    _refer("run_id", "runs", primary_key=True),
    _refer("instrument_id", "instruments", primary_key=True),
)

run_dies = Table(
    "run_dies",
    metadata,
    _refer("run_id", "runs", primary_key=True),
    _refer("die_id", "dies", primary_key=True, index=True),
    Column("position", Integer, nullable=False),
    _time("finished_at", nullable=True),
    UniqueConstraint("run_id", "position"),
)

contacts = Table(
    "contacts",
    metadata,
    _id(),
    *_run_and_die(),
    *(_array(name) for name in ("cells", "conductance")),
    Column("touching", Boolean, nullable=False),
    UniqueConstraint("run_id", "die_id"),
)

array_map_blocks = Table(
    "array_map_blocks",
    metadata,
    _id(),
    *_run_and_die(),
    Column("first_cell", Integer, nullable=False),
    Column("read_amplitude", NanAsNull),
    *(_array(name) for name in ("low", "high", "in_compliance")),
    UniqueConstraint("run_id", "die_id", "first_cell"),
)

wer_points = Table(
    "wer_points",
    metadata,
    _id(),
    *_run_and_die(),
    Column("cell", Integer, nullable=False),
    Column("target", String(8), nullable=False),
    Column("amplitude", Double, nullable=False),
    Column("width", Double, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    Column("errors", BigInteger, nullable=False),
    Column("rejected", BigInteger, nullable=False),
    Column("interval_low", NanAsNull),
    Column("interval_high", NanAsNull),
    Column("confidence", NanAsNull),
    Column("execution", String(20), nullable=False),
    Column("stopped_by", String(20), nullable=False),
    UniqueConstraint("run_id", "die_id", "cell", "target", "amplitude", "width"),
)

programmed_blocks = Table(
    "programmed_blocks",
    metadata,
    _id(),
    *_run_and_die(),
    Column("first_cell", Integer, nullable=False),
    *(_array(name) for name in ("cells", "target_low", "conductance", "verified", "pulses")),
    Column("threshold", NanAsNull),
    *(_array(name, nullable=True) for name in ("level", "window_low", "window_high", "final")),
    UniqueConstraint("run_id", "die_id", "first_cell"),
)

pulse_trains = Table(
    "pulse_trains",
    metadata,
    _id(),
    *_run_and_die(),
    Column("cell", Integer, nullable=False),
    Column("part", Integer, nullable=False),
    *(_array(name) for name in ("amplitude", "width", "pulses", "conductance")),
    Column("read_amplitude", NanAsNull),
    Column("outcome", String(40), nullable=False),
    UniqueConstraint("run_id", "die_id", "cell", "part"),
)

read_traces = Table(
    "read_traces",
    metadata,
    _id(),
    *_run_and_die(),
    Column("cell", Integer, nullable=False),
    Column("state", String(8), nullable=False),
    Column("part", Integer, nullable=False),
    Column("read_amplitude", NanAsNull),
    *(_array(name) for name in ("time", "conductance")),
    UniqueConstraint("run_id", "die_id", "cell", "state", "part"),
)

retention_readings = Table(
    "retention_readings",
    metadata,
    _id(),
    *_run_and_die(),
    Column("step", Integer, nullable=False),
    Column("written_at", Double, nullable=False),
    Column("time", NanAsNull),
    Column("read_amplitude", NanAsNull),
    *(_array(name) for name in ("cells", "written_low", "conductance")),
    UniqueConstraint("run_id", "die_id", "step", "written_at"),
)

voltage_sweeps = Table(
    "voltage_sweeps",
    metadata,
    _id(),
    *_run_and_die(),
    Column("cell", Integer, nullable=False),
    Column("part", Integer, nullable=False),
    *(_array(name) for name in ("voltage", "current", "in_compliance")),
    UniqueConstraint("run_id", "die_id", "cell", "part"),
)

dot_product_blocks = Table(
    "dot_product_blocks",
    metadata,
    _id(),
    *_run_and_die(),
    Column("subarray", Integer, nullable=False),
    *(_array(name) for name in ("row_voltages", "current", "conductance")),
    UniqueConstraint("run_id", "die_id", "subarray"),
)

# What analysis made of them.

defect_maps = Table(
    "defect_maps",
    metadata,
    _id(),
    _refer("die_id", "dies", index=True),
    _refer("run_id", "runs", nullable=True),
    Column("source", Text, nullable=False),
    Column("thresholds", PLAIN_JSON, nullable=False),
    Column("lines", PLAIN_JSON, nullable=False),
    Column("median_low", NanAsNull),
    Column("median_high", NanAsNull),
    *(_array(name) for name in ("classes", "low", "high")),
    _time("created_at"),
)

fits = Table(
    "fits",
    metadata,
    _id(),
    *_run_and_die(),
    Column("kind", String(40), nullable=False),
    Column("cell", Integer),
    Column("target", String(8)),
    Column("log_likelihood", NanAsNull),
    Column("converged", Boolean, nullable=False),
    Column("assumptions", PLAIN_JSON, nullable=False, server_default="{}"),
    UniqueConstraint("run_id", "die_id", "kind", "cell", "target"),
)

fit_parameters = Table(
    "fit_parameters",
    metadata,
    _refer("fit_id", "fits", primary_key=True),
    Column("name", String(30), primary_key=True),
    Column("estimate", NanAsNull),
    Column("low", NanAsNull),
    Column("high", NanAsNull),
)

fit_checks = Table(
    "fit_checks",
    metadata,
    _refer("fit_id", "fits", primary_key=True),
    Column("name", String(30), primary_key=True),
    Column("p_value", NanAsNull),
    Column("flagged", Boolean, nullable=False),
)

populations = Table(
    "populations",
    metadata,
    _id(),
    Column("source", Text, nullable=False),
    Column("parameters", PLAIN_JSON, nullable=False),
    _time("created_at"),
)

population_dies = Table(
    "population_dies",
    metadata,
    _refer("population_id", "populations", primary_key=True),
    _refer("die_id", "dies", primary_key=True),
)

conductance_maps = Table(
    "conductance_maps",
    metadata,
    _id(),
    Column("source", Text, nullable=False),
    Column("kernel", String(100), nullable=False),
    Column("programming", Integer, nullable=False),
    _array("conductance"),
    UniqueConstraint("source", "kernel", "programming"),
)

twins = Table(
    "twins",
    metadata,
    _id(),
    Column("name", String(200), nullable=False, unique=True),
    _refer("wafer_id", "wafers"),
    Column("description", PLAIN_JSON, nullable=False),
    _time("created_at"),
)

twin_arrays = Table(
    "twin_arrays",
    metadata,
    _refer("twin_id", "twins", primary_key=True),
    _refer("die_id", "dies", primary_key=True),
    Column("name", String(50), primary_key=True),
    _refer("value_array", "arrays"),
)

# What was learnt, and how it did.

training_runs = Table(
    "training_runs",
    metadata,
    _id(),
    Column("strategy", String(50), nullable=False),
    Column("dataset", String(50), nullable=False),
    Column("recipe", PLAIN_JSON, nullable=False),
    Column("seed", BigInteger, nullable=False),
    _refer("die_id", "dies", nullable=True),
    Column("software_accuracy", NanAsNull),
    Column("versions", PLAIN_JSON, nullable=False),
    _time("created_at"),
)

training_arrays = Table(
    "training_arrays",
    metadata,
    _refer("training_run_id", "training_runs", primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("position", Integer, nullable=False),
    _refer("value_array", "arrays"),
)

training_checkpoints = Table(
    "training_checkpoints",
    metadata,
    _refer("run_id", "runs", primary_key=True),
    Column("name", String(200), primary_key=True),
    _refer("value_array", "arrays"),
)

evaluations = Table(
    "evaluations",
    metadata,
    _id(),
    _refer("training_run_id", "training_runs", index=True),
    _refer("die_id", "dies", nullable=True),
    _refer("programming_run_id", "runs", nullable=True),
    Column("dataset", String(50), nullable=False),
    Column("images", Integer, nullable=False),
    Column("correct", Integer, nullable=False),
    Column("where", String(20), nullable=False),
    Column("calibration", PLAIN_JSON, nullable=False),
    _time("created_at"),
)

sweep_points = Table(
    "sweep_points",
    metadata,
    _id(),
    Column("sweep", String(200), nullable=False),
    Column("digest", String(64), nullable=False),  # of point and versions: JSON is not unique
    Column("point", PLAIN_JSON, nullable=False),
    Column("versions", PLAIN_JSON, nullable=False),
    Column("outcome", PLAIN_JSON, nullable=False),
    Column("seconds", Double, nullable=False),
    _time("created_at"),
    UniqueConstraint("sweep", "digest"),
)
