"""The two-layer network as training sees it: the hardware's arithmetic, differentiable.

`training.hardware` does the same with numpy and real currents; a test holds the two together.
"""

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
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


class MeasuredSums(Protocol):
    """What a programmed die adds up, to stand in for what its conductances say it should."""

    def hidden(self, images: NDArray[np.float32]) -> NDArray[np.float64]:
        """(batch, hidden) sums of layer 1 for (batch, rows) images from 0 to 1."""

    def outputs(self, driven: NDArray[np.float64]) -> NDArray[np.float64]:
        """(batch, copies, outputs) sums of layer 2 for (batch, hidden) activations."""


def as_measured(modelled: Tensor, measured: NDArray[np.float64]) -> Tensor:
    """The measured values, with the gradient of the modelled ones; ``measured`` of their shape."""
    # modelled - modelled is exactly zero, so the value is the measured one.
    return torch.from_numpy(measured).to(modelled.dtype) + (modelled - modelled.detach())


def gated_sums(drive: Tensor, weights: Tensor, bound: Ratio, together: int) -> Tensor:
    """Dot products over all rows, without the parts of ``together`` rows beyond their bound.

    ``drive`` (n, batch, rows), ``weights`` (n, rows, columns); returns (n, batch, columns). A part
    of weights that are all within the bound cannot exceed it, and most are: only the others are
    looked at one by one, which makes a training step twice as fast as looking at all.
    """
    count, rows, columns = weights.shape
    blocks = weights.view(count, rows // together, together, columns)
    die, group, column = (blocks.detach().abs() > bound).any(2).nonzero(as_tuple=True)
    if not len(die):
        return torch.matmul(drive, weights)
    suspect = blocks.new_zeros((count, rows // together, 1, columns), dtype=torch.bool)
    suspect[die, group, 0, column] = True
    sums = torch.matmul(drive, blocks.masked_fill(suspect, 0.0).view_as(weights))
    # (n * groups, together, batch): what drives each part, to be picked for each suspect.
    split = drive.transpose(1, 2).reshape(count * (rows // together), together, -1)
    driven = split.index_select(0, die * (rows // together) + group)
    parts = (driven * blocks[die, group, :, column].unsqueeze(-1)).sum(1)
    kept = parts * (parts.detach().abs() <= bound * driven.detach().abs().sum(1))
    gated = sums.transpose(1, 2).reshape(count * columns, -1)
    gated = gated.index_add(0, die * columns + column, kept)
    return gated.view(count, columns, -1).transpose(1, 2)


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
        self.column_of_hidden: Tensor
        self.register_buffer("column_of_hidden", torch.from_numpy(placement.column_of_hidden))
        self.column_of_output: Tensor
        self.register_buffer("column_of_output", torch.from_numpy(placement.column_of_output))

    def digital(self) -> list[nn.Parameter]:
        """Every parameter but the latents."""
        return [
            self.hidden_gain,
            self.hidden_offset,
            self.drive,
            self.output_gain,
            self.output_offset,
        ]

    def forward(
        self,
        images: Tensor,
        conductances: Tensor,
        window: Ratio,
        measured: MeasuredSums | None = None,
    ) -> Tensor:
        """Scores of the outputs.

        ``images`` (dies, batch, rows) from 0 to 1; ``conductances`` (dies, subarrays, rows,
        columns) relative to the median LOW conductance. Returns (dies, batch, outputs). What is
        ``measured`` of a single die takes the place of its sums; gradients stay those of the
        conductances.
        """
        weights = signed(conductances, 1.0, window, self.placement.encoding)
        dies, rows = len(weights), self.placement.geometry.rows
        # All hidden columns side by side: (dies, rows, hidden).
        first = weights[:, : self.placement.hidden_subarrays].transpose(1, 2)
        first = first.reshape(dies, rows, -1).index_select(-1, self.column_of_hidden)
        sums = self._sums(images, first)
        if measured is not None:
            sums = as_measured(sums, measured.hidden(images[0].numpy())[None])
        hidden = torch.tanh(self.hidden_gain * sums + self.hidden_offset)
        driven = hidden * self.drive.clamp(0, 1)
        # Each copy of the outputs sees its own hidden units: (dies * copies, batch, rows).
        copies, outputs = self.output_gain.shape
        sources = driven[..., self.hidden_of_row].transpose(1, 2).reshape(dies * copies, -1, rows)
        second = weights[:, -1].index_select(-1, self.column_of_output)
        second = second.view(dies, rows, copies, outputs)
        second = second.transpose(1, 2).reshape(dies * copies, rows, outputs)
        sums = self._sums(sources, second).view(dies, copies, -1, outputs)
        if measured is not None:
            found = measured.outputs(driven[0].detach().numpy().astype(np.float64))
            sums = as_measured(sums, found.transpose(1, 0, 2)[None])
        return (sums * self.output_gain.unsqueeze(1)).sum(1) + self.output_offset

    def _sums(self, drive: Tensor, weights: Tensor) -> Tensor:
        """(n, batch, rows) activations times (n, rows, columns) weights: (n, batch, columns)."""
        return gated_sums(drive, weights, self.bound, self.placement.rows_at_once)

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
            name: parameter.detach().cpu().numpy().copy()
            for name, parameter in self.named_parameters()
            if name != "latents"
        }
        arrays["drive"] = arrays["drive"].clip(0, 1)
        target_low = (self.latents >= 0).cpu().numpy()
        return Solution(
            trained=trained,
            placement=self.placement,
            bound=self.bound,
            target_low=target_low,
            **arrays,
        )
