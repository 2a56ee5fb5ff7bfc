"""Current over voltage: each cell in both states, up and down again, one polarity at a time.

The sweep stays within the read limit, so that it disturbs no cell. It never crosses from one
polarity to the other in one go: it returns to 0 V in between, as single-supply boards must.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossbar.errors import ConfigurationError
from crossbar.memory_die import MemoryDie
from crossbar.pulses import Pulse, State
from crossbar.records import Key, VoltageSweep
from crossbar.units import Seconds, Volts
from protocols.cell_choice import chosen_cells


@dataclass(frozen=True, kw_only=True)
class IvSweepParameters:
    """Cells and voltages."""

    cells: tuple[str, ...] = ()
    """Cells as "subarray:row:column"; empty takes ``sample`` cells spread over the die."""
    sample: int = 8
    max_voltage: Volts = 0.1
    """Magnitude of the turning point; at most the read limit."""
    steps: int = 10
    """Voltages from 0, excluded, to the turning point, included."""
    polarities: tuple[int, ...] = (1,)
    """Signs of the voltage, in the order of measuring: 1, -1 or both."""
    write_amplitude: Volts = 0.9
    """Magnitude, both directions. Ours: reliable at 50 ns for the simulated MTJ."""
    write_width: Seconds = 50e-9

    def __post_init__(self) -> None:
        if self.sample < 1 or self.steps < 1 or not self.max_voltage > 0:
            raise ConfigurationError("iv_sweep needs sample, steps and max_voltage above 0.")
        if not self.polarities or set(self.polarities) - {1, -1}:
            raise ConfigurationError(f"polarities are 1 and -1, got {self.polarities}.")


def iv_sweep(
    die: MemoryDie, parameters: IvSweepParameters, done: frozenset[Key] = frozenset()
) -> Iterator[VoltageSweep]:
    """Yield two records a cell: ``part`` 0 in LOW, 1 in HIGH."""
    die.limits.check_read(parameters.max_voltage)
    voltages = sweep_voltages(parameters)
    for part, state in enumerate((State.LOW, State.HIGH)):
        pulse = Pulse.writing(state, parameters.write_amplitude, parameters.write_width)
        for cell in chosen_cells(parameters.cells, parameters.sample, die.geometry):
            if ("sweep", int(cell), part) in done:
                continue
            one = np.array([cell])
            die.write(one, pulse)
            readings = [die.read(one, float(voltage)) for voltage in voltages]
            yield VoltageSweep(
                cell=int(cell),
                part=part,
                voltage=voltages,
                current=np.concatenate([reading.current for reading in readings]),
                in_compliance=np.concatenate([reading.in_compliance for reading in readings]),
            )


def sweep_voltages(parameters: IvSweepParameters) -> NDArray[np.float64]:
    """(2 x steps - 1, for each polarity) volts: up to the turning point and down, without 0 V,
    where a current says nothing about a resistance.
    """
    up = parameters.max_voltage * np.arange(1, parameters.steps + 1) / parameters.steps
    there_and_back = np.concatenate([up, up[-2::-1]])
    return np.concatenate([sign * there_and_back for sign in parameters.polarities])
