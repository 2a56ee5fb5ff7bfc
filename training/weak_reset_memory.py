"""Weights whose whole state is two HfOx cells each, taught by numbers of weak RESET pulses.

Majumdar et al., IEEE TED 2021 (arXiv 2107.06064), from the authors' released code: a weight is the
sign of R_BL - R_BLb, and there is no other memory of it. The optimizer's step u says how many weak
RESET pulses one of the two cells gets: round(u) of them, at most 14, BL where u is positive, else
BLb. Resistances only rise, unless the SET branch is on (Hirtzlin et al., IEDM 2019).
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from crossbar.errors import ConfigurationError
from crossbar.units import Ratio
from physics.weak_reset import PulseNoise, WeakResetCells, WeakResetPopulation
from physics.weak_reset_array import WeakResetArray
from training.bit_memory import held


@dataclass(frozen=True, kw_only=True)
class WeakResetSetup:
    """The cells, and what is done with them. Every imperfection is switched by itself."""

    population: WeakResetPopulation = field(default_factory=WeakResetPopulation)
    """Has cell to cell and cycle to cycle."""
    noise: PulseNoise = field(default_factory=PulseNoise)
    """Has telegraph and pink noise."""
    read_noise: Ratio = 0.0
    """Standard deviation of ln R from one reading of an untouched cell to the next; the published
    model has none."""
    sets: bool = False
    """Whether a weight whose sign has turned is SET, both cells, whereupon the cell that was just
    pulsed gets one pulse again. Switched off in the released code."""
    scattered: int = 14
    """Before training each cell gets 0 to so many pulses by chance. Ours: cells without any
    imperfection would otherwise be all alike, and so would the weights that they make."""

    def __post_init__(self) -> None:
        if self.read_noise < 0 or self.scattered < 0:
            raise ConfigurationError(
                f"Weak RESET weights with a read noise of {self.read_noise:g} and "
                f"{self.scattered} scattered pulses: neither can be negative."
            )


class WeakResetMemory(nn.Module):
    """The weights of one layer; `training.bit_memory.BitMemory`. ``state_dict`` has every cell."""

    def __init__(
        self,
        shape: tuple[int, ...],
        setup: WeakResetSetup,
        generator: torch.Generator,
        cells: WeakResetCells | None = None,
    ) -> None:
        """Weights of this shape. ``cells`` (2, *shape), BL first, are drawn where none are given;
        ``generator`` (of the CPU) seeds everything random.
        """
        super().__init__()
        self.setup = setup
        pair = (2, *shape)
        self.cells = WeakResetArray(pair, setup.population, setup.noise, generator, cells)
        scattered = torch.randint(setup.scattered + 1, pair, generator=generator)
        self.cells.give(scattered.float())

    def read(self, latents: Tensor) -> Tensor:
        """The weights, with a straight-through gradient towards the latents, whose values do not
        count: they carry the gradient to the optimizer, and its step from there to `give`.
        """
        return held(latents, self.weights())

    def weights(self) -> Tensor:
        """(*shape) +-1 as read once."""
        difference = self._noisy(self.difference(), 2**0.5)
        return torch.copysign(difference.new_ones(()), difference, out=difference)  # ties are +1

    def log_resistance(self) -> Tensor:
        """(2, *shape) ln(R / Ohm) by one reading of each cell."""
        return self._noisy(self.cells.log_resistance, 1.0)

    def difference(self) -> Tensor:
        """(*shape) ln(R_BL / R_BLb)."""
        true, inverted = self.cells.log_ratio.view(self.cells.shape)
        return true - inverted

    @torch.no_grad()
    def give(self, pulses: Tensor) -> None:
        """Give so many weak RESET pulses: (*shape) whole numbers, to BL where positive, else to
        BLb.
        """
        before = self.weights() if self.setup.sets else None
        self.cells.give_either(pulses)
        if before is not None:
            turned = self.weights() != before
            self.cells.set_cells(turned.expand(self.cells.shape))
            self.cells.give_either(pulses.sign() * turned)

    def _noisy(self, values: Tensor, scale: float) -> Tensor:
        """So many times the noise of a reading added."""
        if self.setup.read_noise == 0:
            return values
        drawn = torch.randn(values.shape, generator=self.cells.generator).to(values.device)
        return values + scale * self.setup.read_noise * drawn


def on_each_cell(pulses: Tensor) -> Tensor:
    """(2, *shape) pulses of BL and BLb, from signed ones."""
    return torch.stack([pulses.clamp(min=0), pulses.neg().clamp_(min=0)])
