"""At which of rising pulses a cell switched: SET and RESET voltages of HfOx cells. Free of torch.

A voltage is known to lie between two pulses of a train: the last that left the cell as it was, and
the first that did not. It is that of this train; the next cycle has another.
"""

import numpy as np
from numpy.typing import NDArray

from analysis.distribution_free_intervals import median_interval
from crossbar.estimate import Estimate
from crossbar.records import PulseTrain
from crossbar.units import Ratio

RESET_SHARE: Ratio = 0.5
"""Ours: by 10 % weak RESET alone raises the resistance already."""


def set_voltage(train: PulseTrain) -> Estimate:
    """Where a cell in HIGH first conducts more than the geometric mean of its first and its largest
    reading: SET is a jump.
    """
    conductance = np.maximum(train.conductance, np.finfo(float).tiny)
    middle = np.sqrt(conductance[0] * conductance.max())
    return crossing(train, conductance > middle)


def reset_voltage(train: PulseTrain) -> Estimate:
    """Where a cell in LOW first conducts less than `RESET_SHARE` of what it did: RESET goes step by
    step, and weak RESET goes before it.
    """
    return crossing(train, train.conductance < RESET_SHARE * train.conductance[0])


def crossing(train: PulseTrain, passed: NDArray[np.bool_]) -> Estimate:
    """Magnitudes, in volts, of the pulses before and at the first step that has ``passed``, and
    their middle; open at the top, without a middle, where none has.
    """
    amplitude = np.abs(np.nan_to_num(train.amplitude))
    if not passed.any():
        return Estimate.of(float("nan"), amplitude[-1], float("inf"))
    first = int(np.argmax(passed))
    low, high = float(amplitude[max(first - 1, 0)]), float(amplitude[first])
    return Estimate(estimate=(low + high) / 2, low=low, high=high)


def median_voltage(found: list[Estimate], confidence: Ratio) -> Estimate:
    """Of cells whose voltages lie between two pulses each: the order statistics of their lower ends
    bound the median from below, those of the upper ends from above.
    """
    low = median_interval(np.array([each.low for each in found]), confidence)
    high = median_interval(np.array([each.high for each in found]), confidence)
    middle = (low.estimate + high.estimate) / 2 if np.isfinite(high.estimate) else float("nan")
    return Estimate(estimate=middle, low=low.low, high=high.high)
