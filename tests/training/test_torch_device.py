"""Where torch computes."""

import pytest
import torch

from crossbar.errors import ConfigurationError
from training.torch_device import torch_device


def test_the_processor_is_always_there():
    """By torch's own name."""
    assert torch_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["abacus", "cuda:99", ""])
def test_what_is_not_there_is_refused(name):
    """With torch's reason, and what could be said instead."""
    with pytest.raises(ConfigurationError, match=r"torch cannot compute there \(.+\)\. Use cpu"):
        torch_device(name)
