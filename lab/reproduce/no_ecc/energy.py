"""What it takes to program cells at a bit error rate: pulses, and their energy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any

import numpy as np

from analysis.mean_interval import MeanInterval, mean_interval
from crossbar.geometry import DieAddress
from crossbar.units import Joules, Ratio, Seconds
from lab.reproduce.measured_junctions import measure_junctions
from lab.reproduce.reproducing import Reproduction
from physics.mtj import MtjPopulation
from physics.pulse_choice import with_amplitude_for
from physics.write_pulses import WritePulse, flip_energy

REFERENCE: Ratio = 1e-8
"""Bit error rate of programming that needs no tolerance. Ours."""
RATES: tuple[Ratio, ...] = (1e-8, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 3e-2, 1e-1)
"""Of the programming conditions that are told."""
WIDTHS: tuple[Seconds, ...] = (20e-9, 50e-9)
"""Of the pulses. Ours: at shorter ones the reference needs more than a bench's usual 1.2 V."""


Dies = Mapping[DieAddress, MtjPopulation]
"""Measured dies, each with the population of its cells."""


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One way to program."""

    rate: Ratio
    """Bit error rate: mean write error rate of both directions over the cells."""
    pulse: WritePulse
    energy: Joules
    """Of a bit that changes, in the median cell; mean of both directions."""


@cache
def condition(population: MtjPopulation, width: Seconds, rate: Ratio) -> Condition:
    """The pulse of this width that has the bit error rate. Amplitudes of the two directions are as
    their critical voltages.
    """
    shape = WritePulse(low=population.vc0_low, high=population.vc0_high, width=width)
    pulse = with_amplitude_for(population, shape, rate)
    return Condition(rate=rate, pulse=pulse, energy=flip_energy(population, pulse))


def saving(
    population: MtjPopulation, width: Seconds, rate: Ratio, reference: Ratio = REFERENCE
) -> Ratio:
    """How many times less energy a bit takes at ``rate`` than at the reference."""
    reliable = condition(population, width, reference)
    return reliable.energy / condition(population, width, rate).energy


def measured_dies(reproduction: Reproduction, dies: Sequence[DieAddress], cells: int) -> Dies:
    """The population of each die's cells, from that die's cells alone, measured on the bench."""
    found = {die: measure_junctions(reproduction, [die], cells) for die in dies}
    return {die: _population_of(measured.population) for die, measured in found.items()}


def _population_of(numbers: Mapping[str, Any]) -> MtjPopulation:
    """The built-in population with these fields."""
    return replace(MtjPopulation(), **numbers)


def saving_over(dies: Dies, width: Seconds, rate: Ratio) -> MeanInterval:
    """The factor on each die, as a mean with Student's interval over the dies."""
    return mean_interval([saving(population, width, rate) for population in dies.values()])


def mean_population(dies: Dies) -> MtjPopulation:
    """One whose every parameter is the mean over the dies."""
    found = list(dies.values())
    means: dict[str, Any] = {
        each.name: float(np.mean([getattr(one, each.name) for one in found]))
        for each in fields(MtjPopulation)
        if isinstance(getattr(found[0], each.name), int | float)
    }
    return replace(found[0], **means)
