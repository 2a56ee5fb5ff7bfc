"""Cells of known truth, and counts of their write errors."""

import numpy as np

from analysis.amplitude_density import Observed
from physics.switching_table import log_hazard

MEDIANS = (60.0, 0.375, 1.9e-9)
SPREADS = (0.06, 0.044, 0.05)


def draw_cells(cells, generator):
    """(cells, 3) delta, vc0, tau_d with the spreads of a die."""
    return np.array(MEDIANS) * np.exp(np.array(SPREADS) * generator.normal(size=(cells, 3)))


def count(truth, amplitude, width, attempts, generator):
    """What is counted when each of n cells is given its own m pulses; arrays broadcast."""
    shape = np.broadcast_shapes(np.shape(amplitude), (len(truth), 1))
    amplitude, width, attempts = (
        np.broadcast_to(values, shape) for values in (amplitude, width, attempts)
    )
    delta, vc0, tau_d = (column[:, None] for column in truth.T)
    rate = np.exp(-np.exp(log_hazard(amplitude / vc0, width / tau_d, delta)))
    return Observed(
        amplitude=np.array(amplitude),
        width=np.array(width),
        attempts=attempts.astype(float),
        errors=generator.binomial(attempts, rate).astype(float),
    )


def beside(one, other):
    """Both observations of the same cells."""
    return Observed(
        **{
            name: np.concatenate([getattr(one, name), getattr(other, name)], axis=1)
            for name in ("amplitude", "width", "attempts", "errors")
        }
    )


def nothing(cells):
    """Observations of cells that were never pulsed."""
    empty = np.zeros((cells, 0))
    return Observed(amplitude=empty, width=empty, attempts=empty, errors=empty)
