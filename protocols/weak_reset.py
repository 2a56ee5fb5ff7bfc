"""Weak RESET: trains of RESET pulses far below the threshold, with readings in between.

Cells whose two states do not differ (not formed, short, stuck) are told apart first and left alone.
Before each train the others are SET and verified. A train is many equal pulses; ln R rises a little
with each, first faster, then slower, under telegraph and pink noise (`physics.weak_reset`;
`analysis.weak_reset_fit` takes the trains apart). Amplitude and width are swept, and every
condition is repeated from a new SET: that tells cycle to cycle from cell to cell.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from crossbar.errors import ConfigurationError
from crossbar.geometry import CellIndices
from crossbar.memory_die import MemoryDie
from crossbar.pulses import Pulse, State
from crossbar.records import Key, PulseTrain
from crossbar.units import Ratio, Seconds, Siemens, Volts
from protocols.cell_choice import chosen_cells
from protocols.formed_check import check_formed
from protocols.restoring import Restoring

COMPLETE, TURNED, NOT_SET, NO_WINDOW = "complete", "turned high", "not set", "no window"
"""Outcomes of a train: all pulses given; left alone when it conducted too little; no weak pulse
given, for lack of a SET, or because the cell cannot tell its states apart."""


@dataclass(frozen=True, kw_only=True)
class WeakResetParameters:
    """Cells, SET, and the trains. The defaults are for HfOx cells of some 7 kOhm in LOW."""

    cells: tuple[str, ...] = ()
    """Cells as "subarray:row:column"; empty takes ``sample`` cells spread over the die."""
    sample: int = 32
    amplitudes: tuple[Volts, ...] = (0.48, 0.52, 0.56)
    """Magnitudes of the RESET pulses."""
    widths: tuple[Seconds, ...] = (100e-9, 200e-9)
    trains: int = 2
    """Of every amplitude and width, each from a new SET."""
    pulses: int = 2_000
    """In one train."""
    read_every: int = 20
    """Pulses from one reading to the next; at 15 and more the readings' noise is independent."""
    set_amplitude: Volts = 2.0
    """Also of the RESET, once a run, that shows whether a cell has two states."""
    set_width: Seconds = 1e-6
    formed_above: Siemens = 0.2e-6
    """Formed cells conduct this much in any state (`protocols.formed_check`)."""
    min_window: Ratio = 1.15
    """LOW conducts at least this times HIGH, or the cell is left alone."""
    set_attempts: int = 5
    """SET pulses that a cell may take until it conducts ``set_conductance``."""
    set_conductance: Siemens = 80e-6
    """A cell counts as SET from here on."""
    min_conductance: Siemens = 5e-6
    """A cell that conducts less gets no more pulses of the train: it has turned HIGH."""
    read_amplitude: Volts = 0.2

    def __post_init__(self) -> None:
        for name in ("amplitudes", "widths"):
            if not getattr(self, name):
                raise ConfigurationError(f"weak_reset needs at least one of {name}.")
        if any(not amplitude > 0 for amplitude in (*self.amplitudes, self.set_amplitude)):
            raise ConfigurationError(
                f"amplitudes and set_amplitude must be positive magnitudes, got {self.amplitudes} "
                f"and {self.set_amplitude:g}; RESET and SET have their signs by themselves."
            )
        counts = ("sample", "trains", "pulses", "read_every", "set_attempts")
        if min(getattr(self, name) for name in counts) < 1:
            raise ConfigurationError(f"{', '.join(counts)} must be at least 1.")
        if self.read_every > self.pulses:
            raise ConfigurationError(
                f"A train of {self.pulses} pulses is never read when it is read every "
                f"{self.read_every}; read more often, or give more pulses."
            )

    @property
    def parts(self) -> list[Pulse]:
        """The pulse of every train of a cell, by its number: all conditions, then all again, so
        that whatever ageing there is meets them alike.
        """
        conditions = product(self.amplitudes, self.widths)
        pulses = [Pulse.writing(State.HIGH, amplitude, width) for amplitude, width in conditions]
        return pulses * self.trains

    @property
    def restoring(self) -> Restoring:
        """How cells are brought to a state."""
        return Restoring(
            amplitude=self.set_amplitude,
            width=self.set_width,
            read_amplitude=self.read_amplitude,
            min_window=self.min_window,
        )


