"""Which cells of a die are good: from two readings a cell to a defect map. Free of torch.

One reading a cell, as after programming a pattern, is sorted in `single_reading`.
"""

import numpy as np
from numpy.typing import NDArray

from analysis.line_defects import find_lines
from crossbar.defect_map import CellClass, DefectMap, DefectThresholds
from crossbar.errors import DataError

THRESHOLDS = {"mtj": DefectThresholds(), "hfox": DefectThresholds(far_out=0.0)}
"""By technology."""
Conductances = NDArray[np.float64]
"""(subarrays, rows, columns) Siemens."""


def classify(
    low: Conductances,
    high: Conductances,
    thresholds: DefectThresholds | None = None,
    in_compliance: NDArray[np.bool_] | None = None,
) -> DefectMap:
    """Sort the cells of a die by their conductance after writing LOW and after writing HIGH.

    ``low`` and ``high`` are (subarrays, rows, columns) Siemens; ``in_compliance``, of the same
    shape, is True where the meter's current limit clamped a reading: such a cell conducts more
    than could be measured, and counts as SHORT. The rules are those of `DefectThresholds`, relative
    to the medians of the healthy cells; those and the classes depend on each other, so both are
    worked out in turns until the classes stay. Only ratios matter: another scale of conductance
    gives the same classes. As long as most cells are healthy, defects do not shift the medians.

    A cell beyond the short or far-out limit in one state only switches, but its values lie far
    out: WEAK. A cell whose window is inverted does not follow its writes: STUCK. Ours, after the
    classes that the data of doi 10.1038/s41467-025-56319-6 are published with.

    Raises DataError for missing cells, for shapes that differ, and for a die without a window
    (never written, not touched, or dead), of which no cell could be judged by the others.
    """
    thresholds = thresholds or DefectThresholds()
    clamped = np.zeros(low.shape, dtype=bool) if in_compliance is None else in_compliance
    check_readings(low, high, clamped)
    plausible = ~clamped
    for _ in range(20):  # two or three turns in practice; the bound ends a flicker of two states
        median_low, median_high = healthy_medians(low, high, plausible)
        classes = sort_cells(low, high, clamped, thresholds, median_low, median_high)
        healthy = classes == CellClass.HEALTHY
        if np.array_equal(healthy, plausible):
            break
        plausible = healthy
    return DefectMap(
        classes=classes,
        low=low,
        high=high,
        median_low=median_low,
        median_high=median_high,
        lines=find_lines(classes, thresholds.line),
        thresholds=thresholds,
    )


def check_readings(low: Conductances, high: Conductances, clamped: NDArray[np.bool_]) -> None:
    """Raise DataError unless every cell of one die has both readings."""
    if low.ndim != 3 or low.shape != high.shape or low.shape != clamped.shape:
        raise DataError(
            f"Readings of shape {low.shape} after LOW, {high.shape} after HIGH and "
            f"{clamped.shape} in compliance do not make one die: all three must be "
            "(subarrays, rows, columns)."
        )
    missing = ~(np.isfinite(low) & np.isfinite(high))
    if missing.any():
        subarray, row, column = (int(index) for index in np.argwhere(missing)[0])
        raise DataError(
            f"{np.count_nonzero(missing)} of {missing.size} cells lack a reading, the first is "
            f"{subarray}:{row}:{column}. Finish the array map before classifying the die."
        )


def healthy_medians(
    low: Conductances, high: Conductances, plausible: NDArray[np.bool_]
) -> tuple[float, float]:
    """Median conductance of the plausible cells after LOW and after HIGH, in Siemens.

    Raises DataError if they leave no window to judge cells by.
    """
    if not plausible.any():
        raise DataError(
            f"None of {plausible.size} cells looks healthy: the die cannot be judged by itself. "
            "Check contact, read range and write pulses, or leave the die out."
        )
    median_low, median_high = float(np.median(low[plausible])), float(np.median(high[plausible]))
    if not median_low > median_high > 0:
        raise DataError(
            f"The die shows no window: the median cell conducts {median_low:.4g} S after writing "
            f"LOW and {median_high:.4g} S after writing HIGH, which must be less and positive. "
            "Check contact and the polarity and strength of the writes, or leave the die out."
        )
    return median_low, median_high


def sort_cells(
    low: Conductances,
    high: Conductances,
    clamped: NDArray[np.bool_],
    thresholds: DefectThresholds,
    median_low: float,
    median_high: float,
) -> NDArray[np.int8]:
    """Class of every cell, given the medians; the first rule that holds decides."""
    above, below = thresholds.short * median_low, thresholds.open * median_high
    window, median_window = low - high, median_low - median_high
    stuck = window < thresholds.stuck * median_window
    upper = low + high > median_low + median_high
    too_low = np.minimum(low, high) < thresholds.far_out * median_high
    far_out = (np.maximum(low, high) > above) | too_low
    rules = {
        CellClass.SHORT: (np.minimum(low, high) > above) | clamped,
        CellClass.OPEN: np.maximum(low, high) < below,
        CellClass.STUCK_LOW: stuck & upper,
        CellClass.STUCK_HIGH: stuck & ~upper,
        CellClass.WEAK: (window < thresholds.weak * median_window) | far_out,
    }
    return np.select(list(rules.values()), list(rules), CellClass.HEALTHY).astype(np.int8)
