"""The generative model of a die's defects: single cells and whole lines, uneven from die to die.

The simulated wafer's truth and statistics-aware training draw from the same class; `analysis` fits
it to measured dies. Conductances are relative to the median LOW conductance of healthy cells.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import gammaincinv
from torch import Tensor

from crossbar.defect_map import CellClass
from crossbar.errors import ConfigurationError
from crossbar.geometry import DieGeometry
from crossbar.units import Ratio

LINE_CLASSES = (CellClass.OPEN, CellClass.SHORT)
"""What a whole line can be; where two lines cross, the short wins."""
WEAK_WINDOW = (0.25, 0.45)
"""Window of a weak cell as a fraction of the healthy window, evenly spread; ours."""


@dataclass(frozen=True, kw_only=True)
class SampledDies:
    """Drawn dies; all arrays have shape (dies, subarrays, rows, columns)."""

    classes: Tensor
    """int8, `CellClass` values."""
    low: Tensor
    """float32, conductance after writing LOW, relative to the median LOW conductance."""
    high: Tensor
    """The same after writing HIGH; equal to ``low`` for cells that do not switch."""


@dataclass(frozen=True, kw_only=True)
class DefectPopulation:
    """How often cells and lines fail, and what cells conduct."""

    point_rates: Mapping[CellClass, Ratio]
    """Mean fraction of single defective cells, by class; those of lines come on top."""
    dispersion: float
    """Shape k of the die-to-die factor of each point rate, Gamma(k, 1/k): mean 1, sd k**-0.5."""
    column_rate: Mapping[CellClass, Ratio]
    """Probability that a column is defective; SHORT or OPEN."""
    row_rate: Mapping[CellClass, Ratio]
    """Probability that a row is defective; SHORT or OPEN."""
    line_fill: Ratio
    """Fraction of a defective line's cells that are defective."""
    short_conductance: tuple[float, ...]
    """Quantiles at evenly spaced probabilities from 0 to 1."""
    open_conductance: tuple[float, ...]
    """The same for open cells."""
    healthy_low_spread: Ratio
    """Standard deviation of ln G, cell to cell, of healthy cells in the LOW state."""
    healthy_high_spread: Ratio
    """The same in the HIGH state."""
    healthy_correlation: Ratio
    """Of ln G between the two states of a cell."""
    window: Ratio
    """Median HIGH over median LOW conductance."""

    def __post_init__(self) -> None:
        rates = (
            *((f"point_rates[{c.name}]", rate) for c, rate in self.point_rates.items()),
            *((f"column_rate[{c.name}]", rate) for c, rate in self.column_rate.items()),
            *((f"row_rate[{c.name}]", rate) for c, rate in self.row_rate.items()),
            ("line_fill", self.line_fill),
            ("window", self.window),
        )
        for name, value in rates:
            _require(0 <= value <= 1, name, value, "a fraction from 0 to 1")
        for name in ("column_rate", "row_rate"):
            classes = set(getattr(self, name)) - set(LINE_CLASSES)
            _require(not classes, name, classes, "rates of SHORT and OPEN only")
        _require(self.dispersion > 0, "dispersion", self.dispersion, "positive")
        _require(abs(self.healthy_correlation) <= 1, "healthy_correlation",
                 self.healthy_correlation, "from -1 to 1")  # fmt: skip
        for name in ("short_conductance", "open_conductance"):
            quantiles = getattr(self, name)
            rising = len(quantiles) >= 2 and list(quantiles) == sorted(quantiles)
            _require(rising and quantiles[0] >= 0, name, quantiles,
                     "two or more rising quantiles, none negative")  # fmt: skip

    def sample(
        self, geometry: DieGeometry, generator: torch.Generator, dies: int = 1
    ) -> SampledDies:
        """Draw ``dies`` dies, on the generator's torch device."""
        shape = (dies, *geometry.shape)
        classes = self._points(shape, generator)
        for cell_class in LINE_CLASSES:
            self._fail_lines(classes, cell_class, self.row_rate.get(cell_class, 0.0), generator)
            # A view with rows and columns exchanged: columns fail like rows.
            self._fail_lines(
                classes.transpose(2, 3),
                cell_class,
                self.column_rate.get(cell_class, 0.0),
                generator,
            )
        low, high = self._healthy(shape, generator)
        self._fix_defective(classes, low, high, generator)
        return SampledDies(classes=classes, low=low, high=high)

    def _points(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """Single defective cells; each die has its own factor on each class's rate."""
        kinds = [c for c in CellClass if c is not CellClass.HEALTHY]
        device = generator.device
        uniform = torch.rand(
            (shape[0], len(kinds)), generator=generator, device=device, dtype=torch.float64
        )
        factor = gammaincinv(self.dispersion, uniform.cpu().numpy()) / self.dispersion
        rates = np.array([self.point_rates.get(c, 0.0) for c in kinds]) * factor
        bounds = torch.from_numpy(np.cumsum(rates, axis=1)).to(device, torch.float32)
        draws = torch.rand((shape[0], math.prod(shape[1:])), generator=generator, device=device)
        labels = torch.tensor([*kinds, CellClass.HEALTHY], dtype=torch.int8, device=device)
        return labels[torch.searchsorted(bounds, draws, right=True)].view(shape)

    def _fail_lines(
        self, classes: Tensor, cell_class: CellClass, rate: float, generator: torch.Generator
    ) -> None:
        """Make rows of ``classes`` (dies, subarrays, rows, columns) defective, in place."""
        if rate == 0:
            return
        device = generator.device
        lines = (torch.rand(classes.shape[:3], generator=generator, device=device) < rate).nonzero(
            as_tuple=True
        )
        cells = classes[lines]
        hit = torch.rand(cells.shape, generator=generator, device=device) < self.line_fill
        classes[lines] = torch.where(hit, int(cell_class), cells).to(torch.int8)

    def _healthy(self, shape: tuple[int, ...], generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Log-normal conductances of both states, correlated."""
        first, second = torch.randn((2, *shape), generator=generator, device=generator.device)
        common, own = self.healthy_correlation, math.sqrt(1 - self.healthy_correlation**2)
        low = torch.exp(self.healthy_low_spread * first)
        high = self.window * torch.exp(self.healthy_high_spread * (common * first + own * second))
        return low, high

    def _fix_defective(
        self, classes: Tensor, low: Tensor, high: Tensor, generator: torch.Generator
    ) -> None:
        """Give defective cells their conductances, in place."""
        kind = classes.view(-1)
        low, high = low.view(-1), high.view(-1)
        (defective,) = kind.nonzero(as_tuple=True)
        where = {c: defective[kind[defective] == int(c)] for c in CellClass if c}
        for cell_class, quantiles in (
            (CellClass.SHORT, self.short_conductance),
            (CellClass.OPEN, self.open_conductance),
        ):
            cells = where[cell_class]
            uniform = torch.rand(len(cells), generator=generator, device=generator.device)
            low[cells] = high[cells] = from_quantiles(quantiles, uniform)
        high[where[CellClass.STUCK_LOW]] = low[where[CellClass.STUCK_LOW]]
        low[where[CellClass.STUCK_HIGH]] = high[where[CellClass.STUCK_HIGH]]
        weak = where[CellClass.WEAK]
        uniform = torch.rand(len(weak), generator=generator, device=generator.device)
        kept = WEAK_WINDOW[0] + (WEAK_WINDOW[1] - WEAK_WINDOW[0]) * uniform
        high[weak] = low[weak] * (1 - kept * (1 - self.window))


def from_quantiles(quantiles: tuple[float, ...], uniform: Tensor) -> Tensor:
    """Map uniform numbers from [0, 1) to the distribution with these evenly spaced quantiles."""
    nodes = torch.tensor(quantiles, dtype=uniform.dtype, device=uniform.device)
    place = uniform * (len(quantiles) - 1)
    lower = place.long().clamp(max=len(quantiles) - 2)
    return torch.lerp(nodes[lower], nodes[lower + 1], place - lower)


def _require(good: bool, name: str, value: object, expected: str) -> None:
    if not good:
        raise ConfigurationError(
            f"DefectPopulation.{name} is {value!r}; it must be {expected}. Correct it where the "
            "population is configured or fitted."
        )


SISTER_CHIP = DefectPopulation(
    point_rates={
        CellClass.SHORT: 0.0217,
        CellClass.OPEN: 0.0013,
        CellClass.STUCK_LOW: 0.001,
        CellClass.STUCK_HIGH: 0.001,
        CellClass.WEAK: 0.001,
    },
    dispersion=3.0,
    column_rate={CellClass.SHORT: 0.0057, CellClass.OPEN: 0.04},
    row_rate={},
    line_fill=0.5,
    short_conductance=(1.7, 2.16, 2.65, 3.11, 3.54, 3.97, 4.33, 4.70, 5.20, 5.84, 6.8),
    open_conductance=(0.0, 0.005, 0.02),
    healthy_low_spread=0.05,
    healthy_high_spread=0.054,
    healthy_correlation=0.93,
    window=0.51,
)
"""Defects as on the 20,000-cell ReRAM sister chip (Yousuf et al., Nat. Commun. 2025, open data).

From its 14 published 25 x 25 kernels: shorts 2.46 % (sd 1.56 % from kernel to kernel, which sets
``dispersion``), of which two columns make up a part; opens 2.13 %, nearly all in single columns
with about half of their cells; shorts conduct 1.9 / 2.9 / 4.0 / 4.9 / 6.2 times a healthy LOW cell
at the 5 / 25 / 50 / 75 / 95 % quantiles. Stuck and weak cells are ours. Healthy cells are those of
the default `physics.mtj.MtjPopulation` read at 0.1 V.
"""
