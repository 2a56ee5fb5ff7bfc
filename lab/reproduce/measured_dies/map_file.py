"""Measured dies in a file, so that points of a sweep need no database."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from analysis.line_defects import find_lines
from crossbar.defect_map import DefectMap, DefectThresholds
from crossbar.errors import DataError


@dataclass(frozen=True, kw_only=True)
class MapFile:
    """Where the maps are, and which."""

    path: str
    """Workers on other machines need it under the same path."""
    checksum: str
    """SHA-256 of what was measured, as hexadecimal digits: part of a sweep's points, which the path
    is not, so that they stay known when the database moves."""


def save_maps(folder: Path, maps: Sequence[DefectMap]) -> MapFile:
    """Write the maps of dies of one geometry into a file named for what is in it."""
    arrays: dict[str, Any] = {
        "classes": np.stack([found.classes for found in maps]),
        "low": np.stack([found.low for found in maps]),
        "high": np.stack([found.high for found in maps]),
        "medians": np.array([(found.median_low, found.median_high) for found in maps]),
        "thresholds": np.array([tuple(asdict(found.thresholds).values()) for found in maps]),
    }
    digest = hashlib.sha256()
    for array in arrays.values():
        digest.update(np.ascontiguousarray(array).tobytes())
    checksum = digest.hexdigest()
    path = (folder / f"measured-dies-{checksum[:12]}.npz").resolve()
    if not path.exists():
        np.savez_compressed(path, checksum=np.array(checksum), **arrays)
    return MapFile(path=str(path), checksum=checksum)


@lru_cache(maxsize=1)
def load_maps(path: str, checksum: str) -> tuple[DefectMap, ...]:
    """The maps of the file. Raises DataError if it is missing or holds others."""
    try:
        with np.load(path) as file:
            found = str(file["checksum"])
            arrays = {name: file[name] for name in file.files if name != "checksum"}
    except (OSError, KeyError, ValueError) as error:
        raise DataError(
            f"{path} cannot be read ({error}); it holds the dies as measured. Workers on other "
            "machines need the folder of the database under the same path."
        ) from None
    if found != checksum:
        raise DataError(f"{path} holds other dies than this point is about. Use --fresh.")
    names = list(asdict(DefectThresholds()))
    maps = []
    for die, classes in enumerate(arrays["classes"]):
        limits = (float(value) for value in arrays["thresholds"][die])
        thresholds = DefectThresholds(**dict(zip(names, limits, strict=True)))
        maps.append(
            DefectMap(
                classes=classes,
                low=arrays["low"][die],
                high=arrays["high"][die],
                median_low=float(arrays["medians"][die, 0]),
                median_high=float(arrays["medians"][die, 1]),
                lines=find_lines(classes, thresholds.line),
                thresholds=thresholds,
            )
        )
    return tuple(maps)
