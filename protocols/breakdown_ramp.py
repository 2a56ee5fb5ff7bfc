"""Breakdown: pulses of growing amplitude until the cell conducts for good. Destroys cells.

A cell counts as broken when it conducts much more than in LOW after a pulse that writes HIGH: a
broken barrier does not switch back.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossbar.errors import ConfigurationError
from crossbar.geometry import CellIndices
from crossbar.memory_die import MemoryDie
from crossbar.pulses import Pulse, State
from crossbar.records import Key, PulseTrain
from crossbar.units import Ratio, Seconds, Volts
from protocols.cell_choice import chosen_cells


@dataclass(frozen=True, kw_only=True)
class BreakdownRampParameters:
    """Cells, and the ramp. Its end must lie within the limits of bench.toml."""

    cells: tuple[str, ...] = ()
    """Cells as "subarray:row:column"; empty takes ``sample`` cells spread over the die."""
    sample: int = 8
    start: Volts = 0.6
    """Magnitude of the first pulses, which write HIGH."""
    stop: Volts = 1.0
    """Magnitude of the last."""
    step: Volts = 0.05
    width: Seconds = 100e-9
    pulses: int = 1
    """At each amplitude, before the cell is read."""
    restore_amplitude: Volts = 0.9
    """Of the pulse that writes LOW for the reading before the ramp."""
    read_amplitude: Volts = 0.1
    broken_ratio: Ratio = 1.5
    """Broken: conducts this times its LOW state, after a pulse that writes HIGH. Ours."""

    def __post_init__(self) -> None:
        if not 0 < self.start <= self.stop or not self.step > 0:
            raise ConfigurationError(
                f"breakdown_ramp rises: start {self.start:g} V must be positive and at most stop "
                f"{self.stop:g} V, and step {self.step:g} V positive."
            )
        if self.sample < 1 or self.pulses < 1:
            raise ConfigurationError("sample and pulses must be at least 1.")


def breakdown_ramp(
    die: MemoryDie, parameters: BreakdownRampParameters, done: frozenset[Key] = frozenset()
) -> Iterator[PulseTrain]:
    """Yield one record a cell, "broken" or "survived", as soon as its ramp is over.

    Its first step is the reading in LOW, without pulses. Cells go one after the other, so that an
    interruption leaves no more than one whose ramp must begin anew.
    """
    ramp = ramp_amplitudes(parameters)
    steps = [Pulse.writing(State.HIGH, float(volts), parameters.width) for volts in ramp]
    restore = Pulse.writing(State.LOW, parameters.restore_amplitude, parameters.width)
    for pulse in (restore, *steps):  # refuse the whole run before the first pulse of it
        die.limits.check_pulse(pulse)
    for cell in chosen_cells(parameters.cells, parameters.sample, die.geometry):
        if ("train", int(cell), 0) not in done:
            yield _ramp_cell(die, int(cell), restore, steps, parameters)


def ramp_amplitudes(parameters: BreakdownRampParameters) -> NDArray[np.float64]:
    """(n,) Volts, magnitudes, from start to the last that does not pass stop."""
    count = int((parameters.stop - parameters.start) / parameters.step + 1e-9) + 1
    return parameters.start + parameters.step * np.arange(count, dtype=np.float64)


def _ramp_cell(
    die: MemoryDie,
    cell: int,
    restore: Pulse,
    steps: list[Pulse],
    parameters: BreakdownRampParameters,
) -> PulseTrain:
    one: CellIndices = np.array([cell], np.intp)
    die.write(one, restore)
    found = [float(die.read(one, parameters.read_amplitude).conductance[0])]
    broken = False
    for pulse in steps:
        for _ in range(parameters.pulses):
            die.write(one, pulse)
        found.append(float(die.read(one, parameters.read_amplitude).conductance[0]))
        broken = found[-1] > parameters.broken_ratio * found[0]
        if broken:
            break
    given = steps[: len(found) - 1]
    return PulseTrain(
        cell=cell,
        part=0,
        amplitude=np.array([np.nan, *(pulse.amplitude for pulse in given)]),
        width=np.array([np.nan, *(pulse.width for pulse in given)]),
        pulses=np.array([0, *(parameters.pulses for _ in given)], np.int64),
        conductance=np.array(found),
        read_amplitude=parameters.read_amplitude,
        outcome="broken" if broken else "survived",
    )
