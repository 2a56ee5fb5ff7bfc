"""The two-layer network as training sees it: the hardware's arithmetic, differentiable.

`training.hardware` does the same with numpy and real currents; a test holds the two together.
"""

import torch
from torch import Tensor, nn

from crossbar.units import Ratio
from training.encoding import signed
from training.placement import Placement
from training.solution import Solution

FIRST_LATENTS = 0.1
"""Latents of a new network are drawn between plus and minus this."""
START_LATENT = 0.1
"""A network that continues from binary weights has latents of plus or minus this: far enough from
zero that a few steps flip nothing, near enough that a schedule of a few hundred can."""


class GatedSum(torch.autograd.Function):
    """Adds the parts of a dot product, leaving out those beyond their bound.

    A custom function because it halves the time of a training step: autograd would keep several
    copies of the (dies, batch, groups, columns) parts.
    """

    @staticmethod
    def forward(ctx, parts: Tensor, bound: Tensor) -> Tensor:
        """``parts`` (dies, groups, batch, columns), ``bound`` (dies, groups, batch, 1)."""
        kept = parts.abs() <= bound
        ctx.save_for_backward(kept)
        return (parts * kept).sum(1)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
        """A part that was left out gets no gradient."""
        (kept,) = ctx.saved_tensors
        return gradient.unsqueeze(1) * kept, None


class CrossbarNetwork(nn.Module):
    """Latents of all cells, and the digital gains and offsets between the analog sums."""

    def __init__(self, placement: Placement, bound: Ratio, generator: torch.Generator) -> None:
        super().__init__()
        self.placement = placement
        self.bound = bound
        rows = placement.geometry.rows
        latents = torch.rand(placement.geometry.shape, generator=generator) * 2 - 1
        self.latents = nn.Parameter(latents * FIRST_LATENTS)
        hidden, outputs = placement.hidden, placement.outputs
        self.hidden_gain = nn.Parameter(torch.full((hidden,), 1.5 / rows**0.5))
        self.hidden_offset = nn.Parameter(torch.zeros(hidden))
        self.drive = nn.Parameter(torch.full((hidden,), 0.9))
        self.output_gain = nn.Parameter(
            torch.full((placement.copies, outputs), 1 / (placement.copies * rows**0.5))
        )
        self.output_offset = nn.Parameter(torch.zeros(outputs))
        self.hidden_of_row: Tensor
        self.register_buffer("hidden_of_row", torch.from_numpy(placement.hidden_of_row))

    def digital(self) -> list[nn.Parameter]:
        """Every parameter but the latents."""
        return [
            self.hidden_gain,
            self.hidden_offset,
            self.drive,
            self.output_gain,
            self.output_offset,
        ]

    def forward(self, images: Tensor, conductances: Tensor, window: Ratio) -> Tensor:
        """Scores of the outputs.

        ``images`` (dies, batch, rows) from 0 to 1; ``conductances`` (dies, subarrays, rows,
        columns) relative to the median LOW conductance. Returns (dies, batch, outputs).
        """
        weights = signed(conductances, 1.0, window, self.placement.encoding)
        dies, rows = len(weights), self.placement.geometry.rows
        # All hidden columns side by side: (dies, rows, hidden).
        first = weights[:, : self.placement.hidden_subarrays].transpose(1, 2)
        first = first.reshape(dies, rows, -1)[..., : self.placement.hidden]
        hidden = torch.tanh(self.hidden_gain * self._sums(images, first) + self.hidden_offset)
        driven = hidden * self.drive.clamp(0, 1)
        # Each copy of the outputs sees its own hidden units: (dies * copies, batch, rows).
        copies, outputs = self.output_gain.shape
        sources = driven[..., self.hidden_of_row].transpose(1, 2).reshape(dies * copies, -1, rows)
        second = weights[:, -1, :, : copies * outputs].reshape(dies, rows, copies, outputs)
        second = second.transpose(1, 2).reshape(dies * copies, rows, outputs)
        sums = self._sums(sources, second).view(dies, copies, -1, outputs)
        return (sums * self.output_gain.unsqueeze(1)).sum(1) + self.output_offset

    def _sums(self, drive: Tensor, weights: Tensor) -> Tensor:
        """(n, batch, rows) activations times (n, rows, columns) weights: (n, batch, columns)."""
        if float(weights.detach().abs().max()) <= self.bound:
            return torch.matmul(drive, weights)  # no part can exceed its bound
        count, batch, _ = drive.shape
        groups, together = self.placement.groups, self.placement.rows_at_once
        split = drive.view(count, batch, groups, together).transpose(1, 2)
        parts = torch.matmul(split, weights.reshape(count, groups, together, -1))
        return GatedSum.apply(parts, self.bound * split.abs().sum(-1, keepdim=True))

    @torch.no_grad()
    def start_from(self, solution: Solution) -> None:
        """Take over another solution's weights, gains and offsets."""
        low = torch.from_numpy(solution.target_low)
        self.latents.copy_(torch.where(low, START_LATENT, -START_LATENT))
        for name, parameter in self.named_parameters():
            if name != "latents":
                parameter.copy_(torch.from_numpy(getattr(solution, name)))

    def solution(self, trained: str) -> Solution:
        """What the network has learned; ``trained`` says how."""
        arrays = {
            name: parameter.detach().numpy().copy()
            for name, parameter in self.named_parameters()
            if name != "latents"
        }
        arrays["drive"] = arrays["drive"].clip(0, 1)
        target_low = (self.latents >= 0).numpy()
        return Solution(
            trained=trained,
            placement=self.placement,
            bound=self.bound,
            target_low=target_low,
            **arrays,
        )
