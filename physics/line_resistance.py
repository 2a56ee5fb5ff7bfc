"""The effective matrix of a crossbar whose wires have resistance: exact, and differentiable.

Every row (word line) is driven from its left end, or from both; every column (bit line) ends at
the bottom in a grounded current meter. Cells conduct the same at every voltage. Then the currents
are linear in the row voltages, I = V M, and M, the *effective matrix*, is found once: every later
dot product is an ordinary matrix product.

M is built row by row from the top. Seen from below, the rows above are a Norton equivalent of the
columns: currents J into short circuits and a conductance matrix Y. Two steps repeat:

- a row adds its own: K = (1 + G Z)^-1 G to Y, and V K 1 to J, where G are the row's conductances
  and Z the resistance matrix of its word line, seen from its crosspoints;
- a segment of r ohms in every column makes (1 + r Y)^-1 Y of Y, and (1 + r Y)^-1 J of J.

No resistance is inverted, so any of them may be zero, and so may conductances. All is torch, over
any batch of crossbars: gradients with respect to conductances are those of autograd.
`physics.nodal_analysis` solves the same circuit node by node, for voltages and for lines that
are not grounded.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from crossbar.errors import ConfigurationError
from crossbar.units import Ohms


@dataclass(frozen=True, kw_only=True)
class Wires:
    """The resistances around the cells of a crossbar. One segment lies between neighbouring
    crosspoints, one between each line's last crosspoint and its end.
    """

    word_segment: Ohms = 0.0
    """Of a word line (row), from one column to the next."""
    bit_segment: Ohms = 0.0
    """Of a bit line (column), from one row to the next."""
    source: Ohms = 0.0
    """Output resistance of each driver of a row."""
    sense: Ohms = 0.0
    """Input resistance of each column's current meter."""
    driven_at_both_ends: bool = False
    """Whether a row has a second driver, of the same voltage, at its right end."""

    def __post_init__(self) -> None:
        for name in ("word_segment", "bit_segment", "source", "sense"):
            value = getattr(self, name)
            if not 0 <= value < float("inf"):
                raise ConfigurationError(
                    f"A crossbar's {name} of {value:g} Ohm refused: a resistance is a finite "
                    "number of ohms, 0 or more. Correct it."
                )


def word_line_resistances(columns: int, wires: Wires) -> Tensor:
    """(columns, columns) ohms: the drop at one crosspoint for a current drawn at another."""
    left = wires.source + torch.arange(1, columns + 1, dtype=torch.float64) * wires.word_segment
    nearer = torch.minimum(left[:, None], left)
    if not wires.driven_at_both_ends:
        return nearer
    whole = 2 * wires.source + (columns + 1) * wires.word_segment
    if whole == 0:
        return torch.zeros_like(nearer)
    return nearer * (whole - torch.maximum(left[:, None], left)) / whole


def own_path(rows: int, columns: int, wires: Wires) -> Tensor:
    """(rows, columns) ohms in series with a cell that is read by itself, behind its selector, from
    the left end of its row.
    """
    row, column = torch.arange(rows)[:, None], torch.arange(columns)
    along = (column + 1) * wires.word_segment + (rows - row) * wires.bit_segment
    return (wires.source + along + wires.sense).to(torch.float64)


def effective_matrix(conductance: Tensor, wires: Wires) -> Tensor:
    """(*crossbars, rows, columns) siemens at the terminals, from those of the cells (not negative).

    Equal to ``conductance`` where all wires are 0 Ohm.
    """
    *batch, rows, columns = conductance.shape
    one = torch.eye(columns, dtype=conductance.dtype, device=conductance.device)
    line = word_line_resistances(columns, wires).to(conductance)
    loaded = torch.diag_embed(conductance)  # G of every row
    seen = torch.linalg.solve(one + conductance.unsqueeze(-1) * line, loaded)  # K of every row
    drawn = seen.sum(-1)
    below = conductance.new_zeros((*batch, columns, columns))  # Y
    currents = conductance.new_zeros((*batch, columns, 0))  # J, a column for every row so far
    for row in range(rows):
        below = below + seen[..., row, :, :]
        currents = torch.cat([currents, drawn[..., row, :, None]], dim=-1)
        resistance = wires.bit_segment + (wires.sense if row == rows - 1 else 0.0)
        if resistance:
            both = torch.cat([below, currents], dim=-1)
            both = torch.linalg.solve(one + resistance * below, both)
            below, currents = both[..., :columns], both[..., columns:]
    return currents.mT
