"""Gain, offset and noise of a board's amplifiers, from dot products that it has made."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import linregress

from crossbar.errors import DataError
from crossbar.units import Amperes

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class FrontEndFit:
    """A straight line through each column's measured over computed currents."""

    gains: FloatArray
    """(columns,)"""
    gain_errors: FloatArray
    """(columns,) standard errors."""
    offset: Amperes
    """Mean over the columns."""
    offset_error: Amperes
    noise: Amperes
    """Standard deviation around the lines: noise, and what a line per column does not explain."""
    random_noise: Amperes
    """Standard deviation around the best linear map of all computed currents on each measured one.
    Whatever is linear in the inputs, wires among it, is in that map: what is left is noise and
    curvature. NaN for fewer vectors than twice the columns."""


def fit_front_end(computed: FloatArray, measured: FloatArray) -> FrontEndFit:
    """Of (vectors, columns) amperes each. Raises DataError for other shapes, or too few vectors."""
    if computed.shape != measured.shape or computed.ndim != 2 or len(computed) < 5:
        raise DataError(
            f"Computed currents of shape {computed.shape} and measured ones of {measured.shape} "
            "make no front end: both must be (vectors, columns), with five vectors at least."
        )
    lines = [linregress(x, y) for x, y in zip(computed.T, measured.T, strict=True)]
    vectors, columns = computed.shape
    gains = np.array([line.slope for line in lines])
    offsets = np.array([line.intercept for line in lines])
    rest = measured - offsets - gains * computed
    return FrontEndFit(
        gains=gains,
        gain_errors=np.array([line.stderr for line in lines]),
        offset=float(np.mean(offsets)),
        offset_error=float(np.std(offsets, ddof=1) / np.sqrt(columns)),
        noise=float(np.sqrt(np.sum(rest**2) / (columns * (vectors - 2)))),
        random_noise=_around_any_map(computed, measured),
    )


def _around_any_map(computed: FloatArray, measured: FloatArray) -> float:
    vectors, columns = computed.shape
    if vectors < 2 * columns:
        return float("nan")
    design = np.column_stack([np.ones(vectors), computed])
    rest = measured - design @ np.linalg.lstsq(design, measured, rcond=None)[0]
    return float(np.sqrt(np.sum(rest**2) / (columns * (vectors - columns - 1))))
