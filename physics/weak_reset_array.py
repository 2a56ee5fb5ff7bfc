"""Weak RESET of millions of cells at once: the model of `physics.weak_reset`, arranged for speed.

ln R of a cell is a function of what the cell is, of the pulses it got since its SET, and of whether
its telegraph is high. Nothing random is drawn by the pulse:

- Pink noise and the telegraph's amplitudes are read from tables that hold a long run of them. Every
  cell begins at a place of its own and moves on by one with every pulse. Two cells share a sample
  only where their places meet, by chance one in `LENGTH`; a cell repeats itself after so many.
- The telegraph's next flip is drawn when it flips: so many pulses later, geometrically distributed.

The distribution is that of `physics.weak_reset.advance`; without noise so is the value, to float32.
Any torch device; random numbers come of a generator of the CPU, so devices differ by rounding only.
"""

import math
from dataclasses import fields
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn

from crossbar.errors import ConfigurationError
from crossbar.units import Ohms
from physics.weak_reset import (
    PARAMETER_DRAWS,
    PulseNoise,
    WeakResetCells,
    WeakResetPopulation,
    pink_coefficients,
)

LENGTH = 1 << 16
"""Of the tables, in pulses: beyond the 16,800 that a published training can give a cell."""
TABLE_SEED = 20210706
"""Of the tables, which are the same for everybody: what differs is where cells begin in them."""
CHUNK = 1 << 17
"""Cells of one piece of work on the CPU, small enough for its cache."""


