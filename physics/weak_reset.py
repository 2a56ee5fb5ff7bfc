"""Weak RESET of HfOx cells: the logarithm of the resistance rises pulse by pulse, with noise.

Majumdar et al., IEEE TED 2021 (arXiv 2107.06064), from the authors' released code: ln R = ln R0 + w
with w = two straight lines over the number of pulses (`mean_log_ratio`) + a telegraph + pink noise.
Torch, batched over cells of any shape, on any torch device. Nothing here draws: what is random is a
function of uniform numbers, which a simulated die takes from `physics.draws` and a training from a
``torch.Generator``.

Four defects of the released code are not repeated: (a) in `WeakResetState`, (b) in `PulseNoise`,
(c) and (d) in `advance`.
"""

import math
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import ndtr
from torch import Tensor

from crossbar.errors import ConfigurationError
from crossbar.units import Ratio, Seconds, Volts

PARAMETER_DRAWS = 6
"""Uniform numbers that make one cell, in this order: m1, t_star, c1, m2, R0, telegraph."""
TELEGRAPH_DRAWS = 3
REFERENCE_AMPLITUDE: Volts = 0.52
REFERENCE_WIDTH: Seconds = 200e-9
AMPLITUDE_SCALE: Volts = 0.062
"""See `reference_pulses`."""


class Distribution(Protocol):
    """Of one parameter over the cells."""

    def quantile(self, uniform: Tensor) -> Tensor:
        """Where this fraction of the cells lies below."""


@dataclass(frozen=True, kw_only=True)
class Exponential:
    """``location`` plus an exponential of mean ``scale``, cut off above ``high``."""

    location: float
    scale: float
    high: float

    def quantile(self, uniform: Tensor) -> Tensor:
        """Where this fraction lies below, by the inverse of the truncated distribution."""
        kept = -math.expm1((self.location - self.high) / self.scale)
        return self.location - self.scale * torch.log1p(-kept * uniform)


@dataclass(frozen=True, kw_only=True)
class Normal:
    """A normal distribution, cut off below ``low`` and above ``high``."""

    mean: float
    sd: float
    low: float
    high: float

    def quantile(self, uniform: Tensor) -> Tensor:
        """Where this fraction lies below, by the inverse of the truncated distribution."""
        below, above = (float(ndtr((end - self.mean) / self.sd)) for end in (self.low, self.high))
        return self.mean + self.sd * torch.special.ndtri(below + (above - below) * uniform)


@dataclass(frozen=True, kw_only=True)
class WeakResetCells:
    """What SETs and pulses do not change; every tensor has the shape of the cells."""

    m1: Tensor
    """Rise of ln R by one pulse, before the knee."""
    t_star: Tensor
    """Pulses after a SET at which the knee is."""
    c1: Tensor
    """ln(R / R0) before the first pulse."""
    m2: Tensor
    """Rise of ln R by one pulse, after the knee."""
    r0: Tensor
    """Ohm, the cell's own LOW resistance, where it does not change from cycle to cycle."""
    telegraph: Tensor
    """Largest rise of ln R by the telegraph."""

    def __getitem__(self, cells: Tensor) -> "WeakResetCells":
        """The cells at these indices."""
        return WeakResetCells(**{f.name: getattr(self, f.name)[cells] for f in fields(self)})


@dataclass(frozen=True, kw_only=True)
class WeakResetPopulation:
    """How cells differ. The numbers are the authors' fits to their arrays.

    Their lower limits of m1 (3.74e-5) and m2 (0) are where the exponentials begin anyway.
    """

    m1: Distribution = Exponential(
        location=3.7415768289771944e-05, scale=6.564678011593196e-04, high=7.6e-3
    )
    log_t_star: Distribution = Normal(
        mean=math.log(542.5385224079308),
        sd=0.8033817700570505,
        low=math.log(41),
        high=math.log(2e3),
    )
    c1: Normal = Normal(mean=0.005293141020227579, sd=0.05320804175540371, low=-0.15, high=0.15)
    m2: Distribution = Exponential(location=0.0, scale=2.8890516951651312e-05, high=1.3e-4)
    r0: Normal = Normal(mean=6988.0, sd=381.7, low=6252.0, high=7897.0)
    """Ohm."""
    telegraph: Ratio = 0.5
    """The cells' largest telegraph amplitudes are evenly spread from 0 to this."""
    cell_to_cell: bool = True
    """False: every cell is the median one."""
    cycle_to_cycle: bool = True
    """False: a SET brings a cell back to its own R0. (The released code never SETs.)"""

    def cells(self, uniforms: Tensor) -> WeakResetCells:
        """Cells of shape (*cells,) from uniform numbers (*cells, `PARAMETER_DRAWS`)."""
        _check_draws(uniforms, PARAMETER_DRAWS, "cells")
        if not self.cell_to_cell:
            uniforms = torch.full_like(uniforms, 0.5)
        m1, t_star, c1, m2, r0, telegraph = uniforms.unbind(-1)
        return WeakResetCells(
            m1=self.m1.quantile(m1),
            t_star=self.log_t_star.quantile(t_star).exp(),
            c1=self.c1.quantile(c1),
            m2=self.m2.quantile(m2),
            r0=self.r0.quantile(r0),
            telegraph=self.telegraph * telegraph,
        )

    def r0_after_set(self, cells: WeakResetCells, uniform: Tensor) -> Tensor:
        """Ohm that each cell has right after a SET; from one uniform number each."""
        return self.r0.quantile(uniform) if self.cycle_to_cycle else cells.r0


