"""Weak RESET cells as real sweeps show them, in place of the paper's distributions.

RRAM-RADAR-Tuning (doi 10.1109/TED.2021.3097975): single 200 ns RESET pulses of rising amplitude,
ten sweeps of each of 50 cells. Each sweep gives what one SET makes of a cell: the rise of ln R by a
reference pulse, and the resistance before. One pulse an amplitude tells nothing of knees; t_star,
m2 and noise stay the paper's.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from analysis.reset_sweeps import Steps, steps_of
from crossbar.records import PulseTrain
from crossbar.units import Volts
from lab.importing.hfox_reset_sweep import ResetSweepParameters, read_reset_sweeps
from physics.weak_reset import Normal, WeakResetPopulation, reference_pulses

FILE = Path("measured-cells", "hfox-1t1r-sweeps", "reset-sweep-sl-200ns-step-0.05-9-21-20.csv")
WIDTH = 200e-9
LAW: tuple[Volts, Volts] = (0.6, 0.85)
"""Where the exponential law of the amplitude is not contradicted (docs/real-cells.md)."""
BEFORE = 6
"""Pulses, all far below RESET, whose readings make the resistance before a sweep."""


@dataclass(frozen=True)
class Empirical:
    """The values themselves; `physics.weak_reset.Distribution`."""

    values: tuple[float, ...]

    def quantile(self, uniform: Tensor) -> Tensor:
        """The value below which this fraction of them lies."""
        ordered = torch.tensor(sorted(self.values), dtype=uniform.dtype, device=uniform.device)
        return ordered[(uniform * len(ordered)).long().clamp(max=len(ordered) - 1)]


@dataclass(frozen=True, kw_only=True)
class SweptCells:
    """What k sweeps say; every array has shape (k,)."""

    cell: NDArray[np.intp]
    m1: NDArray[np.float64]
    """Rise of ln R by a reference pulse; below zero where noise was larger."""
    log_r0: NDArray[np.float64]
    """ln(R / Ohm) before."""

    def between(self, values: NDArray[np.float64]) -> float:
        """Standard deviation from cell to cell, that of its sweeps taken out."""
        means = [values[self.cell == cell].mean() for cell in np.unique(self.cell)]
        sweeps = len(values) / len(means)
        return max(np.var(means, ddof=1) - self.within(values) ** 2 / sweeps, 0.0) ** 0.5

    def within(self, values: NDArray[np.float64]) -> float:
        """Standard deviation from sweep to sweep of a cell."""
        groups = (values[self.cell == cell] for cell in np.unique(self.cell))
        return float(np.mean([group.var(ddof=1) for group in groups])) ** 0.5


def swept_cells(data_dir: Path | None) -> SweptCells | None:
    """Read the sweeps; None where the file is not at hand: it is not downloaded.

    Raises DataError if it makes no sense.
    """
    if data_dir is None or not (data_dir / FILE).exists():
        return None
    records = read_reset_sweeps(data_dir / FILE, ResetSweepParameters()).records
    trains = [record for record in records if isinstance(record, PulseTrain)]
    steps = steps_of(trains)
    before = [-np.log(train.conductance[: 2 * BEFORE]).mean() for train in trains]
    return SweptCells(cell=steps.cell, m1=reference_rises(steps), log_r0=np.array(before))


def reference_rises(steps: Steps) -> NDArray[np.float64]:
    """(k,) rise of ln R by one reference pulse, fitted to each sweep's rises within `LAW` by least
    squares: the strong pulses, which show most, count most.
    """
    inside = (steps.amplitude >= LAW[0] - 1e-6) & (steps.amplitude <= LAW[1] + 1e-6)
    strength = reference_pulses(-steps.amplitude[inside], WIDTH)
    rises = steps.rise[:, inside]
    weight = np.isfinite(rises) * strength
    return np.asarray(np.nansum(rises * strength, axis=1) / (weight**2).sum(axis=1))


def swept_population(cells: SweptCells) -> WeakResetPopulation:
    """Cells with one of the sweeps' m1 each, and the sweeps' spreads of the resistance before."""
    published = WeakResetPopulation()
    mean = float(np.exp(cells.log_r0.mean()))
    cycle, cell = (mean * cells.within(cells.log_r0), cells.between(cells.log_r0))
    return replace(
        published,
        m1=Empirical(tuple(np.maximum(cells.m1, 0.0).tolist())),
        c1=Normal(mean=0.0, sd=cell, low=-3 * cell, high=3 * cell),
        r0=Normal(mean=mean, sd=cycle, low=mean - 3 * cycle, high=mean + 3 * cycle),
    )
