"""What pulses a generator can send."""

from dataclasses import dataclass

from crossbar.errors import LimitError
from crossbar.pulses import Pulse
from crossbar.units import Seconds, Volts, format_quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class PulseRange:
    """The hardware's reach; amplitudes are magnitudes in open-circuit volts."""

    name: str
    """The instrument, for the message."""
    smallest: Volts
    largest: Volts
    shortest: Seconds
    longest: Seconds
    signs: tuple[int, ...] = (-1, 1)
    """(1,) for a generator that only sends positive pulses."""

    def nearest(self, amplitude: Volts) -> Volts:
        """The amplitude nearest to this one that the generator can make, where it has steps."""
        return amplitude

    def check(self, pulse: Pulse) -> Pulse:
        """Return the pulse, or raise LimitError: nothing is clipped."""
        if not self.smallest <= abs(pulse.amplitude) <= self.largest:
            raise LimitError(
                f"Pulse of {pulse.amplitude:g} V refused: the {self.name} sends {self.smallest:g} "
                f"to {self.largest:g} V open circuit. Change the amplitude."
            )
        if (1 if pulse.amplitude > 0 else -1) not in self.signs:
            only = "positive" if self.signs == (1,) else "negative"
            raise LimitError(
                f"Pulse of {pulse.amplitude:g} V refused: the {self.name} sends {only} pulses "
                "only. Use a generator that can invert, or exchange the two lines of the cell."
            )
        if not self.shortest <= pulse.width <= self.longest:
            raise LimitError(
                f"Pulse width of {format_quantity(pulse.width, 's')} refused: the {self.name} "
                f"takes {format_quantity(self.shortest, 's')} to "
                f"{format_quantity(self.longest, 's')}. Change the width."
            )
        return pulse
