"""Both states of many cells after so many cycles: medians and spreads, with their intervals.

Nothing is supposed of the distributions but that cells are independent: HIGH of HfOx is far from
log-normal. Free of torch.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.distribution_free_intervals import median_interval, spread_interval
from analysis.intervals import check_confidence
from crossbar.errors import DataError
from crossbar.estimate import Estimate
from crossbar.units import Ratio

FloatArray = NDArray[np.float64]
FEWEST_CELLS = 6
FOLLOWING: Ratio = 1.5
"""A cell whose LOW conductance is farther than this factor from the median does not follow its
SETs (short, open, stuck): it is left out of both states. Ours: five standard deviations."""


@dataclass(frozen=True, kw_only=True)
class CycledStates:
    """What a checkpoint found."""

    low_median: Estimate
    """Ohm."""
    low_spread: Estimate
    """Standard deviation of ln R, over cells and cycles together."""
    high_median: Estimate
    high_spread: Estimate
    cells: int
    """That follow their SETs."""
    left_out: int


def cycled_states(low: FloatArray, high: FloatArray, confidence: Ratio = 0.95) -> CycledStates:
    """From (n,) Siemens after the pulse that writes LOW, and after the one that writes HIGH.

    Raises DataError for too few cells that conduct.
    """
    check_confidence(confidence)
    median = float(np.median(low))
    follows = (low < FOLLOWING * median) & (low > median / FOLLOWING) & (high > 0)
    if np.count_nonzero(follows) < FEWEST_CELLS:
        raise DataError(
            f"{np.count_nonzero(follows)} of {len(low)} cells follow their SETs: "
            f"{FEWEST_CELLS} are the least for medians and spreads. Take more cells, or form them."
        )
    logs = [-np.log(conductance[follows]) for conductance in (low, high)]
    medians = [median_interval(values, confidence) for values in logs]
    return CycledStates(
        low_median=_exponential(medians[0]),
        low_spread=spread_interval(logs[0], confidence),
        high_median=_exponential(medians[1]),
        high_spread=spread_interval(logs[1], confidence),
        cells=int(np.count_nonzero(follows)),
        left_out=int(np.count_nonzero(~follows)),
    )


def _exponential(found: Estimate) -> Estimate:
    return Estimate.of(*(np.exp(end) for end in (found.estimate, found.low, found.high)))
