"""Generators for the several things that one seed decides."""

import torch

from physics.draws import content


def seeded(seed: int, *purpose: object) -> torch.Generator:
    """A generator (of the CPU) of its own for each seed and purpose, named as one likes.

    Adding a number to a seed does not do: seeds of neighbours meet, and torch heeds only the lowest
    32 bits, so that 2**32 more is the same seed.
    """
    return torch.Generator().manual_seed(int(content(seed, *purpose)) % 2**32)
