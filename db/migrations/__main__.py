"""Write the migration to what `db.schema` now says: ``python -m db.migrations "what changes"``.

Alembic compares; read what it wrote, put the new number into `db.schema.VERSION`, run the tests.
"""

import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.script import ScriptDirectory

from db import engine, migrate


def write_migration(message: str, folder: Path = migrate.MIGRATIONS) -> Path:
    """Compare the tables with what the migrations in ``folder`` build; returns the new file."""
    config = migrate.configuration(folder)
    last = ScriptDirectory.from_config(config).get_current_head()
    with tempfile.TemporaryDirectory() as scratch:
        database = engine.open_engine(Path(scratch) / "empty.db", create=True, busy_timeout=5.0)
        with database.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            written = command.revision(
                config, message, autogenerate=True, rev_id=f"{int(last or 0) + 1:04d}"
            )
        database.dispose()
    return Path(written.path)  # type: ignore[union-attr]


if __name__ == "__main__":
    print(write_migration(sys.argv[1]))
