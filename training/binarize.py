"""From real-valued latents to the +-1 that a cell can hold."""

import torch
from torch import Tensor


def binarize(latent: Tensor) -> Tensor:
    r"""Sign with a straight-through gradient.

        forward:   q(x) = +1 if x >= 0 else -1
        backward:  dq/dx = 1 if |x| <= 1 else 0        (Hubara et al. 2016, arXiv:1602.02830)

    Zero maps to +1: a cell always holds one of two states. Any shape.
    """
    hard = torch.where(latent >= 0, 1.0, -1.0)
    soft = latent.clamp(-1.0, 1.0)
    # soft - soft is exactly zero, so the value is hard's; the gradient is that of soft.
    return hard + (soft - soft.detach())
