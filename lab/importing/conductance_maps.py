"""Other people's measurements: conductance maps of real chips, read from folders of text files.

Format of `conductance-map`: a folder with ``programming-<n>/kernel-<name>.txt``, each a
whitespace-separated matrix of conductances in siemens (rows = word lines, columns = bit lines), one
file a kernel, every kernel of the same shape, programmed independently in each programming.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.single_reading import Prediction, classify_single, prediction
from crossbar.defect_map import CellClass
from crossbar.errors import DataError
from crossbar.units import Volts
from db.rows import ConductanceMap
from lab.configuration import BenchConfiguration, SimulationTable
from physics.product_front_end import ProductFrontEnd

OHMIC: Volts = 10.0
"""Where the TMR of cells that show no bias dependence up to their read voltage has fallen to half:
the imported chips are of ReRAM."""
FILE = re.compile(r"kernel-(\w+)\.txt")
FOLDER = re.compile(r"programming-(\d+)")


def read_conductance_maps(folder: Path, source: str) -> list[ConductanceMap]:
    """Read every map of a folder; ``source`` is the name that the database will know them by.

    Raises DataError if there is none, a file is not a matrix of numbers, or shapes differ.
    """
    maps = []
    for path in sorted(folder.glob("programming-*/kernel-*.txt")):
        programming, kernel = FOLDER.fullmatch(path.parent.name), FILE.fullmatch(path.name)
        if programming and kernel:
            maps.append(
                ConductanceMap(
                    source=source,
                    kernel=kernel[1],
                    programming=int(programming[1]),
                    conductance=_read_matrix(path),
                )
            )
    if not maps:
        raise DataError(
            f"{folder} holds no conductance maps; expected files like "
            "programming-1/kernel-00.txt, each a matrix in siemens."
        )
    shape = maps[0].conductance.shape
    for found in maps:
        if found.conductance.shape != shape:
            raise DataError(
                f"{folder}: kernel {found.kernel} has the shape {found.conductance.shape}, but "
                f"kernel {maps[0].kernel} has {shape}; all kernels must have one shape."
            )
    return maps


def stack_by_kernel(maps: Sequence[ConductanceMap]) -> dict[str, NDArray[np.float64]]:
    """(programmings, rows, columns) siemens by kernel name."""
    kernels = sorted({found.kernel for found in maps})
    return {
        kernel: np.stack(
            [
                found.conductance
                for found in sorted(maps, key=lambda found: found.programming)
                if found.kernel == kernel
            ]
        )
        for kernel in kernels
    }


def _read_matrix(path: Path) -> NDArray[np.float64]:
    try:
        matrix = np.loadtxt(path, ndmin=2)
    except (OSError, ValueError) as error:
        raise DataError(f"{path} is not a matrix of numbers: {error}") from None
    if not np.isfinite(matrix).all():
        raise DataError(f"{path} holds values that are not finite; measure that kernel again.")
    if not 1e-7 < float(np.median(matrix)) < 1.0:
        raise DataError(
            f"{path}: a median of {float(np.median(matrix)):.3g} is no conductance in siemens of a "
            "memory cell (expected 1e-7 to 1). Is the file in another unit?"
        )
    return matrix


@dataclass(frozen=True, kw_only=True)
class Reproducibility:
    """How well the defects found in one programming foretell those of the others."""

    name: str
    found: float
    """Defects of this class found in one programming, mean over programmings."""
    share: float
    """Fraction of all cells."""
    precision: float
    recall: float


def reproducibility(maps: Sequence[ConductanceMap]) -> list[Reproducibility]:
    """Compare every programming with every other, all kernels together; a row a defect class."""
    stacks = stack_by_kernel(maps)
    classes = np.stack([classify_single(stack) for stack in stacks.values()], axis=1)
    programmings = range(len(classes))
    rows = []
    for kind in (CellClass.SHORT, CellClass.OPEN):
        pairs = [
            prediction(classes[one] == kind, classes[other] == kind)
            for one in programmings
            for other in programmings
            if one != other
        ]
        per_map = float(np.mean([np.count_nonzero(found == kind) for found in classes]))
        rows.append(
            Reproducibility(
                name=kind.name.lower(),
                found=per_map,
                share=per_map / classes[0].size,
                precision=float(np.mean([pair.precision for pair in pairs or [_UNKNOWN]])),
                recall=float(np.mean([pair.recall for pair in pairs or [_UNKNOWN]])),
            )
        )
    return rows


_UNKNOWN = Prediction(precision=float("nan"), recall=float("nan"))
"""With a single programming there is nothing to compare with."""


def kernel_named(maps: Sequence[ConductanceMap], kernel: str) -> ConductanceMap:
    """The first map of a kernel. Raises DataError naming those that exist."""
    for found in maps:
        if found.kernel == kernel:
            return found
    known = ", ".join(sorted({found.kernel for found in maps}))
    raise DataError(f"There is no kernel {kernel!r}; {maps[0].source} has {known}.")


def twin_configuration(
    configuration: BenchConfiguration,
    kernels: str,
    seed: int,
    *,
    only: ConductanceMap | None = None,
    front_end: ProductFrontEnd | None = None,
) -> BenchConfiguration:
    """The same bench with simulated dies that are made of imported kernels.

    With ``only`` there is one die, of that kernel, whose columns are the die's rows.
    """
    simulation = configuration.simulation or SimulationTable()
    wafer: dict[str, Any] = {"name": f"twin-of-{kernels}"}
    changed: dict[str, Any] = {"kernels": kernels, "seed": seed, "twin": None, "kernel": None}
    changed["front_end"] = front_end or simulation.front_end
    if only is not None:
        rows, columns = only.conductance.shape
        wafer |= {"dies": ((0, 0),), "subarrays": 1, "word_lines": columns, "bit_lines": rows}
        wafer["name"] += f"-{only.kernel}"
        changed["kernel"] = only.kernel
        changed["mtj"] = replace(simulation.mtj, v_half=OHMIC)
    return configuration.model_copy(
        update={
            "wafer": configuration.wafer.model_copy(update=wafer),
            "simulation": simulation.model_copy(update=changed),
        }
    )