class WeakResetArray(nn.Module):
    """Cells with a state. All of it is in ``state_dict``, the random numbers to come included."""

    m1: Tensor
    t_star: Tensor
    c1: Tensor
    m2: Tensor
    r0: Tensor
    telegraph: Tensor
    start: Tensor
    """(cells,) ln(R / `reference`) right after the SET."""
    pulses: Tensor
    """(cells,) since the SET."""
    place: Tensor
    """(cells,) in the tables at the SET; int32."""
    jump: Tensor
    """(cells,) the telegraph's largest rise of ln R while it is high, 0 while it is low."""
    flip_at: Tensor
    """(cells,) pulses since the SET at which the telegraph flips next."""
    log_ratio: Tensor
    """(cells,) ln(R / `reference`) now."""

    def __init__(
        self,
        shape: tuple[int, ...],
        population: WeakResetPopulation,
        noise: PulseNoise,
        generator: torch.Generator,
        cells: WeakResetCells | None = None,
    ) -> None:
        """Cells right after a SET: drawn from the population, or those given, of this shape.

        ``generator`` (of the CPU) seeds the array's own. Raises ConfigurationError for cells of
        another shape.
        """
        super().__init__()
        self.shape = shape
        self.population = population
        self.noise = noise
        self.generator = torch.Generator()
        self.generator.manual_seed(int(torch.randint(1 << 62, (), generator=generator)))
        count = math.prod(shape)
        drawn = torch.rand((count, PARAMETER_DRAWS), generator=self.generator, dtype=torch.float64)
        made = population.cells(drawn) if cells is None else cells
        for name in (f.name for f in fields(WeakResetCells)):
            parameter = getattr(made, name)
            if parameter.numel() != count:
                raise ConfigurationError(
                    f"{parameter.numel()} cells were given for an array of {shape}, which has "
                    f"{count}. Give one for each place."
                )
            self.register_buffer(name, parameter.reshape(-1).float())
        for name in ("start", "pulses", "jump", "flip_at", "log_ratio"):
            self.register_buffer(name, torch.zeros(count))
        places = torch.randint(LENGTH, (count,), generator=self.generator, dtype=torch.int32)
        self.register_buffer("place", places)
        self._begin(torch.arange(count))

    @property
    def reference(self) -> Ohms:
        """The resistance that ``log_ratio`` refers to."""
        return self.population.r0.mean

    @property
    def log_resistance(self) -> Tensor:
        """(*shape) ln(R / Ohm) now."""
        return (self.log_ratio + math.log(self.reference)).view(self.shape)

    @torch.no_grad()
    def give(self, pulses: Tensor) -> None:
        """Give each cell so many pulses: (*shape) whole numbers, not negative."""
        given = pulses.reshape(-1)
        self.pulses += given
        if self.noise.telegraph:
            self._flip()
        size = CHUNK if given.device.type == "cpu" else max(len(given), 1)
        for start in range(0, len(given), size):
            part = slice(start, start + size)
            self._evaluate(part)

    @torch.no_grad()
    def set_cells(self, chosen: Tensor) -> None:
        """SET the cells where (*shape) bool ``chosen`` is true; they keep what they are."""
        cells = chosen.reshape(-1).nonzero().squeeze(1)
        spent = self.pulses[cells].int() + self.noise.poles
        self.place[cells] = (self.place[cells] + spent).bitwise_and_(LENGTH - 1)
        self._begin(cells)

    def get_extra_state(self) -> Tensor:
        """The random numbers to come."""
        return self.generator.get_state()

    def set_extra_state(self, state: Tensor) -> None:
        """Go on with these random numbers."""
        self.generator.set_state(state.cpu())

    def _begin(self, cells: Tensor) -> None:
        """After a SET: no pulse given, telegraph low, no noise."""
        count, device = len(cells), cells.device
        drawn = torch.rand(count, generator=self.generator, dtype=torch.float64).to(device)
        r0 = self.r0[cells]
        if self.population.cycle_to_cycle:
            r0 = self.population.r0.quantile(drawn).float()
        self.start[cells] = torch.log(r0 / self.reference) + self.c1[cells]
        self.pulses[cells] = 0
        self.jump[cells] = 0
        self.flip_at[cells] = self._until_flip(torch.zeros(count, device=device))
        self.log_ratio[cells] = self.start[cells]

    def _flip(self) -> None:
        """Let every telegraph flip whose time has come; as often as it comes."""
        due = _where_not_below(self.pulses, self.flip_at)
        while len(due):
            jump = self.telegraph[due] - self.jump[due]
            self.jump[due] = jump
            flip_at = self.flip_at[due] + self._until_flip(jump)
            self.flip_at[due] = flip_at
            due = due[self.pulses[due] >= flip_at]

    def _until_flip(self, jump: Tensor) -> Tensor:
        """(n,) pulses until telegraphs flip that are high where ``jump`` is not 0: 1 or more."""
        drawn = torch.rand(len(jump), generator=self.generator, dtype=torch.float64)
        chance = torch.where(jump > 0, self.noise.fall, self.noise.rise)
        stays = drawn.to(jump.device).neg().log1p() / chance.double().neg().log1p()
        return stays.ceil().clamp(min=1).float()

    def _evaluate(self, part: slice) -> None:
        """Work out ``log_ratio`` of these cells from their pulses."""
        pulses, log_ratio = self.pulses[part], self.log_ratio[part]
        early = torch.minimum(pulses, self.t_star[part])
        torch.addcmul(self.start[part], self.m1[part], early, out=log_ratio)
        log_ratio.addcmul_(self.m2[part], torch.sub(pulses, early, out=early))
        if not (self.noise.pink or self.noise.telegraph):
            return
        whole = pulses.int()
        place = (self.place[part] + whole).bitwise_and_(LENGTH - 1)
        if self.noise.telegraph:
            log_ratio.addcmul_(self.jump[part], products(pulses.device).index_select(0, place))
        if self.noise.pink:
            place += whole.clamp_(max=self.noise.poles).mul_(LENGTH)
            log_ratio += pink_table(self.noise, pulses.device).index_select(0, place)


def _where_not_below(values: Tensor, limits: Tensor) -> Tensor:
    """Indices of the values that have reached their limits; on the CPU by numpy, four times as
    fast as torch's ``nonzero``.
    """
    if values.device.type == "cpu":
        return torch.from_numpy(np.flatnonzero(values.numpy() >= limits.numpy()))
    return (values >= limits).nonzero().squeeze(1)


@cache
def products(device: torch.device) -> Tensor:
    """(LENGTH,) products of two uniform numbers, which scale the telegraphs' amplitudes."""
    generator = torch.Generator().manual_seed(TABLE_SEED)
    return torch.rand((2, LENGTH), generator=generator).prod(0).to(device)


@cache
def pink_table(noise: PulseNoise, device: torch.device) -> Tensor:
    """((poles + 1) LENGTH,) what pink noise adds to ln R: after 0, 1, ... and ``poles`` pulses or
    more since the SET, each a run of `LENGTH` that closes into a ring.
    """
    generator = torch.Generator().manual_seed(TABLE_SEED + 1)
    samples = torch.rand(LENGTH, generator=generator, dtype=torch.float64)
    samples -= 0.5 if noise.centred else 0.0
    rows = [torch.zeros_like(samples)]
    for age, weight in enumerate(pink_coefficients(noise.poles)):
        rows.append(rows[-1] + noise.coupling * weight * samples.roll(age))
    return torch.cat(rows).float().to(device)
