"""Lists of parameters whose entries make a record each: no entry can come twice."""

from typing import Any

from crossbar.errors import ConfigurationError


def check_distinct(parameters: Any, *names: str) -> None:
    """Raise ConfigurationError where one of these lists has an entry twice. The second record would
    be refused by the database, after the pulses for it were given.
    """
    for name in names:
        entries = list(getattr(parameters, name))
        twice = next((entry for entry in entries if entries.count(entry) > 1), None)
        if twice is not None:
            said = getattr(twice, "value", twice)
            raise ConfigurationError(f"{name} has {said!r} twice; give every entry once.")
