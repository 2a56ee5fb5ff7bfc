"""How well a crossbar multiplies: gain, offset, linearity and residual of its dot products.

Each column has a straight line of its own through measured over expected currents: wires take more
of a column that lies further away. Gain and offset are means over the columns; their errors count
the scatter around each column's line, not how the columns differ. Standard errors are those of
MacKinnon and White (HC3), which hold when the noise grows with the current.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossbar.errors import DataError
from crossbar.records import DotProductBlock
from crossbar.units import Amperes, Ratio

FloatArray = NDArray[np.float64]
FEWEST = 5
"""Vectors that make a line, a parabola and their errors."""
QUANTILE = 1.959964
"""Of the normal distribution: intervals are 95 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number with its standard error."""

    value: float
    error: float

    @property
    def interval(self) -> tuple[float, float]:
        """95 %."""
        half = QUANTILE * self.error
        return self.value - half, self.value + half


@dataclass(frozen=True, slots=True, kw_only=True)
class DotProductQuality:
    """Measured currents over those that the cells, read one by one, let expect."""

    gain: Estimate
    """Mean slope of the columns: 1 for an ideal crossbar, less where wires take their share."""
    column_gain: FloatArray
    """(columns,) Slope of each; NaN for a column with too few usable currents."""
    offset: Estimate
    """Amperes; mean over the columns."""
    nonlinearity: Estimate
    """By how much a column's best parabola leaves its best straight line at the ends and, with the
    other sign, in the middle, over its largest expected current; mean over the columns."""
    correlation: Ratio
    """Pearson's, of all currents together."""
    residual: Ratio
    """Standard deviation around one line for all columns, over the largest expected current."""
    points: int


def dot_product_quality(block: DotProductBlock, saturated: Amperes = np.inf) -> DotProductQuality:
    """Of a sub-array. Currents at or above ``saturated`` are left out.

    Raises DataError if no column has five currents, or expected currents are all the same.
    """
    expected, measured = block.row_voltages @ block.conductance, block.current
    used = np.isfinite(measured) & (np.abs(measured) < saturated)
    columns = [
        column
        for column in np.flatnonzero(used.sum(axis=0) >= FEWEST)
        if np.ptp(expected[used[:, column], column]) > 0
    ]
    if not columns:
        raise DataError(
            f"Sub-array {block.subarray}: no column has {FEWEST} usable dot products, which make a "
            "straight line; measure more vectors: --set vectors=100."
        )
    pairs = [(expected[used[:, c], c], measured[used[:, c], c]) for c in columns]
    lines = [_polynomial(x, y, 1) for x, y in pairs]
    column_gain = np.full(expected.shape[1], np.nan)
    column_gain[columns] = [line[1].value for line in lines]
    x, y = (np.concatenate(values) for values in zip(*pairs, strict=True))
    rest = y - np.polyval(np.polyfit(x, y, 1), x)
    return DotProductQuality(
        gain=_mean([line[1] for line in lines]),
        column_gain=column_gain,
        offset=_mean([line[0] for line in lines]),
        nonlinearity=_mean([_bend(x, y) for x, y in pairs]),
        correlation=float(np.corrcoef(x, y)[0, 1]),
        residual=float(np.std(rest) / np.max(np.abs(x))),
        points=len(x),
    )


def _polynomial(x: FloatArray, y: FloatArray, degree: int) -> list[Estimate]:
    """Coefficients by least squares, lowest power first, with HC3 errors."""
    scale = np.max(np.abs(x))
    design = np.vander(x / scale, degree + 1, increasing=True)
    solver = np.linalg.pinv(design)
    coefficients = solver @ y
    leverage = np.einsum("ij,ji->i", design, solver)
    deviation = (y - design @ coefficients) / np.maximum(1 - leverage, 1e-9)
    errors = np.sqrt(solver**2 @ deviation**2)
    powers = scale ** -np.arange(degree + 1.0)
    return [
        Estimate(value=float(value), error=float(error))
        for value, error in zip(coefficients * powers, errors * powers, strict=True)
    ]


def _bend(x: FloatArray, y: FloatArray) -> Estimate:
    """The parabola's distance from the line, over the largest expected current."""
    square = _polynomial(x, y, 2)[2]
    factor = np.ptp(x) ** 2 / 8 / np.max(np.abs(x))
    return Estimate(value=square.value * factor, error=square.error * factor)


def _mean(estimates: list[Estimate]) -> Estimate:
    """The plain mean of independent estimates."""
    errors = np.array([estimate.error for estimate in estimates])
    return Estimate(
        value=float(np.mean([estimate.value for estimate in estimates])),
        error=float(np.sqrt(np.sum(errors**2)) / len(errors)),
    )
