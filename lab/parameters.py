"""Protocol parameters: from bench.toml and the command line to a checked dataclass, and back."""

import dataclasses
import enum
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from crossbar.errors import ConfigurationError
from lab.configuration import explain, unknown_key

Parameters = TypeVar("Parameters")


def parse_assignments(assignments: Sequence[str]) -> dict[str, Any]:
    """Read ``--set name=value`` options; a value is TOML, or a bare quantity such as ``0.9 V``.

    Raises ConfigurationError for one without "=".
    """
    values: dict[str, Any] = {}
    for text in assignments:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise ConfigurationError(
                f"--set {text!r}: write name=value, for example --set sample=20 or "
                '--set \'amplitudes=["0.5 V", "0.6 V"]\'.'
            )
        try:
            values[name.strip().replace("-", "_")] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            values[name.strip().replace("-", "_")] = value.strip()
    return values


def build(kind: type[Parameters], *sources: tuple[str, Mapping[str, Any]]) -> Parameters:
    """Make the parameters of one protocol; later sources win. Each source says its name.

    Raises ConfigurationError naming the source, the key and what is allowed.
    """
    known = sorted(field.name for field in dataclasses.fields(kind))  # type: ignore[arg-type]
    merged: dict[str, Any] = {}
    origin: dict[str, str] = {}
    for source, values in sources:
        for name, value in values.items():
            if name not in known:
                raise ConfigurationError(f"{source} {name}: {unknown_key(name, known)}")
            merged[name] = value
            origin[name] = source
    try:
        return TypeAdapter(kind).validate_python(merged)
    except ValidationError as error:
        first = str(error.errors()[0]["loc"][0]) if error.errors()[0]["loc"] else ""
        raise ConfigurationError(explain(error, origin.get(first, "the parameters"))) from None


def as_json(parameters: Any) -> dict[str, Any]:
    """The parameters as plain JSON values, for the database; `build` reads them back."""
    return {
        field.name: _plain(getattr(parameters, field.name))
        for field in dataclasses.fields(parameters)
    }


def _plain(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value
