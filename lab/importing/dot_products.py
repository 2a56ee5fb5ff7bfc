"""Other people's dot products: computed and measured currents, as the published bench wrote them.

Two text files of one number a line, in microamperes, vector after vector, the columns of a vector
one after the other.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.front_end import fit_front_end
from crossbar.errors import DataError
from db.rows import ConductanceMap
from physics.product_front_end import ProductFrontEnd


def read_dot_products(path: Path, columns: int) -> NDArray[np.float64]:
    """(vectors, columns) amperes. Raises DataError for what is no such file."""
    try:
        currents = np.loadtxt(path, ndmin=1)
    except (OSError, ValueError) as error:
        raise DataError(f"{path} is not a list of numbers: {error}") from None
    if currents.ndim != 1 or len(currents) % columns or not np.isfinite(currents).all():
        raise DataError(
            f"{path} holds {currents.size} numbers, which are no vectors of {columns} finite "
            "currents, one a line: as many as a kernel has columns."
        )
    largest = float(np.max(np.abs(currents), initial=0.0))
    if not 1e-3 < largest < 1e5:
        raise DataError(f"{path}: currents up to {largest:.3g} are no microamperes.")
    return currents.reshape(-1, columns) * 1e-6


def measured_front_end(
    computed: Path, measured: Path, kernel: ConductanceMap | None
) -> ProductFrontEnd:
    """The amplifiers of the board that made these dot products with a kernel.

    The published bench drives a kernel's columns: every one of its rows is an output. Raises
    DataError for files that are not of the kernel, and without one.
    """
    if kernel is None:
        raise DataError("--dot-products are those of one kernel: name it with --kernel.")
    outputs = kernel.conductance.shape[0]
    fit = fit_front_end(read_dot_products(computed, outputs), read_dot_products(measured, outputs))
    return ProductFrontEnd(
        gains=tuple(fit.gains.tolist()),
        gain_errors=tuple(fit.gain_errors.tolist()),
        offset=fit.offset,
        offset_error=fit.offset_error,
        noise=fit.noise,
    )
