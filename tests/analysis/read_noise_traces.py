"""Simulated traces of known noise, for the tests of what analysis makes of them."""

import numpy as np

from physics.draws import keys
from physics.read_noise import ReadNoise

INTERVAL = 10e-3
APERTURE = 1e-3
CONDUCTANCE = 25e-6


def traces(cells, count, seed=1, **noise):
    """(cells, count) conductances of cells with this noise; what is left out is none."""
    values = {"white": 0.0, "flicker": 0.0, "captured": 0.0, "share": 0.5, "period": 1.0} | noise
    same = ReadNoise(**{name: np.full(cells, float(value)) for name, value in values.items()})
    own = keys(np.uint64(seed), np.arange(cells))
    times = np.broadcast_to(np.arange(count) * INTERVAL, (cells, count))
    readings = keys(own[:, None], np.arange(count))
    return CONDUCTANCE * (1 + same.at(own, times, readings, APERTURE))
