"""How one or two conductances make a signed weight.

Conductances here are relative to the median LOW conductance: a healthy cell has 1 or ``window``.
"""

import enum
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from crossbar.units import Ratio

if TYPE_CHECKING:  # grading and placement need no torch
    from torch import Tensor

Array = TypeVar("Array", NDArray[np.float64], "Tensor")


class Encoding(enum.Enum):
    """What a signed weight is made of."""

    SINGLE_ENDED = "single-ended"
    """One cell against the midpoint of both states, which is subtracted digitally."""
    DIFFERENTIAL = "differential"
    """Two cells in neighbouring columns, the even minus the odd one."""

    @property
    def cells_a_weight(self) -> int:
        """How many columns a signed column takes."""
        return 1 if self is Encoding.SINGLE_ENDED else 2


def signed(values: Array, drive: Array | float, window: Ratio, encoding: Encoding) -> Array:
    """Signed weights of conductances, or signed sums of column currents.

    ``values`` (..., columns) are relative conductances (then ``drive`` is 1), or sums of rows'
    activations times relative conductances (then ``drive`` is the sum of those activations, shape
    (..., 1)). Returns (..., columns / cells_a_weight). Healthy cells give -1 or +1 single-ended,
    -1, 0 or +1 differential; a short gives whatever it conducts.
    """
    if encoding is Encoding.DIFFERENTIAL:
        return (values[..., 0::2] - values[..., 1::2]) / (1 - window)
    return (values - drive * ((1 + window) / 2)) / ((1 - window) / 2)
