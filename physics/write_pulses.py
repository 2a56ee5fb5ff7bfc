"""What a write pulse does to junctions: how often it fails, and the energy that it takes.

A word of memory is written by one pulse: its bits get the amplitude of the state that each is to
have, for the same width. Free of torch: a million cells take a tenth of a second.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from crossbar.errors import ConfigurationError
from crossbar.pulses import Pulse, State
from crossbar.units import Joules, Ratio, Seconds, Volts
from physics.mtj import MtjCells, MtjPopulation
from physics.mtj_anomalies import MtjAnomalies
from physics.mtj_laws import MtjLaws
from physics.switching_table import log_hazard

FloatArray = NDArray[np.float64]

USUAL_LAWS = MtjLaws()
USUAL_ANOMALIES = MtjAnomalies()

DEEPEST = 7.5
"""Standard deviations up to which `error_rate_of` follows the cells: one cell of 3e13 is beyond."""
NODES = 31
"""Of the critical voltage; half a standard deviation apart."""
FEW_NODES = 9
"""Of the other parameters, which move the rate far less. With more of both, the rate of a pulse at
1e-8 changes by 1.6 %, that of one at 1e-2 by 0.3 %."""


@dataclass(frozen=True, kw_only=True)
class WritePulse:
    """Magnitudes for either target state, and one width."""

    low: Volts
    """Towards LOW (AP to P)."""
    high: Volts
    """Towards HIGH (P to AP)."""
    width: Seconds

    def __post_init__(self) -> None:
        if not (min(self.low, self.high, self.width) > 0 and np.isfinite(self.low + self.high)):
            raise ConfigurationError(
                f"A write pulse of {self.low!r} V (to LOW), {self.high!r} V (to HIGH) and "
                f"{self.width!r} s refused: all must be positive and finite magnitudes."
            )

    @classmethod
    def of_one_amplitude(cls, amplitude: Volts, width: Seconds) -> "WritePulse":
        """The same magnitude both ways, as from a single supply."""
        return cls(low=amplitude, high=amplitude, width=width)

    def magnitude(self, target: State) -> Volts:
        """Volts of the pulse that writes this state."""
        return self.low if target is State.LOW else self.high

    def scaled(self, amplitude: Ratio = 1.0, width: Ratio = 1.0) -> "WritePulse":
        """With both amplitudes, and the width, times a factor."""
        return WritePulse(
            low=self.low * amplitude, high=self.high * amplitude, width=self.width * width
        )


def write_error_rates(
    cells: MtjCells,
    pulse: WritePulse,
    target: State,
    laws: MtjLaws = USUAL_LAWS,
    anomalies: MtjAnomalies = USUAL_ANOMALIES,
) -> FloatArray:
    """(n,) probability that each cell, in the other state, is still there after the pulse."""
    volts = pulse.magnitude(target)
    critical = cells.vc0_low if target is State.LOW else cells.vc0_high
    hazard = log_hazard(
        volts / critical, pulse.width / cells.tau_d, cells.delta, laws.barrier_exponent
    )
    fails = np.exp(-np.exp(hazard))
    spoilt = anomalies.spoils(
        Pulse.writing(target, volts, pulse.width), cells.back_hopping_voltage,
        cells.ballooning_height,
    )  # fmt: skip
    return fails + (1 - fails) * spoilt


def write_energy(cells: MtjCells, pulse: WritePulse, target: State, state: State) -> FloatArray:
    """(n,) Joule: V^2 / R times the width, R of ``state`` at that voltage, all along the pulse.

    That of the junction alone: its transistor's share depends on a cell's design.
    """
    volts = pulse.magnitude(target)
    conductance = cells.low_conductance() if state is State.LOW else cells.high_conductance(volts)
    return volts**2 * pulse.width * conductance


def flip_energy(population: MtjPopulation, pulse: WritePulse) -> Joules:
    """What a bit that changes takes, in the median cell: mean of both ways, before it switches."""
    median = _cells_of(population, np.zeros((1, 3)))
    return float(np.mean([write_energy(median, pulse, target, target.other) for target in State]))


def error_rate_of(population: MtjPopulation, pulse: WritePulse, target: State) -> Ratio:
    """Mean write error rate of a population, by quadrature: within 2 % at any depth.

    A sample of n cells knows nothing of what happens below 1/n. Anomalies are left out.
    """
    deviates, weights = _grid(population)
    rates = write_error_rates(_cells_of(population, deviates), pulse, target, population.laws)
    return float(weights @ rates)


def bit_error_rate(population: MtjPopulation, pulse: WritePulse) -> Ratio:
    """Mean of the write error rates of both directions."""
    return float(np.mean([error_rate_of(population, pulse, target) for target in State]))


def _grid(population: MtjPopulation) -> tuple[FloatArray, FloatArray]:
    """(m, 3) standard normal deviates of critical voltage, delta and tau_d; (m,) weights."""
    spreads = (population.vc0_spread, population.delta_spread, population.tau_d_spread)
    axes, shares = [], []
    for spread, nodes in zip(spreads, (NODES, FEW_NODES, FEW_NODES), strict=True):
        at = np.linspace(-DEEPEST, DEEPEST, nodes) if spread else np.zeros(1)
        density = np.exp(-(at**2) / 2)
        axes.append(at)
        shares.append(density / density.sum())
    deviates = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    weights = np.einsum("i,j,k->ijk", *shares).reshape(-1)
    keep = weights > 1e-15 * weights.max()
    return deviates[keep], weights[keep]


def _cells_of(population: MtjPopulation, deviates: FloatArray) -> MtjCells:
    """Cells of the population's medians, at these deviates (n, 3) from them."""
    plain = replace(
        population, r_p_spread=0, r_p_die_to_die=0, tmr_spread=0, delta_spread=0, vc0_spread=0,
        tau_d_spread=0, breakdown_spread=0, anomalies=MtjAnomalies(),
    )  # fmt: skip
    cells = plain.sample(len(deviates), np.random.default_rng(0))
    critical, delta, tau_d = np.exp(
        deviates * (population.vc0_spread, population.delta_spread, population.tau_d_spread)
    ).T
    return replace(
        cells,
        vc0_low=cells.vc0_low * critical,
        vc0_high=cells.vc0_high * critical,
        delta=cells.delta * delta,
        tau_d=cells.tau_d * tau_d,
    )
