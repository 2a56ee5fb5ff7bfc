"""The analog ends of the emulated die board: what its converters make of volts and currents."""

import numpy as np
from numpy.typing import NDArray

from crossbar.units import Amperes, Volts
from simulated_instruments.scpi_grammar import as_block

READ_CODES = 32767
"""Largest code of the 16-bit converters that read cells."""
PRODUCT_CODES = 2047
"""Largest code of the 12-bit converters of the row voltages and of the products."""
ROW_FULL_SCALE: Volts = 0.3


def convert_currents(
    current: NDArray[np.float64], full_scale: Amperes, codes: int
) -> tuple[NDArray[np.float64], bool]:
    """Currents in whole steps, clipped at full scale, and whether one was clipped.

    NaN (a reading that was never taken) stays NaN.
    """
    code = np.rint(current * (codes / full_scale))
    clipped = bool(np.any(np.abs(code) >= codes))
    return np.clip(code, -codes, codes) * (full_scale / codes), clipped


def apply_row_voltages(voltages: NDArray[np.float64], limit: Volts) -> NDArray[np.float64]:
    """The nearest voltages that the row converters can make without passing the limit."""
    step = ROW_FULL_SCALE / PRODUCT_CODES
    largest = np.floor(limit / step)
    return np.clip(np.rint(voltages / step), -largest, largest) * step


def floats(values: NDArray[np.float64]) -> bytes:
    """A block of little-endian float32."""
    return as_block(values.astype("<f4").tobytes())
