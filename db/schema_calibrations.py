"""Which solutions were fitted to a programmed die: a table of `db.schema`."""

from sqlalchemy import Table

from db.schema_columns import metadata, refer

calibrations = Table(
    "calibrations",
    metadata,
    refer("training_run_id", "training_runs", primary_key=True),
    refer("run_id", "runs", index=True),
)
"""A solution whose gains and offsets suit its die as that run programmed it."""
