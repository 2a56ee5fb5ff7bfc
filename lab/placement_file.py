"""A file that says which weight sits in which cell, for other tools (docs/in-the-loop.md).

CSV, one line a cell with a header line, or JSON, the same columns in rows beside what they mean.
"""

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from crossbar.errors import ConfigurationError
from crossbar.units import Siemens
from training.tiling import States, Tiling

FORMAT = "crossbar-lab placement, 1"
COLUMNS = ("layer", "weight", "part", "x", "y", "subarray", "row", "column", "state")
"""Of every cell: the layer's name, flat index of the weight in the layer's shape, "+" or "-" for
what its LOW counts (always "+" single-ended), the die, the place on it, "low" or "high"."""
LEVEL_COLUMNS = ("level", "conductance")
"""Where cells have levels: which one, from 0 the lowest, and its siemens."""


@dataclass(frozen=True, kw_only=True)
class PlacedWeights:
    """What is to be programmed."""

    tiling: Tiling
    states: States
    technology: str
    levels: tuple[Siemens, ...] = ()
    """Those that the bench programs, rising: LOW is the last one, HIGH the first. Empty where cells
    have two states and no levels."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Of the file."""
        return COLUMNS + (LEVEL_COLUMNS if self.levels else ())


def write_placement(path: Path, placed: PlacedWeights) -> int:
    """Write the file, whole or not at all, and return how many cells it names.

    Raises ConfigurationError for a name that ends in neither .csv nor .json, or cannot be written.
    """
    writers = {".csv": _write_csv, ".json": _write_json}
    if path.suffix not in writers:
        raise ConfigurationError(f"{path} ends in neither .csv nor .json: the name says which.")
    part = path.with_name(path.name + ".part")
    try:
        cells = writers[path.suffix](part, placed)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ConfigurationError(f"{path} cannot be written: {error}.") from None
    return cells


def rows_of(placed: PlacedWeights) -> Iterator[Sequence[object]]:
    """One a cell, weights in the order of their flat index, their parts side by side."""
    tiling = placed.tiling
    subarrays, rows, columns = tiling.geometry.shape
    for layer in tiling.layers:
        for weight, (die, cells) in enumerate(zip(layer.die.tolist(), layer.cells, strict=True)):
            address = tiling.dies[die]
            for part, cell in zip("+-", cells.tolist(), strict=False):
                place = np.unravel_index(cell, (subarrays, rows, columns))
                low = bool(placed.states[address][cell])
                where = (address.x, address.y, *(int(each) for each in place))
                state = ("low" if low else "high", *_level(placed.levels, low))
                yield (layer.name, weight, part, *where, *state)


def _level(levels: tuple[Siemens, ...], low: bool) -> tuple[object, ...]:
    if not levels:
        return ()
    number = len(levels) - 1 if low else 0
    return number, levels[number]


def _write_csv(path: Path, placed: PlacedWeights) -> int:
    cells = 0
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(placed.columns)
        for row in rows_of(placed):
            writer.writerow(row)
            cells += 1
    return cells


def _write_json(path: Path, placed: PlacedWeights) -> int:
    rows = list(rows_of(placed))
    geometry = placed.tiling.geometry
    document = {
        "format": FORMAT,
        "technology": placed.technology,
        "encoding": placed.tiling.encoding.value,
        "subarrays": geometry.subarrays,
        "rows": geometry.rows,
        "columns": geometry.columns,
        "layers": [{"name": layer.name, "shape": layer.shape} for layer in placed.tiling.layers],
        "cell_columns": placed.columns,
        "cells": rows,
    }
    path.write_text(json.dumps(document), encoding="utf-8")
    return len(rows)
