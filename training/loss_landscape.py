"""How fast the loss rises as defects set in: along the line from perfect cells to a defective die.

    G(t) = G_perfect + t (G_die - G_perfect)

0 is a perfect die, 1 the die as it is, beyond 1 a die with the same defects, further out. Each die
is one random direction of the landscape, in the space in which defects move a network.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from training.calibration import Calibration
from training.column_sums import currents_of_cells
from training.hardware import scores
from training.solution import Solution


def loss_along(
    solution: Solution,
    die: NDArray[np.float64],
    steps: Sequence[float],
    images: NDArray[np.float32],
    labels: NDArray[np.int64],
    known: Calibration,
) -> NDArray[np.float64]:
    """(steps,) mean cross entropy in nats at each t of a die's (subarrays, rows, columns) siemens.

    Conductances below zero, which t beyond 1 could make of an open cell, are taken as zero.
    """
    perfect = np.where(solution.target_low, known.median_low, known.median_high)
    losses = []
    for step in steps:
        cells = np.maximum(perfect + step * (die - perfect), 0.0)
        found = scores(currents_of_cells(cells, solution), solution, images, known)
        losses.append(-log_softmax(found, axis=1)[np.arange(len(labels)), labels].mean())
    return np.array(losses)