def weak_reset(
    die: MemoryDie, parameters: WeakResetParameters, done: frozenset[Key] = frozenset()
) -> Iterator[PulseTrain]:
    """Yield one record a cell and train, ``part`` being the train's number among the cell's.

    Its first step is the reading after the SET, without pulses. All cells that the hardware takes
    at once go through a train together; one that was broken off begins anew, with its SET.
    """
    restoring = parameters.restoring
    for pulse in (*map(restoring.pulse, State), *parameters.parts):  # refuse before the first one
        die.limits.check_pulse(pulse)
    everything = chosen_cells(parameters.cells, parameters.sample, die.geometry)
    check_formed(die, everything, parameters.read_amplitude, parameters.formed_above)
    for start in range(0, len(everything), die.access.cells_at_once):
        cells = everything[start : start + die.access.cells_at_once]
        missing = [
            np.array([("train", int(c), part) not in done for c in cells], np.bool_)
            for part in range(len(parameters.parts))
        ]
        if not np.any(missing):
            continue
        _, has_window = restoring.thresholds(die, cells)
        for part, (pulse, left) in enumerate(zip(parameters.parts, missing, strict=True)):
            if left.any():
                yield from _train(die, cells[left], has_window[left], part, pulse, parameters)


def _train(
    die: MemoryDie,
    cells: CellIndices,
    has_window: NDArray[np.bool_],
    part: int,
    pulse: Pulse,
    parameters: WeakResetParameters,
) -> Iterator[PulseTrain]:
    """SET the (n,) cells that have a window, give them their pulses, and yield what they read."""
    found = [_set(die, cells, has_window, parameters)]
    ready = has_window & (found[0] >= parameters.set_conductance)
    active = ready.copy()
    steps = _steps(parameters)
    for count in steps:
        if not active.any():
            break
        die.write(cells[active], pulse, times=count)
        reading = np.full(len(cells), np.nan)
        reading[active] = die.read(cells[active], parameters.read_amplitude).conductance
        found.append(reading)
        active &= reading >= parameters.min_conductance
    readings = np.stack(found, axis=1)
    outcome = np.select([~has_window, ~ready, active], [NO_WINDOW, NOT_SET, COMPLETE], TURNED)
    for place, cell in enumerate(cells):
        own = readings[place][np.isfinite(readings[place])]
        given = steps[: len(own) - 1]
        yield PulseTrain(
            cell=int(cell),
            part=part,
            amplitude=np.array([np.nan, *(pulse.amplitude for _ in given)]),
            width=np.array([np.nan, *(pulse.width for _ in given)]),
            pulses=np.array([0, *given], np.int64),
            conductance=own,
            read_amplitude=parameters.read_amplitude,
            outcome=str(outcome[place]),
        )


def _set(
    die: MemoryDie,
    cells: CellIndices,
    has_window: NDArray[np.bool_],
    parameters: WeakResetParameters,
) -> NDArray[np.float64]:
    """(n,) Siemens after at least one SET pulse each, and more where that did not suffice; cells
    without a window are only read.
    """
    pulse = parameters.restoring.pulse(State.LOW)
    waiting = np.flatnonzero(has_window)
    conductance = np.zeros(len(cells))
    for _ in range(parameters.set_attempts):
        if not len(waiting):
            break
        die.write(cells[waiting], pulse)
        conductance[waiting] = die.read(cells[waiting], parameters.read_amplitude).conductance
        waiting = waiting[conductance[waiting] < parameters.set_conductance]
    others = np.flatnonzero(~has_window)
    if len(others):
        conductance[others] = die.read(cells[others], parameters.read_amplitude).conductance
    return conductance


def _steps(parameters: WeakResetParameters) -> list[int]:
    """Pulses between readings; the last step is what is left."""
    whole, rest = divmod(parameters.pulses, parameters.read_every)
    return [parameters.read_every] * whole + [rest] * bool(rest)
