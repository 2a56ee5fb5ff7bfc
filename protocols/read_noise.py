"""Read noise: cells are written once, then read again and again at an even pace.

As many cells as the hardware takes in one operation are read together. Readings that the hardware
cannot make in time come later, as their times say. A resumed run writes and reads those cells again
whose trace is not stored.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossbar.errors import ConfigurationError
from crossbar.geometry import CellIndices
from crossbar.memory_die import MemoryDie
from crossbar.pulses import Pulse, State
from crossbar.records import Key, ReadTrace
from crossbar.units import Seconds, Siemens, Volts
from protocols.cell_choice import chosen_cells
from protocols.distinct import check_distinct
from protocols.formed_check import check_formed


@dataclass(frozen=True, kw_only=True)
class ReadNoiseParameters:
    """Cells, and how they are read."""

    cells: tuple[str, ...] = ()
    """Cells as "subarray:row:column"; empty takes ``sample`` cells spread over the die."""
    sample: int = 8
    states: tuple[State, ...] = (State.LOW, State.HIGH)
    readings: int = 2048
    """Of each cell and state. A spectrum takes 64 or more; a telegraph shows best where it jumps a
    dozen times or more."""
    interval: Seconds = 10e-3
    """From one reading to the next."""
    aperture: Seconds = 1e-3
    """What the meter averages over for one reading, as it is set up: noise between that and the
    interval folds into the spectrum, and the fit reckons with it."""
    low_amplitude: Volts = 0.9
    """Magnitude of the pulse that writes LOW (SET of an RRAM cell)."""
    high_amplitude: Volts = 0.9
    """Magnitude of the pulse that writes HIGH (RESET of an RRAM cell)."""
    width: Seconds = 50e-9
    read_amplitude: Volts = 0.1
    formed_above: Siemens = 0.0
    """Cells that need FORMING conduct this much once they are formed; 0 for those that need none
    (`protocols.formed_check`)."""

    def __post_init__(self) -> None:
        if not self.states or self.sample < 1 or self.readings < 2:
            raise ConfigurationError(
                "read_noise needs at least one state, one cell and two readings: states = "
                f"{self.states}, sample = {self.sample}, readings = {self.readings}."
            )
        if not 0 < self.aperture <= self.interval:
            raise ConfigurationError(
                f"An aperture of {self.aperture:g} s every {self.interval:g} s is impossible: "
                "aperture must be positive, and not longer than interval."
            )
        check_distinct(self, "states")

    def pulse(self, state: State) -> Pulse:
        """The one that writes a state."""
        amplitude = self.low_amplitude if state is State.LOW else self.high_amplitude
        return Pulse.writing(state, amplitude, self.width)


def read_noise(
    die: MemoryDie, parameters: ReadNoiseParameters, done: frozenset[Key] = frozenset()
) -> Iterator[ReadTrace]:
    """Yield one record a state and cell."""
    die.limits.check_read(parameters.read_amplitude)
    for state in parameters.states:  # refuse the whole run before the first pulse of it
        die.limits.check_pulse(parameters.pulse(state))
    everything = chosen_cells(parameters.cells, parameters.sample, die.geometry)
    check_formed(die, everything, parameters.read_amplitude, parameters.formed_above)
    at_once = die.access.cells_at_once
    for state in parameters.states:
        left = np.array(
            [c for c in everything if ("trace", int(c), state.value, 0) not in done], np.intp
        )
        for start in range(0, len(left), at_once):
            cells = left[start : start + at_once]
            die.write(cells, parameters.pulse(state))
            time, conductance = _read_on(die, cells, parameters)
            for place, cell in enumerate(cells):
                yield ReadTrace(
                    cell=int(cell),
                    state=state,
                    part=0,
                    read_amplitude=parameters.read_amplitude,
                    time=time,
                    conductance=conductance[place],
                )


def _read_on(
    die: MemoryDie, cells: CellIndices, parameters: ReadNoiseParameters
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(readings,) seconds since now, and (cells, readings) Siemens."""
    written = die.clock.now
    time = np.empty(parameters.readings)
    conductance = np.empty((len(cells), parameters.readings))
    for number in range(parameters.readings):
        die.clock.wait(written + (number + 1) * parameters.interval - die.clock.now)
        time[number] = die.clock.now - written
        conductance[:, number] = die.read(cells, parameters.read_amplitude).conductance
    return time, conductance
