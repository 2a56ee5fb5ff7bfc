"""Dies whose wires have resistance: what their rows and columns conduct at the ends of the wires.

The conductances that another store gives for the cells go through the effective matrix of each
sub-array (`physics.line_resistance`), forward and backward: the whole linear circuit, with what a
short does to all others on its row and column. Rows that are not driven are held at 0 V, so it
holds for dot products read in parts as well. Cells count as ohmic, and every selector as on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from crossbar.defect_map import CellClass, DefectMap
from crossbar.errors import ConfigurationError, DataError
from crossbar.units import Ratio, Siemens
from physics.line_resistance import Wires, effective_matrix, own_path
from training.weight_store import WeightStore

Conductances = NDArray[np.float64]


@dataclass(kw_only=True)
class WiredStore:
    """Cells of another store behind wires; the port `WeightStore`."""

    cells: WeightStore
    """Of the bare cells."""
    cell_low: Siemens
    """What a relative conductance of 1 of a bare cell is."""
    known_low: Siemens
    """Median LOW conductance that the digital side reckons with: cells read one by one, each
    through its own stretch of wire."""
    known_high: Siemens
    """Likewise HIGH."""
    wires: Wires
    solve_every: int = 1
    """Steps from one solution of the circuit to the next. In between a cell that changes counts
    with the share of its conductance that the last solution had at the terminals (ours); where
    every step has other cells there is no such share, so this must be 1."""
    _step: int = field(init=False, default=0)
    _solved: tuple[Tensor, Tensor] | None = field(init=False, default=None)
    """Cells at the last solution, and what the terminals saw of them."""

    def __post_init__(self) -> None:
        if self.solve_every < 1:
            raise ConfigurationError(
                f"A circuit solved every {self.solve_every} steps: give 1 or more."
            )

    @property
    def window(self) -> Ratio:
        """As the digital side has it."""
        return self.known_high / self.known_low

    def realize(self, latents: Tensor) -> Tensor:
        """(dies, subarrays, rows, columns) relative conductances at the terminals; see
        `WeightStore`. A latent moves the other weights of its row and column too, and its gradient
        knows of them.
        """
        bare = self.cells.realize(latents) * self.cell_low
        due = self._solved is None or self._step % self.solve_every == 0
        self._step += 1
        seen = self._solve(bare) if due else self._estimate(bare)
        return seen / self.known_low

    def _solve(self, bare: Tensor) -> Tensor:
        seen = effective_matrix(bare, self.wires)
        if self.solve_every > 1:
            self._solved = bare.detach(), seen.detach()
        return seen

    def _estimate(self, bare: Tensor) -> Tensor:
        assert self._solved is not None
        before, seen = self._solved
        share = torch.where(before > 0, seen / before.clamp_min(torch.finfo(before.dtype).tiny), 0)
        return seen + share * (bare - before)


def without_wires(found: DefectMap, wires: Wires) -> DefectMap:
    """The map of the bare cells, from one that was read cell by cell behind selectors.

    Raises DataError where a cell conducts more than its own wires would alone.
    """
    _, rows, columns = found.classes.shape
    path = own_path(rows, columns, wires).numpy()
    low, high = (_bare(seen, path) for seen in (found.low, found.high))
    healthy = found.classes == CellClass.HEALTHY
    return replace(
        found,
        low=low,
        high=high,
        median_low=float(np.median(low[healthy])) if healthy.any() else found.median_low,
        median_high=float(np.median(high[healthy])) if healthy.any() else found.median_high,
    )


def through_wires(conductances: Conductances, wires: Wires) -> Conductances:
    """(subarrays, rows, columns) siemens at the terminals, from those of bare cells; exact."""
    cells = torch.from_numpy(np.maximum(conductances, 0.0))
    return effective_matrix(cells, wires).numpy()


def known_medians(maps: Sequence[DefectMap]) -> tuple[Siemens, Siemens]:
    """LOW and HIGH of a typical die among these, as maps have them."""
    return (
        float(np.median([found.median_low for found in maps])),
        float(np.median([found.median_high for found in maps])),
    )


def _bare(seen: Conductances, path: Conductances) -> Conductances:
    left = 1 - seen * path
    if (left <= 0).any():
        subarray, row, column = np.argwhere(left <= 0)[0]
        raise DataError(
            f"Cell {subarray}:{row}:{column} reads {1 / seen[subarray, row, column]:.4g} Ohm, and "
            f"its wires alone are {path[row, column]:.4g} Ohm. Give the wires less: --wires."
        )
    return np.maximum(seen, 0.0) / left
