"""How well a crossbar multiplies: gain, offset, correlation and residual of its dot products."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import linregress

from crossbar.errors import DataError
from crossbar.records import DotProductBlock
from crossbar.units import Amperes, Ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class DotProductQuality:
    """A straight line through measured over expected currents."""

    gain: Ratio
    """Measured over expected: 1 for an ideal crossbar, less where wires take their share."""
    gain_error: Ratio
    """Standard error of the gain."""
    offset: Amperes
    correlation: Ratio
    """Pearson's."""
    residual: Ratio
    """Standard deviation around the line, over the largest expected current."""
    points: int


def dot_product_quality(block: DotProductBlock, saturated: Amperes = np.inf) -> DotProductQuality:
    """Of all columns together. Currents at or above ``saturated`` are left out.

    Raises DataError for fewer than three points, or expected currents that are all the same.
    """
    expected = (block.row_voltages @ block.conductance).ravel()
    measured = block.current.ravel()
    used = np.isfinite(measured) & (np.abs(measured) < saturated)
    expected, measured = expected[used], measured[used]
    if len(expected) < 3 or np.ptp(expected) == 0:
        raise DataError(
            f"Sub-array {block.subarray}: {len(expected)} usable dot products do not make a "
            "straight line; measure more vectors: --set vectors=100."
        )
    line = linregress(expected, measured)
    rest = measured - line.intercept - line.slope * expected
    return DotProductQuality(
        gain=float(line.slope),
        gain_error=float(line.stderr),
        offset=float(line.intercept),
        correlation=float(line.rvalue),
        residual=float(np.std(rest) / np.max(np.abs(expected))),
        points=len(expected),
    )
