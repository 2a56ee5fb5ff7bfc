"""Opening a database: one SQLite file by default, any SQLAlchemy URL as an option."""

from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from crossbar.errors import StorageError
from crossbar.units import Seconds
from db import json_text

WRITING = "writing"
"""Execution option of a connection whose transaction is going to write."""

PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # NORMAL would lose the last commits of a power cut under WAL
    "PRAGMA foreign_keys = ON",
)


def open_engine(url_or_path: str | Path, *, create: bool, busy_timeout: Seconds) -> Engine:
    """Make the engine; nothing is opened yet. Raises StorageError for a URL that means nothing, a
    folder that is missing or, unless ``create``, a file that is missing.
    """
    url = _url(url_or_path)
    if url.get_backend_name() != "sqlite":
        return _create(url)
    if url.database:
        _check_file(Path(url.database), create=create)
    engine = _create(url, connect_args={"timeout": busy_timeout})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def display_name(engine: Engine) -> str:
    """The database as people name it: the file, or the URL without its password."""
    if engine.dialect.name == "sqlite":
        return engine.url.database or "in memory"
    return engine.url.render_as_string(hide_password=True)


def _url(url_or_path: str | Path) -> URL:
    if "://" not in str(url_or_path):
        return URL.create("sqlite", database=str(url_or_path))
    try:
        return make_url(str(url_or_path))
    except ArgumentError:
        raise StorageError(
            f"{str(url_or_path)!r} is not a database URL; write a file's path, or a URL such as "
            "postgresql+psycopg://user@host/name."
        ) from None


def _create(url: URL, **options: Any) -> Engine:
    try:
        return create_engine(url, json_serializer=json_text.dumps, **options)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise StorageError(
            f"No driver for databases of kind {url.drivername!r} is installed ({error}); install "
            "it with pip, or use a SQLite file."
        ) from error


def _check_file(path: Path, *, create: bool) -> None:
    if path.is_dir():
        raise StorageError(f"{path} is a folder; name a database file in it, like {path}/lab.db.")
    if not path.parent.is_dir():
        raise StorageError(
            f"The database {path} cannot be opened: the folder {path.parent} does not exist. "
            "Create it, or name another one."
        )
    if not create and not path.exists():
        raise StorageError(
            f"There is no database {path}. Check the name; a measurement run creates it."
        )


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """Set up a new `sqlite3` connection: durable, referentially sound, transactions begun by us."""
    connection.isolation_level = None  # sqlite3 would commit behind our back before every CREATE
    try:
        for pragma in PRAGMAS:
            connection.execute(pragma)
    except BaseException:
        connection.close()
        raise


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes the lock at once: upgrading from a read could fail without any waiting.
    writing = connection.get_execution_options().get(WRITING, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
