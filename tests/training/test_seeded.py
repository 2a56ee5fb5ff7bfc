import itertools

import torch

from training.seeded import seeded


def test_every_purpose_of_every_seed_has_numbers_of_its_own():
    """Large seeds and numbered purposes, too; and the same ones whenever they are asked for."""
    purposes = [("weights",), ("errors",), ("die", 0), ("die", 1)]

    def drawn(seed, purpose):
        return torch.rand(4, generator=seeded(seed, *purpose))

    every = [drawn(seed, purpose) for seed in (1, 2, 1 + 2**32) for purpose in purposes]
    for one, other in itertools.combinations(every, 2):
        assert not torch.equal(one, other)
    assert torch.equal(every[0], drawn(1, ("weights",)))
