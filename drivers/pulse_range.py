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

    def check_limit(self, max_amplitude: Volts, remedy: str = "Change max_amplitude.") -> None:
        """Raise LimitError for a limit below the smallest pulse or above the largest; NaN, too."""
        if not self.smallest <= max_amplitude <= self.largest:
            sign = "±" if len(self.signs) > 1 else ""
            raise LimitError(
                f"A limit of {sign}{max_amplitude:g} V was asked for, but the {self.name} sends "
                f"{self.smallest:g} to {self.largest:g} V open circuit. {remedy}"
            )

    def check_prepared(self, pulse: Pulse, max_amplitude: Volts) -> None:
        """Raise LimitError if more would be sent than the generator was prepared for.

        The host's limit, where the generator has none of its own.
        """
        if max(abs(pulse.amplitude), abs(self.nearest(pulse.amplitude))) > max_amplitude:
            raise LimitError(
                f"Pulse of {pulse.amplitude:g} V refused: the {self.name} was prepared for at most "
                f"{max_amplitude:g} V open circuit. Lower the amplitude, or raise the bench's "
                "limit."
            )

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
