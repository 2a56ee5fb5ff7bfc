"""The switching table, and how often a write pulse fails by it: numpy and scipy, no torch.

``physics/switching_table.npz`` holds ln(hazard), hazard = -ln WER, of `physics.fokker_planck`'s
solution on a grid of currents 0 to 8, durations 0.1 to 1e4 and delta 20 to 120. On first use it is
refined by cubic splines; between the fine nodes it is interpolated linearly, so that what is
monotone on the grid is monotone everywhere: a larger or a longer pulse never fails more often.

`physics.switching` computes the same with gradients and for whole wafers; this is for a bench
computer, which should not have to wait for torch. ln(hazard) bends little in the logarithms of all
arguments: a WER of 1e-6 is a hazard of 13.8.
"""

from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.ndimage import map_coordinates

from physics.fokker_planck import KNEE, LARGEST_CURRENT, TABLE_PATH, warp
from physics.mtj_laws import check_barrier_exponent

FloatArray = NDArray[np.float64]

NODES = (241, 401, 41)
"""Of the refined table: steps of 0.02 in the warped current, 2.9 % in duration, 2.5 in delta."""
SMALLEST_CURRENT = 1e-9
"""Where the logarithm of a current ends."""


@dataclass(frozen=True, kw_only=True)
class SwitchingTable:
    """The refined table, evenly spaced in warped current, ln duration and delta."""

    log_hazard: NDArray[np.float32]
    """(currents, durations, deltas) ln(-ln WER), rising along the first two axes. In float32, whose
    rounding is a hundred times below the interpolation's error and half the memory to fetch."""
    axes: tuple[FloatArray, FloatArray, FloatArray]
    """The nodes of each axis."""

    def place(self, axis: int, value: FloatArray) -> FloatArray:
        """Where values lie on an axis, in steps from its first node; its ends for those outside."""
        nodes = self.axes[axis]
        step = (nodes[-1] - nodes[0]) / (len(nodes) - 1)
        return np.clip((value - nodes[0]) / step, 0, len(nodes) - 1)


@cache
def switching_table() -> SwitchingTable:
    """Load and refine the shipped table; once per process, about 0.3 s."""
    with np.load(TABLE_PATH) as file:
        values = file["log_hazard"].astype(np.float64)
        coarse = (warp(file["currents"]), np.log(file["durations"]), file["deltas"])
    fine = [np.linspace(axis[0], axis[-1], n) for axis, n in zip(coarse, NODES, strict=True)]
    for number in (2, 0, 1):
        values = CubicSpline(coarse[number], values, axis=number)(fine[number])
    # Splines may ripple by rounding where the hazard is negligible; the laws hold exactly.
    values = np.maximum.accumulate(np.maximum.accumulate(values, axis=0), axis=1)
    return SwitchingTable(
        log_hazard=values.astype(np.float32, order="C"), axes=(fine[0], fine[1], fine[2])
    )


def log_hazard(
    current: FloatArray,
    duration: FloatArray,
    delta: FloatArray,
    barrier_exponent: float = 2.0,
) -> FloatArray:
    """ln(-ln WER) of pulses; the arguments broadcast.

    ``current`` i = V / V_c0, above 0; ``duration`` t = width / tau_d; ``delta`` 20 to 120, that of
    the nearer end beyond. Outside the table, and for other barrier exponents than the equation's
    own, it goes on as `physics.switching` describes.
    """
    table = switching_table()
    if check_barrier_exponent(barrier_exponent) != 2:
        below = np.maximum(1 - current, 0.0) ** (barrier_exponent / 2)
        current = np.where(current < 1, 1 - below, current)
    logs = np.log(duration)
    beyond = logs - np.clip(logs, table.axes[1][0], table.axes[1][-1])
    places = np.broadcast_arrays(
        table.place(0, warp(current)), table.place(1, logs), table.place(2, delta)
    )
    inside = map_coordinates(
        table.log_hazard, np.stack(places), output=np.float64, order=1, mode="nearest"
    )
    stronger = np.log((np.maximum(current, LARGEST_CURRENT) - 1) / (LARGEST_CURRENT - 1))
    return inside + beyond + stronger


def log_current_for(
    wanted: float, duration: FloatArray, delta: FloatArray, barrier_exponent: float = 2.0
) -> FloatArray:
    """ln of the reduced current at which ln(hazard) is ``wanted``; the others broadcast.

    It is inverted at the nodes of duration and delta and interpolated between: exact to 2e-3 at the
    worst (delta 21), to 1e-4 as a rule.
    Pulses outside the table's durations count as the shortest or longest that it has.
    """
    table = switching_table()
    places = np.broadcast_arrays(table.place(1, np.log(duration)), table.place(2, delta))
    found = map_coordinates(_log_currents(wanted), np.stack(places), order=1, mode="nearest")
    if check_barrier_exponent(barrier_exponent) == 2:
        return found
    below = np.maximum(-np.expm1(found), 0.0) ** (2 / barrier_exponent)
    return np.where(found < 0, np.log(np.maximum(1 - below, SMALLEST_CURRENT)), found)


@lru_cache(maxsize=8)
def _log_currents(wanted: float) -> FloatArray:
    """(durations, deltas) the inverse at the nodes of the table."""
    table = switching_table()
    values = table.log_hazard.astype(np.float64)
    found = np.empty(values.shape[1:])
    for place in np.ndindex(found.shape):
        found[place] = np.interp(wanted, values[:, *place], table.axes[0])
    # Pulses so short need more than the table's largest current; there the hazard goes with i - 1.
    excess = np.exp(np.maximum(wanted - values[-1], 0.0))
    current = np.where(excess > 1, 1 + (LARGEST_CURRENT - 1) * excess, 1 + KNEE * np.sinh(found))
    return np.log(np.maximum(current, SMALLEST_CURRENT))
