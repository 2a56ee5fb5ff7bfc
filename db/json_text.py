"""How parameters, recipes and thresholds become JSON."""

import dataclasses
import enum
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np


def dumps(value: object) -> str:
    """JSON that any database accepts, floats exact.

    Dataclasses and mappings become objects, enums their values, NumPy scalars and arrays plain
    numbers. Raises TypeError for anything else, ValueError for NaN and infinity, which JSON lacks.
    """
    return json.dumps(value, default=_plain, allow_nan=False)


def canonical(value: object) -> str:
    """The same value, the same text, whatever the order of its keys. Raises as `dumps` does."""
    return json.dumps(json.loads(dumps(value)), sort_keys=True)


def _plain(value: Any) -> object:
    """One step towards JSON; `json` calls it again for what is inside."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{value!r} of type {type(value).__name__} cannot be stored as JSON")
