"""Bringing a database to the present schema. Alembic is imported only when there is work to do."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from crossbar.errors import StorageError
from db import schema

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"


def version(connection: Connection) -> str | None:
    """The migration that the database is at; None for an empty database.

    Raises StorageError if it holds tables that are not ours.
    """
    tables = inspect(connection).get_table_names()
    if "alembic_version" in tables:
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return None if found is None else str(found)
    if tables:
        raise StorageError(
            "This database belongs to another program: it holds the table "
            f"{tables[0]!r}, but no schema version. Name another file."
        )
    return None


def configuration(folder: Path = MIGRATIONS) -> "Config":
    """Alembic's configuration for the migrations in ``folder``."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    return config


def upgrade(connection: Connection) -> None:
    """Run the missing migrations, all in the connection's transaction.

    Raises StorageError for a database that a newer program has written.
    """
    from alembic import command
    from alembic.script import ScriptDirectory

    config = configuration()
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    found = version(connection)
    if found is not None and found not in known:
        raise StorageError(
            f"This database has schema {found}, newer than this program's {schema.VERSION}. "
            "Update the program, or name another database."
        )
    command.upgrade(config, "head")
