"""Current over voltage: each cell in both states, up and down again, one polarity at a time.

The sweep stays within the read limit, so that it disturbs no cell. It never crosses from one
polarity to the other in one go: it returns to 0 V in between, as single-supply boards must.

Where ``switching_stop`` says so, rising pulses of either direction follow, with a reading after
each: from HIGH until past SET, and from LOW until past RESET. A source that stayed on while it
swept so far would switch cells without a limit to what they get; pulses have one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossbar.errors import ConfigurationError
from crossbar.geometry import CellIndices
from crossbar.memory_die import MemoryDie
from crossbar.pulses import Pulse, State
from crossbar.records import Key, PulseTrain, VoltageSweep
from crossbar.units import Seconds, Siemens, Volts
from protocols.cell_choice import chosen_cells
from protocols.formed_check import check_formed
from protocols.ping_pong import Ramp


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

    switching_start: Volts = 0.4
    """Magnitude of the first of the rising pulses, both directions."""
    switching_stop: Volts = 0.0
    """Of the last one; 0 leaves them out."""
    switching_step: Volts = 0.05
    formed_above: Siemens = 0.0
    """Cells that need FORMING conduct this much once they are formed; 0 for those that need none
    (`protocols.formed_check`)."""

    def __post_init__(self) -> None:
        if self.sample < 1 or self.steps < 1 or not self.max_voltage > 0:
            raise ConfigurationError("iv_sweep needs sample, steps and max_voltage above 0.")
        if not self.polarities or set(self.polarities) - {1, -1}:
            raise ConfigurationError(f"polarities are 1 and -1, got {self.polarities}.")
        if self.switching_stop:
            _ = self.ramp(State.LOW)  # refuses one that does not rise

    def ramp(self, target: State) -> Ramp:
        """The rising pulses towards a state. Raises ConfigurationError if they do not rise."""
        return Ramp(
            target=target,
            start=self.switching_start,
            step=self.switching_step,
            stop=self.switching_stop,
            width=self.write_width,
        )


def iv_sweep(
    die: MemoryDie, parameters: IvSweepParameters, done: frozenset[Key] = frozenset()
) -> Iterator[VoltageSweep | PulseTrain]:
    """Yield two records a cell: ``part`` 0 in LOW, 1 in HIGH. Then, where asked for, the trains of
    rising pulses: ``part`` 0 towards LOW, 1 towards HIGH.
    """
    die.limits.check_read(parameters.max_voltage)
    ramps = [parameters.ramp(s).pulses for s in State] if parameters.switching_stop else []
    for pulse in [pulse for ramp in ramps for pulse in ramp]:  # before the first pulse of any
        die.limits.check_pulse(pulse)
    chosen = chosen_cells(parameters.cells, parameters.sample, die.geometry)
    check_formed(die, chosen, parameters.max_voltage, parameters.formed_above)
    yield from _sweeps(die, chosen, parameters, done)
    for part, ramp in enumerate(ramps):
        left = np.array([c for c in chosen if ("train", int(c), part) not in done], np.intp)
        for first in range(0, len(left), die.access.cells_at_once):
            here = left[first : first + die.access.cells_at_once]
            yield from _trains(die, here, part, ramp, parameters)


def _trains(
    die: MemoryDie,
    cells: CellIndices,
    part: int,
    ramp: Sequence[Pulse],
    parameters: IvSweepParameters,
) -> Iterator[PulseTrain]:
    """All cells from the other state up one ramp, read before it and after each of its pulses."""
    target = State.LOW if ramp[0].amplitude > 0 else State.HIGH
    for state in (target, target.other):  # a whole cycle: a second RESET would go on from the first
        die.write(cells, Pulse.writing(state, parameters.write_amplitude, parameters.write_width))
    readings = [die.read(cells, parameters.max_voltage).conductance]
    for pulse in ramp:
        die.write(cells, pulse)
        readings.append(die.read(cells, parameters.max_voltage).conductance)
    for place, cell in enumerate(cells.tolist()):
        yield PulseTrain(
            cell=cell,
            part=part,
            amplitude=np.array([np.nan, *(pulse.amplitude for pulse in ramp)]),
            width=np.array([np.nan, *(pulse.width for pulse in ramp)]),
            pulses=np.array([0, *(1 for _ in ramp)]),
            conductance=np.array([reading[place] for reading in readings]),
            read_amplitude=parameters.max_voltage,
            outcome="swept",
        )


def _sweeps(
    die: MemoryDie, cells: CellIndices, parameters: IvSweepParameters, done: frozenset[Key]
) -> Iterator[VoltageSweep]:
    """Within the read limit: all cells in LOW, then all in HIGH."""
    voltages = sweep_voltages(parameters)
    for part, state in enumerate((State.LOW, State.HIGH)):
        pulse = Pulse.writing(state, parameters.write_amplitude, parameters.write_width)
        for cell in cells:
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
