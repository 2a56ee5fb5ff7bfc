"""What noise adds to ln R of cells under weak RESET, pulse by pulse: long runs of it to read from.

A run closes into a ring. `products` and `pink_table` are read at the same places; both end with a 0
for cells to which they are to add nothing.
"""

from functools import cache

import torch
from torch import Tensor

from physics.weak_reset import PulseNoise, pink_coefficients

LENGTH = 1 << 16
"""Of a run, in pulses: beyond the 16,800 that a published training can give a cell."""
TABLE_SEED = 20210706
"""The runs are the same for everybody: what differs is where cells begin in them."""


@cache
def products(device: torch.device) -> Tensor:
    """(LENGTH + 1,) products of two uniform numbers, which scale the telegraphs' amplitudes."""
    generator = torch.Generator().manual_seed(TABLE_SEED)
    ring = torch.rand((2, LENGTH), generator=generator).prod(0)
    return torch.cat([ring, ring.new_zeros(1)]).to(device)


@cache
def pink_table(noise: PulseNoise, device: torch.device) -> Tensor:
    """(LENGTH + 1,) what pink noise adds to ln R once its past is full."""
    full = pink_rows(noise, device)[-LENGTH:]
    return torch.cat([full, full.new_zeros(1)])


@cache
def pink_rows(noise: PulseNoise, device: torch.device) -> Tensor:
    """((poles + 1) LENGTH,) what pink noise adds to ln R: after 0, 1, ... and ``poles`` pulses or
    more since the SET, run after run.
    """
    generator = torch.Generator().manual_seed(TABLE_SEED + 1)
    samples = torch.rand(LENGTH, generator=generator, dtype=torch.float64)
    samples -= 0.5 if noise.centred else 0.0
    rows = [torch.zeros_like(samples)]
    for age, weight in enumerate(pink_coefficients(noise.poles)):
        rows.append(rows[-1] + noise.coupling * weight * samples.roll(age))
    return torch.cat(rows).float().to(device)