@dataclass(frozen=True, kw_only=True)
class PulseNoise:
    """What each pulse shakes. Telegraph and pink noise are switched one by one.

    Defect (b) of the released code: the network with dense layers has both commented out, the
    convolutional one has both on. Here they are on unless switched off.
    """

    telegraph: bool = True
    pink: bool = True
    rise: Ratio = 8e-4
    """Probability that a pulse takes the telegraph from low to high."""
    fall: Ratio = 2e-3
    """From high to low."""
    coupling: Ratio = 2.5e-2
    """Of the pink noise to ln R (alpha)."""
    poles: int = 15
    """Past samples that the pink noise remembers."""
    centred: bool = False
    """Whether its samples are uniform on (-1/2, 1/2). As published they are uniform on (0, 1),
    which adds 0.054 to ln R from the 15th pulse on."""

    @property
    def draws(self) -> int:
        """Uniform numbers that `advance` takes for each cell."""
        return TELEGRAPH_DRAWS * self.telegraph + self.poles * self.pink


@dataclass(frozen=True, kw_only=True)
class WeakResetState:
    """Where cells are since their last SET.

    Defect (a) of the released code: it packs all of this into one tensor and writes it back in
    another order than it reads it, which makes a telegraph of a noise sample at every step. Here
    everything has a name.
    """

    r0: Tensor
    """(*cells,) Ohm right after the SET."""
    pulses: Tensor
    """(*cells,) reference pulses since the SET."""
    high: Tensor
    """(*cells,) bool: whether the telegraph is high."""
    level: Tensor
    """(*cells,) what it adds to ln R now."""
    samples: Tensor
    """(*cells, poles) the latest samples of the pink noise, newest first; (*cells, 0) without."""

    def __getitem__(self, cells: Tensor) -> "WeakResetState":
        """The state of the cells at these indices."""
        return WeakResetState(**{f.name: getattr(self, f.name)[cells] for f in fields(self)})


def after_set(r0: Tensor, noise: PulseNoise) -> WeakResetState:
    """The state right after a SET to these resistances: no pulse given, telegraph low, no noise.

    ``r0`` is `WeakResetPopulation.r0_after_set`. As the authors' code begins, and as the branch
    that is switched off in it says a SET does; the cell's own parameters outlast it.
    """
    return WeakResetState(
        r0=r0,
        pulses=torch.zeros_like(r0),
        high=torch.zeros_like(r0, dtype=torch.bool),
        level=torch.zeros_like(r0),
        samples=r0.new_zeros((*r0.shape, noise.poles * noise.pink)),
    )


