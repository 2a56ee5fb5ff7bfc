"""Bringing cells into windows of conductance, reading before and after every pulse.

A cell below its window gets pulses towards LOW (SET), one above it pulses towards HIGH (RESET),
each kind growing by a step until the cell is inside, has turned, or its ramp has ended; a cell that
turned starts the other ramp from its beginning (ping-pong). All cells whose next pulse is the same
get it together. The rule is the customary one; when a cell is given up is ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossbar.errors import ConfigurationError
from crossbar.geometry import CellIndices
from crossbar.memory_die import MemoryDie
from crossbar.ports import Readings
from crossbar.pulses import Pulse, State
from crossbar.units import Ratio, Seconds, Volts

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Ramp:
    """The pulses towards one state: magnitudes from ``start`` by ``step`` up to ``stop``."""

    target: State
    start: Volts
    step: Volts
    stop: Volts
    width: Seconds

    def __post_init__(self) -> None:
        if not (0 < self.start <= self.stop and self.step >= 0):
            raise ConfigurationError(
                f"A ramp from {self.start:g} V to {self.stop:g} V by {self.step:g} V towards "
                f"{self.target.name} refused: it must start above 0 V, end no lower, and not fall."
            )

    @property
    def pulses(self) -> tuple[Pulse, ...]:
        """From the first to the last, which is repeated where more are needed."""
        count = 1 if not self.step else int((self.stop - self.start) / self.step + 1e-9) + 1
        return tuple(
            Pulse.writing(self.target, round(self.start + place * self.step, 9), self.width)
            for place in range(count)
        )


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a cell is tried."""

    max_pulses: int
    """Budget per cell, both directions together."""
    unmoved: int
    """So many pulses in a row at a ramp's end that do not move a cell, and it is given up."""
    move: Ratio = 0.05
    """Change that counts as moving: upwards as a share of the window's lower end, downwards of
    the conductance before. Well above the noise of two readings."""

    def __post_init__(self) -> None:
        if self.max_pulses < 1 or self.unmoved < 1 or not self.move >= 0:
            raise ConfigurationError(
                f"A budget of {self.max_pulses} pulses, {self.unmoved} of them in vain, refused: "
                "max_pulses and patience must be at least 1, and move not below 0."
            )


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Where n cells ended."""

    conductance: FloatArray
    """(n,) Siemens, the last reading."""
    inside: NDArray[np.bool_]
    """(n,) True where that reading lay in the window; one in compliance is above every window."""
    pulses: NDArray[np.int64]
    """(n,) given."""


def into_windows(
    die: MemoryDie,
    cells: CellIndices,
    window: tuple[FloatArray, FloatArray],
    ramps: Mapping[State, Ramp],
    patience: Patience,
    read_amplitude: Volts,
) -> Outcome:
    """Bring each of the (n,) cells to ``window[0] <= conductance < window[1]``, (n,) Siemens each.

    Raises LimitError before the first pulse if a ramp passes the die's limits.
    """
    pulses = {state: ramps[state].pulses for state in State}
    for pulse in (*pulses[State.LOW], *pulses[State.HIGH]):
        die.limits.check_pulse(pulse)
    last = {state.write_sign: len(pulses[state]) - 1 for state in State}
    readings = die.read(cells, read_amplitude)
    conductance, known = readings.conductance, _known(readings)
    given = np.zeros(len(cells), np.int64)
    heading, place, idle = (np.zeros(len(cells), np.int64) for _ in range(3))
    for _ in range(patience.max_pulses):
        wanted = _heading(known, window)
        left = np.flatnonzero((wanted != 0) & ((idle < patience.unmoved) | (wanted != heading)))
        if not len(left):
            break
        turned = left[wanted[left] != heading[left]]
        heading[turned], place[turned], idle[turned] = wanted[turned], 0, 0
        for state in State:
            here = left[heading[left] == state.write_sign]
            _write(die, cells[here], place[here], pulses[state])
        given[left] += 1
        readings = die.read(cells[left], read_amplitude)
        now = _known(readings)
        moved = _moved(known[left], now, heading[left], window[0][left], patience.move)
        conductance[left], known[left] = readings.conductance, now
        ended = place[left] == np.where(heading[left] > 0, last[1], last[-1])
        idle[left] = np.where(ended & ~moved, idle[left] + 1, 0)
        place[left] += ~ended
    return Outcome(conductance=conductance, inside=_heading(known, window) == 0, pulses=given)


def _heading(conductance: FloatArray, window: tuple[FloatArray, FloatArray]) -> NDArray[np.int64]:
    """(n,) 1 where a cell must go up to its window, -1 where down, 0 inside."""
    return np.where(conductance < window[0], 1, np.where(conductance >= window[1], -1, 0))


def _moved(
    before: FloatArray,
    after: FloatArray,
    heading: NDArray[np.int64],
    window_low: FloatArray,
    share: Ratio,
) -> NDArray[np.bool_]:
    """(n,) True where a conductance changed enough, the way it was to go."""
    return np.where(heading > 0, after > before + share * window_low, after < before * (1 - share))


def _write(
    die: MemoryDie, cells: CellIndices, place: NDArray[np.int64], pulses: tuple[Pulse, ...]
) -> None:
    """Give each of the (n,) cells the pulse of its place in the ramp, equal ones together."""
    for number in np.unique(place):
        die.write(cells[place == number], pulses[number])


def _known(readings: Readings) -> FloatArray:
    """(n,) Siemens; infinite where the meter was in compliance: more than it can tell."""
    return np.where(readings.in_compliance, np.inf, readings.conductance)
