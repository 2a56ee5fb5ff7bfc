import shutil
import sqlite3

import numpy as np
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Integer, MetaData, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from crossbar.errors import StorageError
from crossbar.geometry import DieAddress, DieGeometry
from crossbar.records import ProgrammedBlock
from db import arrays, migrate, schema
from db.column_types import UtcTime
from db.engine import open_engine
from db.migrations.__main__ import write_migration
from db.store import Store


def differences(store: Store, metadata: MetaData = schema.metadata) -> list[object]:
    with store.transaction(writing=False) as connection:
        return compare_metadata(MigrationContext.configure(connection), metadata)


def test_migrations_build_what_the_schema_says(store: Store):
    """An empty database, migrated, has the very tables, columns and constraints of the schema."""
    assert differences(store) == []


def test_the_comparison_sees_a_difference(store: Store):
    """The test above would notice a table that no migration builds."""
    changed = MetaData()
    Table("forgotten", changed, Column("id", Integer, primary_key=True))

    assert any(kind == "add_table" for kind, *_ in differences(store, changed))


def test_the_last_migration_is_the_version_of_the_schema():
    """The number by which opening decides that there is nothing to migrate is the last one."""
    scripts = ScriptDirectory.from_config(migrate.configuration())

    assert scripts.get_current_head() == schema.VERSION


def test_a_newer_database_is_refused(store: Store):
    """A database that a newer program has migrated is left alone; the remedy is an update."""
    store.close()
    newer = sqlite3.connect(store.name)
    with newer:
        newer.execute("UPDATE alembic_version SET version_num = '9999'")
    newer.close()

    with pytest.raises(StorageError, match=r"schema 9999, newer .* Update the program"):
        Store.open(store.name)


def test_an_interrupted_migration_leaves_nothing_half_done(tmp_path):
    """A migration is one transaction: if it breaks off, the next opening starts afresh."""
    path = tmp_path / "lab.db"
    unfinished = Store(open_engine(path, create=True, busy_timeout=1.0))
    try:
        with unfinished.transaction(writing=True) as connection:
            migrate.upgrade(connection)
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        unfinished.close()

    with Store.open(path) as store:
        assert differences(store) == []


def test_blocks_from_before_windows_are_read(tmp_path):
    """What schema 0004 holds of programmed cells has no windows: the threshold says them."""
    path, die = tmp_path / "lab.db", DieAddress(0, 0)
    older = Store(open_engine(path, create=True, busy_timeout=1.0))
    with older.transaction(writing=True) as connection:
        config = migrate.configuration()
        config.attributes["connection"] = connection
        command.upgrade(config, "0004")
    wafer = older.wafer("W1", DieGeometry(), "mtj")
    run = older.begin_run(wafer, "program-and-verify", {}, 0, {}, "", [die])
    with older.transaction(writing=True) as connection:
        table = Table("programmed_blocks", MetaData(), autoload_with=connection)
        stored = {
            "cells": np.array([7, 8]),
            "target_low": np.array([True, False]),
            "conductance": np.array([2e-4, 1e-4]),
            "verified": np.array([True, True]),
            "pulses": np.array([0, 1]),
        }
        ids = {f"{name}_array": arrays.save(connection, stored[name]) for name in stored}
        row = {"run_id": run, "die_id": 1, "first_cell": 7, "threshold": 1.4e-4}
        connection.execute(table.insert(), row | ids)
    older.close()

    with Store.open(path) as store:
        (block,) = store.records(run, die, ProgrammedBlock)

    assert block.level is None
    assert block.window[0].tolist() == [1.4e-4, -np.inf]
    assert block.window[1].tolist() == [np.inf, 1.4e-4]
    assert block.conductance.tolist() == [2e-4, 1e-4]


@pytest.mark.parametrize("table", schema.metadata.sorted_tables, ids=lambda table: table.name)
def test_postgresql_can_hold_every_table(table):
    """Each table compiles for PostgreSQL, with names that it does not cut off."""
    text = str(CreateTable(table).compile(dialect=postgresql.dialect()))

    assert "CREATE TABLE" in text
    assert all(len(str(part.name)) <= 63 for part in table.constraints)


def test_the_next_migration_writes_itself(tmp_path, monkeypatch):
    """A column added to the schema ends up in a new, numbered migration, in plain types."""
    folder = tmp_path / "migrations"
    shutil.copytree(migrate.MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    changed = MetaData(naming_convention=schema.metadata.naming_convention)
    for table in schema.metadata.sorted_tables:
        table.to_metadata(changed)
    changed.tables["wafers"].append_column(Column("diced_at", UtcTime))
    monkeypatch.setattr(schema, "metadata", changed)

    written = write_migration("remember when a wafer was diced", folder)

    assert written.name == f"{int(schema.VERSION) + 1:04d}_remember_when_a_wafer_was_diced.py"
    text = written.read_text()
    assert "sa.Column('diced_at', sa.DateTime(timezone=True), nullable=True)" in text
    assert f"down_revision = {schema.VERSION!r}" in text
