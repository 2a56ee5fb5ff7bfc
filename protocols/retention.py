"""Retention: cells are written once, and read at logarithmic times, over hours.

The cells are dealt to the states in turn, so that all are written at the beginning and wait
together. Every record carries the moment of writing in its key: a run that is resumed after a crash
finds it among what is stored, writes nothing, and goes on in the time that has passed meanwhile. Of
readings whose moment has gone by it makes the last one, at once, and leaves out the others; every
record says when it was really made.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossbar.errors import ConfigurationError
from crossbar.geometry import CellIndices
from crossbar.memory_die import MemoryDie
from crossbar.pulses import Pulse, State
from crossbar.records import Key, RetentionReading
from crossbar.units import Seconds, Siemens, Volts, format_quantity
from protocols.cell_choice import chosen_cells
from protocols.distinct import check_distinct
from protocols.formed_check import check_formed


@dataclass(frozen=True, kw_only=True)
class RetentionParameters:
    """Cells, states, and when to look."""

    cells: tuple[str, ...] = ()
    """Cells as "subarray:row:column"; empty takes ``sample`` cells spread over the die."""
    sample: int = 64
    """Of all states together."""
    states: tuple[State, ...] = (State.LOW, State.HIGH)
    first: Seconds = 1.0
    """From writing to the second reading; the first one follows at once."""
    duration: Seconds = 3600.0
    """From writing to the last reading."""
    per_decade: int = 5
    """Readings for each factor of ten in time."""
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
        if not self.states or min(self.sample, self.per_decade) < 1:
            raise ConfigurationError("retention needs states, sample and per_decade of at least 1.")
        if not 0 < self.first < self.duration:
            raise ConfigurationError(
                f"retention reads from first = {self.first:g} s to duration = {self.duration:g} s: "
                "first must be positive, and duration longer."
            )
        check_distinct(self, "states")

    @property
    def times(self) -> NDArray[np.float64]:
        """(n,) seconds from writing to the readings after the first one."""
        decades = np.log10(self.duration / self.first)
        count = max(2, int(np.ceil(decades * self.per_decade)) + 1)
        return np.geomspace(self.first, self.duration, count)

    def pulse(self, state: State) -> Pulse:
        """The one that writes a state."""
        amplitude = self.low_amplitude if state is State.LOW else self.high_amplitude
        return Pulse.writing(state, amplitude, self.width)


def retention(
    die: MemoryDie, parameters: RetentionParameters, done: frozenset[Key] = frozenset()
) -> Iterator[RetentionReading]:
    """Yield one record a moment: all cells, read.

    Raises ConfigurationError where the bench's clock is behind what is stored.
    """
    die.limits.check_read(parameters.read_amplitude)
    for state in parameters.states:  # refuse the whole run before the first pulse of it
        die.limits.check_pulse(parameters.pulse(state))
    cells = chosen_cells(parameters.cells, parameters.sample, die.geometry)
    order = np.arange(len(cells)) % len(parameters.states)
    low = np.array([state is State.LOW for state in parameters.states])[order]
    stored = {key[1]: key[2] for key in done if key[0] == "retention"}
    if stored:
        written = _moment_of(stored, die.clock.now)
    else:
        check_formed(die, cells, parameters.read_amplitude, parameters.formed_above)
        for place, state in enumerate(parameters.states):
            die.write(cells[order == place], parameters.pulse(state))
        written = die.clock.now
    due = np.concatenate([[0.0], parameters.times])
    for step, moment in enumerate(due):
        over = step + 1 < len(due) and die.clock.now >= written + due[step + 1]
        if step in stored or (over and step):
            continue
        die.clock.wait(written + float(moment) - die.clock.now)
        yield _look(die, cells, low, step, written, parameters.read_amplitude)


def _moment_of(stored: dict[object, object], now: Seconds) -> Seconds:
    """When the cells were written, as the keys of stored records have it."""
    written = float(next(iter(stored.values())))  # type: ignore[arg-type]
    if now < written:
        raise ConfigurationError(
            f"The cells of this run were written at {written:.0f} s, and the bench's clock says "
            f"{now:.0f} s: {format_quantity(written - now, 's')} earlier. The simulated wafer that "
            "they were on is lost, or the computer's clock was set back. Start a new run."
        )
    return written


def _look(
    die: MemoryDie,
    cells: CellIndices,
    low: NDArray[np.bool_],
    step: int,
    written: Seconds,
    read_amplitude: Volts,
) -> RetentionReading:
    """Read every cell once."""
    time = die.clock.now - written
    readings = die.read(cells, read_amplitude)
    return RetentionReading(
        step=step,
        written_at=written,
        time=time,
        read_amplitude=read_amplitude,
        cells=cells,
        written_low=low,
        conductance=readings.conductance,
    )