def advance(
    cells: WeakResetCells,
    state: WeakResetState,
    pulses: Tensor,
    uniforms: Tensor,
    noise: PulseNoise,
    strength: float | Tensor = 1.0,
) -> WeakResetState:
    """The state after ``pulses`` (*cells,) more, whole numbers and not negative, given at once.

    ``uniforms`` (*cells, `PulseNoise.draws`) make what is random. n pulses at once and n calls
    with one pulse lead to the same distribution. ``strength`` says how many reference pulses each
    one counts for (`reference_pulses`); noise comes by the pulse.

    Defect (c) of the released code: it draws the telegraph's amplitude anew even for cells that get
    no pulse; here those keep everything. (d) In it and here noise moves with pulses only; what
    moves between two readings without a pulse is not this model's but that of `physics.read_noise`.
    """
    _check_draws(uniforms, noise.draws, "pulses")
    high, level, samples = state.high, state.level, state.samples
    if noise.telegraph:
        step, first, second = uniforms[..., :TELEGRAPH_DRAWS].unbind(-1)
        given = pulses > 0
        high = torch.where(given, step < chance_high(high, pulses, noise), high)
        level = torch.where(given, high * cells.telegraph * first * second, level)
    if noise.pink:
        fresh = uniforms[..., -noise.poles :] - (0.5 if noise.centred else 0.0)
        # The newest stand first: a window on (fresh, old), moved to the front by every pulse.
        first_kept = noise.poles - pulses.long().clamp(max=noise.poles)
        window = first_kept.unsqueeze(-1) + torch.arange(noise.poles, device=pulses.device)
        samples = torch.cat([fresh, samples], -1).gather(-1, window)
    return replace(
        state, pulses=state.pulses + pulses * strength, high=high, level=level, samples=samples
    )


def chance_high(high: Tensor, pulses: Tensor, noise: PulseNoise) -> Tensor:
    """Probability that the telegraph is high after so many pulses: its Markov chain, to the n.

    The transition matrix [[1 - rise, rise], [fall, 1 - fall]] has the eigenvalues 1 and 1 - rise -
    fall; the second one's power is what is left of the present state.
    """
    stationary = noise.rise / (noise.rise + noise.fall)
    memory = torch.exp(math.log1p(-noise.rise - noise.fall) * pulses)
    return stationary + (high.to(memory.dtype) - stationary) * memory


def mean_log_ratio(cells: WeakResetCells, pulses: Tensor) -> Tensor:
    """(*cells,) ln(R / R0) after so many pulses without noise: two lines that meet at the knee."""
    early = torch.minimum(pulses, cells.t_star)
    return cells.c1 + cells.m1 * early + cells.m2 * (pulses - early)


def log_resistance(cells: WeakResetCells, state: WeakResetState, noise: PulseNoise) -> Tensor:
    """(*cells,) ln(R / Ohm) in this state."""
    log_r = state.r0.log() + mean_log_ratio(cells, state.pulses) + state.level
    if noise.pink:
        log_r = log_r + state.samples @ (
            noise.coupling * pink_coefficients(noise.poles).to(state.samples)
        )
    return log_r


@cache
def pink_coefficients(poles: int) -> Tensor:
    """(poles,) b_0 = 1, b_k = b_(k-1) (2 k - 1) / (2 k): white noise becomes 1 / f with them.

    Coefficients of (1 - 1/z)^(-1/2); Kasdin, Proc. IEEE 83, 802 (1995).
    """
    k = torch.arange(1, poles, dtype=torch.float64)
    return torch.cat([torch.ones(1, dtype=torch.float64), torch.cumprod((2 * k - 1) / (2 * k), 0)])


def reference_pulses(
    amplitude: Volts | NDArray[np.float64], width: Seconds | NDArray[np.float64]
) -> NDArray[np.float64]:
    """How many reference pulses one pulse of this amplitude and width counts for.

    Exponential in the amplitude, in proportion to the width; 0 for pulses that do not RESET
    (amplitude 0 or positive). The authors' own pulse is not published. This is ours: on a 1T1R HfOx
    array whose single 200 ns pulses are (RRAM-RADAR-Tuning, doi 10.1109/TED.2021.3097975), the mean
    rise of ln R of LOW cells grows e-fold with every 62 mV of the source line from 0.6 to 0.8 V
    (0.0027 to 0.068), and would be 6.9e-4, the authors' mean m1, at 0.52 V. Below 0.5 V
    nothing was seen, above 0.85 V the cells are soon HIGH and weak RESET is over. The proportion
    to the width is by custom.
    """
    volts, seconds = np.broadcast_arrays(amplitude, width)
    strength = np.exp((-volts - REFERENCE_AMPLITUDE) / AMPLITUDE_SCALE)
    return np.where(volts < 0, strength * seconds / REFERENCE_WIDTH, 0.0)


def _check_draws(uniforms: Tensor, expected: int, what: str) -> None:
    if uniforms.shape[-1:] != (expected,):
        raise ConfigurationError(
            f"Weak RESET of {what} got uniform numbers of shape {tuple(uniforms.shape)}; it takes "
            f"(*cells, {expected}) with these settings. Draw as many."
        )
