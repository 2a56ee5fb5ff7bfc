"""How well a crossbar multiplies: gain, offset, linearity and residual of its dot products.

Each column has a straight line of its own through measured over expected currents: wires take more
of a column that lies further away. Gain and offset are means over the columns, for inputs of the
kind that was measured; their errors count the scatter around the columns' lines, not how the
columns differ. Standard errors are those of MacKinnon and White (HC3), with the currents of one
vector taken together: they hold where the noise grows with the current, and where a vector's
currents are off together, as wires have it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from crossbar.errors import DataError
from crossbar.estimate import Estimate
from crossbar.records import DotProductBlock
from crossbar.units import Amperes, Ratio

FloatArray = NDArray[np.float64]
FEWEST = 5
"""Vectors that make a line, a parabola and their errors."""
CONFIDENCE: Ratio = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class DotProductQuality:
    """Measured currents over those that the cells, read one by one, let expect. Intervals: 95 %."""

    gain: Estimate
    """Mean slope of the columns: 1 for an ideal crossbar, less where wires take their share."""
    column_gain: FloatArray
    """(columns,) Slope of each; NaN for a column with too few usable currents."""
    offset: Estimate
    """Amperes; mean over the columns."""
    nonlinearity: Estimate
    """By how much a column's best parabola leaves its best straight line at the ends and, with the
    other sign, in the middle, over full scale; mean over the columns. Full scale is twice the mean
    expected current: inputs run evenly from weak to strong."""
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
    parts = [(expected[:, c], measured[:, c], used[:, c]) for c in columns]
    lines = [_polynomial(*part, degree=1) for part in parts]
    column_gain = np.full(expected.shape[1], np.nan)
    column_gain[columns] = [line.coefficients[1] for line in lines]
    pairs = [(x[here], y[here]) for x, y, here in parts]
    x, y = (np.concatenate(values) for values in zip(*pairs, strict=True))
    rest = y - np.polyval(np.polyfit(x, y, 1), x)
    return DotProductQuality(
        gain=_mean(lines, 1),
        column_gain=column_gain,
        offset=_mean(lines, 0),
        nonlinearity=_mean([_bend(*part) for part in parts], 0),
        correlation=float(np.corrcoef(x, y)[0, 1]),
        residual=float(np.std(rest) / np.max(np.abs(x))),
        points=len(x),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fit:
    """A polynomial through one column's currents."""

    coefficients: FloatArray
    """(powers,) Lowest first."""
    influence: FloatArray
    """(powers, vectors) What the scatter of each vector does to them; 0 where it was left out."""


def _polynomial(x: FloatArray, y: FloatArray, used: NDArray[np.bool_], degree: int) -> _Fit:
    """By least squares over the ``used`` vectors. Scatter is what leaving a vector out shows around
    the polynomial of one degree more: how a line misses a bent characteristic is no scatter.
    """
    scale = np.max(np.abs(x[used]))
    finer = np.vander(x[used] / scale, degree + 2, increasing=True)
    solver, finer_solver = np.linalg.pinv(finer[:, :-1]), np.linalg.pinv(finer)
    coefficients = solver @ y[used]
    leverage = np.einsum("ij,ji->i", finer, finer_solver)
    deviation = (y[used] - finer @ (finer_solver @ y[used])) / np.maximum(1 - leverage, 1e-9)
    powers = scale ** -np.arange(degree + 1.0)
    influence = np.zeros((degree + 1, len(x)))
    influence[:, used] = powers[:, None] * solver * deviation
    return _Fit(coefficients=coefficients * powers, influence=influence)


def _bend(x: FloatArray, y: FloatArray, used: NDArray[np.bool_]) -> _Fit:
    """The parabola's distance from the line between 0 and full scale, over full scale."""
    parabola = _polynomial(x, y, used, degree=2)
    factor = 2 * np.mean(np.abs(x[used])) / 8
    return _Fit(
        coefficients=parabola.coefficients[2:] * factor, influence=parabola.influence[2:] * factor
    )


def _mean(fits: list[_Fit], power: int) -> Estimate:
    """One coefficient, over all columns, with Student's interval. Degrees of freedom are
    Satterthwaite's (Biometrics Bull. 2, 110, 1946) of the sum over vectors: the fourth power of a
    normal number, 3 on average, stands for the square of its variance. Of 100 vectors the strong
    ones make the error: some 30 degrees.
    """
    influence = np.mean([fit.influence[power] for fit in fits], axis=0)
    variance, fourth = float(np.sum(influence**2)), float(np.sum(influence**4))
    freedom = 3 * variance**2 / fourth if fourth > 0 else np.inf
    half = float(student.ppf(0.5 + CONFIDENCE / 2, freedom)) * variance**0.5
    value = float(np.mean([fit.coefficients[power] for fit in fits]))
    return Estimate(estimate=value, low=value - half, high=value + half)
