import torch
from hypothesis import given
from hypothesis import strategies as st

from training.binarize import binarize


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=20))
def test_every_value_becomes_plus_or_minus_one(values):
    """Whatever the latent, a cell holds one of two states, that of the latent's sign."""
    latent = torch.tensor(values)

    assert binarize(latent).tolist() == [1.0 if value >= 0 else -1.0 for value in values]


def test_gradient_passes_straight_through_within_one():
    """The gradient is one up to |latent| = 1 and zero beyond."""
    latent = torch.tensor([-1.5, -1.0, -0.2, 0.0, 0.7, 1.0, 1.01], requires_grad=True)

    binarize(latent).sum().backward()

    assert latent.grad.tolist() == [0, 1, 1, 1, 1, 1, 0]
