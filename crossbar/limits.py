"""The bounds that no stimulus may pass, and who set them."""

import math
from dataclasses import dataclass

from crossbar.errors import LimitError
from crossbar.pulses import Pulse
from crossbar.units import Amperes, Joules, Metres, Ohms, Seconds, Volts, format_quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a cell may be given; `memory_die.MemoryDie` checks it before a byte is sent."""

    max_amplitude: Volts
    """Largest magnitude of a write pulse, at the cell."""
    min_width: Seconds
    """Shortest write pulse."""
    max_width: Seconds
    """Longest write pulse."""
    max_read_amplitude: Volts
    """Largest magnitude of a read voltage."""
    max_current: Amperes
    """Current limit that the SMU is set to."""
    source: str
    """Where these numbers come from, for the error message: "bench.toml [limits.mtj]"."""
    max_set_current: Amperes | None = None
    """What access transistors let through in a positive pulse; None where cells need no such
    limit. Who drives their gates sets it: a die board by itself, else the bench's wiring."""
    max_energy: Joules = math.inf
    """Largest energy of one write pulse in a typical cell."""
    cell_resistance: Ohms = math.inf
    """Of a typical cell under a write pulse: what the energy is reckoned with."""

    def energy(self, pulse: Pulse) -> Joules:
        """What a pulse brings into a typical cell; 0 where its resistance is not known."""
        return pulse.amplitude**2 * pulse.width / self.cell_resistance

    def check_pulse(self, pulse: Pulse) -> Pulse:
        """Return the pulse, or raise LimitError."""
        if not abs(pulse.amplitude) <= self.max_amplitude:
            raise LimitError(
                f"Pulse of {pulse.amplitude:g} V refused: the limit is ±{self.max_amplitude:g} V, "
                f"set by {self.source} max_amplitude. Lower the pulse, or raise the limit there."
            )
        if not self.min_width <= pulse.width <= self.max_width:
            raise LimitError(
                f"Pulse width of {format_quantity(pulse.width, 's')} refused: the limits are "
                f"{format_quantity(self.min_width, 's')} to {format_quantity(self.max_width, 's')},"
                f" set by {self.source} min_width and max_width. Change the width, or the limit."
            )
        energy = self.energy(pulse)
        if not energy <= self.max_energy:
            raise LimitError(
                f"Pulse of {pulse.amplitude:g} V for {format_quantity(pulse.width, 's')} refused: "
                f"it brings {format_quantity(energy, 'J')} into a cell of "
                f"{format_quantity(self.cell_resistance, 'Ohm')}, and the limit is "
                f"{format_quantity(self.max_energy, 'J')}, set by {self.source} max_energy. Make "
                "it shorter or lower, or raise the limit there."
            )
        return pulse

    def check_read(self, amplitude: Volts) -> Volts:
        """Return the read voltage (the largest magnitude of several), or raise LimitError."""
        if not abs(amplitude) <= self.max_read_amplitude:
            raise LimitError(
                f"Read at {amplitude:g} V refused: the limit is ±{self.max_read_amplitude:g} V, "
                f"set by {self.source} max_read_amplitude. Read lower, or raise the limit there."
            )
        if amplitude == 0:
            raise LimitError(
                "Read at 0 V refused: without a current nothing is learnt of a cell. Read higher, "
                f"up to the ±{self.max_read_amplitude:g} V of {self.source} max_read_amplitude."
            )
        return amplitude


@dataclass(frozen=True, slots=True, kw_only=True)
class ChuckLimits:
    """How far a prober may move; its driver compares what the prober was taught with them."""

    max_contact_height: Metres
    max_overtravel: Metres
    max_travel: Metres
    """From the home die, in x and in y."""
    source: str
    """Where these numbers come from: "bench.toml [limits.prober]"."""

    def check_heights(self, contact: Metres, overtravel: Metres) -> None:
        """Raise LimitError where the prober was taught to go higher."""
        for name, value, limit in (
            ("contact_height", contact, self.max_contact_height),
            ("overtravel", overtravel, self.max_overtravel),
        ):
            if not value <= limit:
                raise LimitError(
                    f"The prober's {name} is {format_quantity(value, 'm')}: the limit is "
                    f"{format_quantity(limit, 'm')}, set by {self.source} max_{name}. Teach the "
                    "prober anew, or raise the limit there."
                )

    def check_travel(self, x: Metres, y: Metres) -> None:
        """Raise LimitError for a place too far from the home die."""
        farthest = max(abs(x), abs(y))
        if not farthest <= self.max_travel:
            raise LimitError(
                f"A move to {format_quantity(farthest, 'm')} from the home die refused: the limit "
                f"is {format_quantity(self.max_travel, 'm')}, set by {self.source} max_travel. "
                "Correct the wafer map, or raise the limit there."
            )
