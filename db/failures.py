"""What a database complains about, in one message that says what to do."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from crossbar.errors import StorageError

REMEDIES = (
    ("disk is full", "The disk is full: free some space and resume."),
    ("disk i/o error", "The disk cannot be written or read: is it full, over quota, unplugged?"),
    ("readonly", "It may not be written: give yourself permission for the file and its folder."),
    ("locked", "Another program holds it: close that one, or wait until it is done."),
    ("not a database", "This file is no database: name another one."),
    ("malformed", "The file is damaged: restore it from a backup."),
    (
        "unable to open",
        "Give yourself permission for the file and its folder.",
    ),
    ("unique", "It is stored already, and nothing is stored twice."),
    ("duplicate key", "It is stored already, and nothing is stored twice."),
    ("foreign key", "It refers to something that this database does not hold."),
)
"""What the database's own words contain, and what that means for people. SQLite's words first."""


@contextmanager
def translated(database: str, failure: str) -> Iterator[None]:
    """Turn the errors of SQL into a StorageError.

    ``failure`` says what did not happen ("The defect map of die (3, 4) was not stored"),
    ``database`` where.
    """
    try:
        yield
    except DBAPIError as error:
        raise StorageError(f"{failure} ({database}). {explanation(error)}") from error
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        raise StorageError(f"{failure} ({database}): {cause}") from error
    except OverflowError as error:
        raise StorageError(
            f"{failure} ({database}). It holds an integer beyond 64 bits: use a smaller one."
        ) from error


def explanation(error: DBAPIError) -> str:
    """What to do about an error, with the database's own words."""
    own_words = " ".join(str(error.orig).split())
    for part, remedy in REMEDIES:
        if part in own_words.lower():
            return f"{remedy} [{own_words}]"
    kind = "refused it" if isinstance(error, IntegrityError) else "reports an error"
    return f"The database {kind}. [{own_words}]"
