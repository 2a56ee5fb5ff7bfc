"""Classes of cells, and the map of a die that classification makes of two readings a cell."""

import enum
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossbar.units import Ratio, Siemens


class CellClass(enum.IntEnum):
    """What a cell is good for. The number is what arrays and the database hold."""

    HEALTHY = 0
    SHORT = 1
    """Conducts far more than any healthy cell, whatever was written."""
    OPEN = 2
    """Does not conduct."""
    STUCK_LOW = 3
    """Stays in the low-resistance state."""
    STUCK_HIGH = 4
    """Stays in the high-resistance state."""
    WEAK = 5
    """Switches, but its window is small or its values lie far out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DefectThresholds:
    """Where one class ends and the next begins, relative to the die's own medians."""

    short: Ratio = 1.6
    """A short conducts more than this times the median LOW conductance, in both states."""
    open: Ratio = 0.25
    """An open cell conducts less than this times the median HIGH conductance, in both states."""
    stuck: Ratio = 0.2
    """A stuck cell's window is less than this times the median window."""
    weak: Ratio = 0.5
    """A weak cell's window is less than this times the median window."""
    far_out: Ratio = 0.25
    """A cell that conducts less than this times the median HIGH conductance in one of its states
    is weak; 0 where HIGH spreads over decades anyway."""
    line: Ratio = 0.3
    """A line is defective if more than this fraction of its cells is short, or is open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineDefect:
    """A row or column most of whose cells fail in the same way."""

    subarray: int
    axis: str
    """"row" or "column"."""
    index: int
    cell_class: CellClass
    cells: int
    """How many of its cells are of that class."""


@dataclass(frozen=True, kw_only=True)
class DefectMap:
    """A die as measured: every cell's two conductances and its class."""

    classes: NDArray[np.int8]
    """(subarrays, rows, columns) `CellClass` values."""
    low: NDArray[np.float64]
    """(subarrays, rows, columns) Siemens, as read after writing LOW."""
    high: NDArray[np.float64]
    """(subarrays, rows, columns) Siemens, as read after writing HIGH."""
    median_low: Siemens
    """Median of the healthy cells."""
    median_high: Siemens
    lines: tuple[LineDefect, ...]
    thresholds: DefectThresholds

    @property
    def decision_threshold(self) -> Siemens:
        """What a cell conducts at least to count as LOW: the geometric mean of both medians."""
        return math.sqrt(self.median_low * self.median_high)

    def fraction(self, cell_class: CellClass) -> Ratio:
        """Fraction of the die's cells that are of this class."""
        return float(np.mean(self.classes == cell_class))
