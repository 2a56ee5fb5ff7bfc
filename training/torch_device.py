"""The accelerator that torch is to compute on."""

import torch

from crossbar.errors import ConfigurationError


def torch_device(name: str) -> torch.device:
    """What ``name`` means to torch: "cpu", "cuda", "cuda:1", "mps".

    Raises ConfigurationError for a name that torch does not know, or an accelerator that this
    computer lacks.
    """
    try:
        found = torch.device(name)
        torch.empty(0, device=found)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigurationError(
            f"--torch-device {name!r}: torch cannot compute there ({reason}). Use cpu, or what "
            "this computer has: cuda, cuda:1, mps."
        ) from None
    return found
