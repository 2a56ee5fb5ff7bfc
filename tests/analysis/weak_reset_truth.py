"""Trains of the published weak RESET model, without instruments, for tests of its analysis."""

import numpy as np
import torch

from analysis.weak_reset_trains import WeakResetTrains
from physics.weak_reset import (
    PARAMETER_DRAWS,
    PulseNoise,
    WeakResetCells,
    WeakResetPopulation,
    advance,
    after_set,
    log_resistance,
)


def simulated_trains(
    count, seed, *, trains=2, readings=100, step=20, noise=None, read_noise=0.003
) -> tuple[WeakResetTrains, WeakResetCells, np.ndarray]:
    """Readings after every ``step`` pulses; the cells; and (count, trains) ln R0 + c1."""
    generator = torch.Generator().manual_seed(seed)

    def uniform(*shape):
        return torch.rand(shape, generator=generator, dtype=torch.float64)

    noise = noise or PulseNoise()
    population = WeakResetPopulation()
    cells = population.cells(uniform(count, PARAMETER_DRAWS))
    log_r = np.empty((count, trains, readings + 1))
    starts = np.empty((count, trains))
    pulses = torch.full((count,), float(step), dtype=torch.float64)
    for train in range(trains):
        state = after_set(population.r0_after_set(cells, uniform(count)), noise)
        starts[:, train] = (state.r0.log() + cells.c1).numpy()
        log_r[:, train, 0] = log_resistance(cells, state, noise)
        for place in range(readings):
            state = advance(cells, state, pulses, uniform(count, noise.draws), noise)
            log_r[:, train, place + 1] = log_resistance(cells, state, noise)
    log_r += read_noise * np.random.default_rng(seed).standard_normal(log_r.shape)
    found = WeakResetTrains(
        amplitude=-0.52,
        width=200e-9,
        cells=np.arange(count),
        pulses=np.arange(readings + 1) * step,
        log_r=log_r,
    )
    return found, cells, starts
