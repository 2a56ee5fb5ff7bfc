"""Alembic's migrations, run by `db.migrate`; shipped with the package, without an alembic.ini."""
