"""Shorts and opens in a map with one reading a cell, and how well a map predicts another.

A die that holds a pattern gives one conductance a cell, from which stuck and weak cells cannot be
told; shorts and opens can. Free of torch.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossbar.defect_map import CellClass
from crossbar.errors import DataError
from crossbar.units import Ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleReadingLimits:
    """Where shorts and opens begin, relative to the map's median conductance.

    The defaults lie in the gaps of the eight measured maps of doi 10.1038/s41467-025-56319-6
    (three programmings each; median 137 uS, programmed ON level 238 uS): no reading of 15,000 is
    between 24 and 54 uS, none between 306 and 399 uS. An open column there reads -13 to 24 uS: the
    authors' own limit of 10 uS finds such a cell in one programming and loses it in the next.
    """

    short: Ratio = 2.5
    """A short conducts more than this times the median (344 uS there)."""
    open: Ratio = 0.25
    """An open cell conducts less than this times the median (34 uS there)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """How well the cells found in one map foretell those of another."""

    precision: Ratio
    """Fraction of the cells found that are there in the other; NaN where none was found."""
    recall: Ratio
    """Fraction of the other's cells that were found; NaN where it has none."""


def classify_single(
    conductance: NDArray[np.float64], limits: SingleReadingLimits | None = None
) -> NDArray[np.int8]:
    """Class of every cell, SHORT, OPEN or HEALTHY, from one reading each.

    ``conductance`` is in Siemens, of any shape; the classes have the same. The map must be mostly
    of healthy cells in one state, or the two states less than a factor of about two apart: its
    median is what cells are held against. Raises DataError for missing cells and for a median that
    is not positive.
    """
    limits = limits or SingleReadingLimits()
    missing = np.count_nonzero(~np.isfinite(conductance))
    if missing or conductance.size == 0:
        raise DataError(
            f"{missing} of {conductance.size} cells lack a reading. Every cell of the map must "
            "have one."
        )
    median = float(np.median(conductance))
    if not median > 0:
        raise DataError(
            f"The map's median conductance is {median:.4g} S; it must be positive for cells to be "
            "held against it. Check contact and read range."
        )
    classes = np.full(conductance.shape, CellClass.HEALTHY, dtype=np.int8)
    classes[conductance > limits.short * median] = CellClass.SHORT
    classes[conductance < limits.open * median] = CellClass.OPEN
    return classes


def prediction(found: NDArray[np.bool_], other: NDArray[np.bool_]) -> Prediction:
    """Precision and recall of the cells ``found`` in one map for those in the ``other``.

    Both are True where a cell has the defect in question, of the same shape.
    """
    both = np.count_nonzero(found & other)
    expected, present = np.count_nonzero(found), np.count_nonzero(other)
    return Prediction(
        precision=both / expected if expected else float("nan"),
        recall=both / present if present else float("nan"),
    )
