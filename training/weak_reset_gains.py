"""Pulse counts that make up for how differently cells respond to a pulse.

Ours, not in the paper: a cell whose ln R rises half as far as usual gets twice the pulses. What a
cell responds is measured, never known: two readings of it, and the pulses that training gave it in
between. Nothing is pulsed for the measurement's sake.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from crossbar.errors import ConfigurationError
from crossbar.units import Ratio
from training.classifier import AfterStep
from training.weak_reset_learning import PulsedMemory
from training.weak_reset_memory import on_each_cell


class ReadablePairs(PulsedMemory, Protocol):
    """Pairs whose cells can be read one by one."""

    def log_resistance(self) -> Tensor:
        """(2, *weights) ln(R / Ohm) by one reading of each cell."""


@dataclass(frozen=True, kw_only=True)
class Looking:
    """How responses are measured; all of it ours."""

    every: int = 50
    """Steps of the training from one look to the next."""
    settling: int = 15
    """Pulses before a cell's first reading: pink noise, which is not centred, is then steady."""
    pulses: int = 30
    """Between two readings that tell a response; a cell that got fewer keeps its gain."""
    most_gain: Ratio = 32.0
    least_gain: Ratio = 1 / 16
    enough: Ratio = 0.25
    """Share of the cells that must have told theirs before it is settled what is usual."""

    def __post_init__(self) -> None:
        if min(self.every, self.pulses) < 1 or not 0 < self.least_gain <= 1 <= self.most_gain:
            raise ConfigurationError(
                f"Looking every {self.every} steps at cells with {self.pulses} pulses, gains from "
                f"{self.least_gain:g} to {self.most_gain:g}: it takes a step and a pulse at least, "
                "and gains on both sides of one."
            )


class CompensatedPairs:
    """Pairs whose cells respond about alike; `training.weak_reset_learning.PulsedMemory`."""

    def __init__(self, pairs: ReadablePairs, looking: Looking, generator: torch.Generator) -> None:
        """``generator`` (of the CPU) rounds pulses up or down."""
        self.pairs = pairs
        self.looking = looking
        self.generator = generator
        self.last = pairs.log_resistance()
        """(2, *weights) ln(R / Ohm) when the cell was last looked at."""
        self.since = torch.zeros_like(self.last)
        """(2, *weights) pulses since then."""
        self.settled = torch.zeros_like(self.last, dtype=torch.bool)
        self.gain = torch.ones_like(self.last)
        self.usual: float | None = None
        """Rise of ln R by a pulse that all cells are to have: the median when first known."""

    def read(self, latents: Tensor) -> Tensor:
        """As the pairs read."""
        return self.pairs.read(latents)

    @torch.no_grad()
    def give(self, pulses: Tensor) -> None:
        """Give so many pulses of the usual response, of each cell's own as many as that takes;
        rounded by chance, or cells of large responses would never get one.
        """
        wanted = on_each_cell(pulses) * self.gain
        drawn = torch.rand(wanted.shape, generator=self.generator).to(wanted.device)
        given = (wanted + drawn).floor_()
        self.since += given
        self.pairs.give(given[0] - given[1])

    @torch.no_grad()
    def look_again(self) -> None:
        """Read every cell once, and learn what it responds now: cells slow down at the knee."""
        looking, now = self.looking, self.pairs.log_resistance()
        ripe = self.since >= torch.where(self.settled, looking.pulses, looking.settling)
        known = ripe & self.settled
        response = (now - self.last) / self.since.clamp(min=1)
        if self.usual is None and float(known.float().mean()) >= looking.enough:
            self.usual = max(float(response[known].median()), 1e-9)
        if self.usual is not None:
            gain = self.usual / response.clamp(min=self.usual / looking.most_gain)
            self.gain = torch.where(known, gain.clamp(min=looking.least_gain), self.gain)
        self.last = torch.where(ripe, now, self.last)
        self.since = torch.where(ripe, 0, self.since)
        self.settled |= ripe


def looking_again(after_step: AfterStep, pairs: Iterable[CompensatedPairs]) -> AfterStep:
    """The same after every step, and a look at each cell as often as its pairs say."""
    looked_at = list(pairs)

    def after(step: int) -> None:
        after_step(step)
        for one in looked_at:
            if step % one.looking.every == 0:
                one.look_again()

    return after
