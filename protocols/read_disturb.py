"""Read disturb: how often a read, held for long, switches the cell that it reads.

Each attempt restores a state and then applies a read voltage of the polarity that writes the other
state, for a given time. Cells without a window are left out: nobody can tell that they switched.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from crossbar.errors import ConfigurationError
from crossbar.memory_die import MemoryDie
from crossbar.pulses import State
from crossbar.records import Key, WerPoint
from crossbar.units import Ratio, Seconds, Siemens, Volts
from protocols.cell_choice import chosen_cells
from protocols.conditions import conditions_of
from protocols.distinct import check_distinct
from protocols.formed_check import check_formed
from protocols.restoring import Restoring
from protocols.switching_points import switching_points


@dataclass(frozen=True, kw_only=True)
class ReadDisturbParameters:
    """Cells, and the reads that they must bear."""

    cells: tuple[str, ...] = ()
    """Cells as "subarray:row:column"; empty takes ``sample`` cells spread over the die."""
    sample: int = 8
    amplitudes: tuple[Volts, ...] = (0.15, 0.2, 0.25, 0.3)
    """Magnitudes at the cell; at most the read limit."""
    widths: tuple[Seconds, ...] = (1e-6, 10e-6, 100e-6)
    """How long the voltage is held."""
    targets: tuple[State, ...] = (State.LOW, State.HIGH)
    """The states that the disturbance leads to."""
    attempts: int = 10_000
    """For each condition and cell, rejected ones included."""
    restore_amplitude: Volts = 0.9
    restore_width: Seconds = 200e-9
    read_amplitude: Volts = 0.1
    formed_above: Siemens = 0.0
    """Cells that need FORMING conduct this much once they are formed; 0 for those that need none
    (`protocols.formed_check`)."""
    min_window: Ratio = 1.15
    """LOW conducts at least this times HIGH, or the cell is left out."""

    def __post_init__(self) -> None:
        for name in ("amplitudes", "widths", "targets"):
            if not getattr(self, name):
                raise ConfigurationError(f"read_disturb needs at least one of {name}.")
        if any(not amplitude > 0 for amplitude in self.amplitudes):
            raise ConfigurationError(
                f"amplitudes must be positive magnitudes, got {self.amplitudes}; the direction "
                "(targets) gives the sign."
            )
        if min(self.sample, self.attempts) < 1:
            raise ConfigurationError("sample and attempts must be at least 1.")
        check_distinct(self, "amplitudes", "widths", "targets")

    @property
    def restoring(self) -> Restoring:
        """How cells are brought to a state."""
        return Restoring(
            amplitude=self.restore_amplitude,
            width=self.restore_width,
            read_amplitude=self.read_amplitude,
            min_window=self.min_window,
        )


def read_disturb(
    die: MemoryDie, parameters: ReadDisturbParameters, done: frozenset[Key] = frozenset()
) -> Iterator[WerPoint]:
    """Yield one record a cell and condition; 1 - errors / attempts is how often the cell switched.

    Raises LimitError, before the first pulse, for a voltage that is no read voltage.
    """
    conditions = conditions_of(parameters.targets, parameters.widths, parameters.amplitudes)
    for condition in conditions:
        die.limits.check_read(condition.pulse.amplitude)
        die.limits.check_pulse(condition.pulse)
    everything = chosen_cells(parameters.cells, parameters.sample, die.geometry)
    check_formed(die, everything, parameters.read_amplitude, parameters.formed_above)
    for start in range(0, len(everything), die.access.cells_at_once):
        cells = everything[start : start + die.access.cells_at_once]
        threshold, has_window = parameters.restoring.thresholds(die, cells)
        for condition in conditions:
            missing = np.array([condition.key(int(cell)) not in done for cell in cells])
            wanted = has_window & missing
            if wanted.any():
                yield from switching_points(
                    die,
                    cells[wanted],
                    threshold[wanted],
                    condition=condition,
                    attempts=parameters.attempts,
                    restoring=parameters.restoring,
                )
