"""What the amplifiers of a board make of the currents of a dot product, before its converters."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossbar.units import Amperes, Ratio
from physics.draws import content, keys, normals

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class ProductFrontEnd:
    """Gain, offset and noise; the default one is ideal."""

    gains: tuple[Ratio, ...] = (1.0,)
    """Of the columns' amplifiers from the first on, repeated: columns may share them."""
    gain_errors: tuple[Ratio, ...] = ()
    """Standard errors of ``gains`` where they were measured. They change nothing."""
    offset: Amperes = 0.0
    """Added to every current."""
    offset_error: Amperes = 0.0
    """Its standard error where it was measured. It changes nothing."""
    noise: Amperes = 0.0
    """Standard deviation of a current from one vector to the next."""

    def amplified(self, current: FloatArray, *occasion: object) -> FloatArray:
        """(batch, columns) amperes; the same occasion has the same noise."""
        gain = np.resize(np.array(self.gains), current.shape[1])
        amplified = gain * current + self.offset
        if not self.noise:
            return amplified
        each = keys(content("front end", *occasion), np.arange(current.size))
        return amplified + self.noise * normals(each).reshape(current.shape)
