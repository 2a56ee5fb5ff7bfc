"""Weak RESET of millions of cells at once: the model of `physics.weak_reset`, arranged for speed.

ln R of a cell is a function of what the cell is, of the pulses it got since its SET, and of whether
its telegraph is high. Nothing random is drawn by the pulse:

- Pink noise and the telegraph's amplitudes are read from `physics.weak_reset_tables`. Every cell
  begins at a place of its own and moves on by one with every pulse. Two cells share a sample only
  where their places meet, by chance one in `LENGTH`; a cell repeats itself after so many.
- The telegraph's next flip is drawn when it flips: so many pulses later, geometrically distributed.

An update works out ln R of all cells in one way, after a look at the few whose *event* has come: a
flip, the end of the tables, or any pulse while the past of the pink noise is not yet full. What
noise adds to cells with such a past is held with the cell, so that the tables that all others are
read from are short enough for the processor's cache.

The distribution is that of `physics.weak_reset.advance`; without noise so is the value, to float32.
Any torch device; random numbers come of a generator of the CPU, so devices differ by rounding only.
"""

import math
from dataclasses import fields

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
)
from physics.weak_reset_tables import LENGTH, pink_rows, pink_table, products

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
    base: Tensor
    """(cells,) the same, with what noise adds now while its past is not full."""
    pulses: Tensor
    """(cells,) since the SET."""
    place: Tensor
    """(cells,) in the tables at the SET; int32."""
    jump: Tensor
    """(cells,) the telegraph's largest rise of ln R while it is high, 0 while it is low."""
    flip_at: Tensor
    """(cells,) pulses since the SET at which the telegraph flips next."""
    origin: Tensor
    """(cells,) where in the tables no pulses at all would be, as the cell is read now; int32."""
    turn_at: Tensor
    """(cells,) pulses since the SET until which ``base`` and ``origin`` hold."""
    event_at: Tensor
    """(cells,) the lesser of ``flip_at`` and ``turn_at``."""
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
        for name in (
            "start", "base", "pulses", "jump", "flip_at", "turn_at", "event_at", "log_ratio",
        ):  # fmt: skip
            self.register_buffer(name, torch.zeros(count))
        places = torch.randint(LENGTH, (count,), generator=self.generator, dtype=torch.int32)
        self.register_buffer("place", places)
        self.register_buffer("origin", torch.zeros_like(places))
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
        self.pulses += pulses.reshape(-1)
        self._follow()

    @torch.no_grad()
    def give_either(self, pulses: Tensor) -> None:
        """Give pairs of cells, an array of shape (2, *pairs), so many pulses: (*pairs) whole
        numbers, to the first cell where positive, else to the second.
        """
        size = self._piece()
        halves = (half.split(size) for half in self.pulses.view(2, -1))
        for first, second, given in zip(*halves, pulses.reshape(-1).split(size), strict=True):
            positive = given.clamp(min=0)
            first += positive
            second += positive.sub_(given)
        self._follow()

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

    def _piece(self) -> int:
        """Cells to work on at a time."""
        return CHUNK if self.pulses.device.type == "cpu" else max(len(self.pulses), 1)

    def _follow(self) -> None:
        """Bring everything up to the pulses given."""
        if self.noise.telegraph or self.noise.pink:
            due = _where_not_below(self.pulses, self.event_at)
            pulses = self.pulses.index_select(0, due)
            self._flip(due[pulses >= self.flip_at.index_select(0, due)])
            self._turn(due[pulses >= self.turn_at.index_select(0, due)])
            self._await(due)
        self._evaluate()

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
        until_flip = self._until_flip(torch.zeros(count, device=device))
        self.flip_at[cells] = until_flip if self.noise.telegraph else math.inf
        self.log_ratio[cells] = self.start[cells]
        self._turn(cells)
        self._await(cells)

    def _flip(self, due: Tensor) -> None:
        """Let these telegraphs flip, as often as it comes."""
        while len(due):
            jump = self.telegraph.index_select(0, due) - self.jump.index_select(0, due)
            self.jump.index_copy_(0, due, jump)
            flip_at = self.flip_at.index_select(0, due) + self._until_flip(jump)
            self.flip_at.index_copy_(0, due, flip_at)
            due = due[self.pulses.index_select(0, due) >= flip_at]

    def _turn(self, cells: Tensor) -> None:
        """Find out what noise these cells hold, and from where in the tables they get it."""
        noise, device = self.noise, cells.device
        pulses, place, base = (
            of_all.index_select(0, cells) for of_all in (self.pulses, self.place, self.start)
        )
        whole = pulses.int()
        on_ring = (place + whole).bitwise_and_(LENGTH - 1)
        turn_at = pulses + (LENGTH - on_ring)
        if noise.pink:
            filling = pulses < noise.poles
            past = whole.clamp(max=noise.poles).mul_(LENGTH).add_(on_ring)
            added = pink_rows(noise, device).index_select(0, past)
            if noise.telegraph:
                products_now = products(device).index_select(0, on_ring)
                added.addcmul_(self.jump.index_select(0, cells), products_now)
            base += added * filling
            on_ring.masked_fill_(filling, LENGTH)
            turn_at = torch.where(filling, pulses + 1, turn_at)
        self.base.index_copy_(0, cells, base)
        self.origin.index_copy_(0, cells, on_ring - whole)
        self.turn_at.index_copy_(0, cells, turn_at)

    def _await(self, cells: Tensor) -> None:
        """Find out when these cells' next event is."""
        flip_at, turn_at = (
            of_all.index_select(0, cells) for of_all in (self.flip_at, self.turn_at)
        )
        self.event_at.index_copy_(0, cells, torch.minimum(flip_at, turn_at))

    def _until_flip(self, jump: Tensor) -> Tensor:
        """(n,) pulses until telegraphs flip that are high where ``jump`` is not 0: 1 or more."""
        drawn = torch.rand(len(jump), generator=self.generator, dtype=torch.float64)
        chance = torch.where(jump > 0, self.noise.fall, self.noise.rise)
        stays = drawn.to(jump.device).neg().log1p() / chance.double().neg().log1p()
        return stays.ceil().clamp(min=1).float()

    def _evaluate(self) -> None:
        """Work out ``log_ratio`` of all cells from their pulses."""
        noise, device = self.noise, self.pulses.device
        everything = (
            self.pulses, self.base, self.m1, self.t_star, self.m2,
            self.origin, self.jump, self.log_ratio,
        )  # fmt: skip
        for pulses, base, m1, t_star, m2, origin, jump, log_ratio in zip(
            *(of_all.split(self._piece()) for of_all in everything), strict=True
        ):
            early = torch.minimum(pulses, t_star)
            torch.addcmul(base, m1, early, out=log_ratio)
            log_ratio.addcmul_(m2, torch.sub(pulses, early, out=early))
            if not (noise.pink or noise.telegraph):
                continue
            place = pulses.int().add_(origin)
            if noise.telegraph:
                log_ratio.addcmul_(jump, products(device).index_select(0, place))
            if noise.pink:
                log_ratio += pink_table(noise, device).index_select(0, place)


def _where_not_below(values: Tensor, limits: Tensor) -> Tensor:
    """Indices of the values that have reached their limits; on the CPU by numpy, four times as
    fast as torch's ``nonzero``.
    """
    if values.device.type == "cpu":
        return torch.from_numpy(np.flatnonzero(values.numpy() >= limits.numpy()))
    return (values >= limits).nonzero().squeeze(1)
