"""What `options` of an instrument in bench.toml may be: keyword arguments of its driver."""

import inspect
from typing import Any

from pydantic import TypeAdapter, ValidationError

from crossbar.errors import ConfigurationError
from lab.configuration import InstrumentTable

OWN = frozenset({"die_frame"})
"""Keyword arguments that other tables of bench.toml give."""


def driver_options(driver_type: Any, role: str, table: InstrumentTable) -> dict[str, Any]:
    """The options, checked against the driver's constructor.

    Raises ConfigurationError for an option that the driver does not have and for a value of
    another type than it takes.
    """
    known = {
        name: parameter.annotation
        for name, parameter in inspect.signature(driver_type, eval_str=True).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY and name not in OWN
    }
    for name, value in table.options.items():
        if name not in known:
            raise ConfigurationError(
                f"[instruments.{role}] options has {name!r}, but the driver {table.driver} has "
                f"{', '.join(known) or 'no options'}. Remove it from bench.toml."
            )
        try:
            TypeAdapter(known[name]).validate_python(value, strict=True)
        except ValidationError as error:
            raise ConfigurationError(
                f"[instruments.{role}] options: {name} = {value!r} is refused by the driver "
                f"{table.driver} ({error.errors()[0]['msg']}). Correct it in bench.toml."
            ) from None
    return dict(table.options)


def emulator_options(emulator_type: Any, table: InstrumentTable) -> dict[str, Any]:
    """Those of the options that say how the instrument is wired, which its emulator must know."""
    known = inspect.signature(emulator_type).parameters
    return {name: value for name, value in table.options.items() if name in known}
