"""The two resistance states, and the pulse that writes them."""

import enum
from dataclasses import dataclass

from crossbar.errors import LimitError
from crossbar.units import Seconds, Volts


class State(enum.Enum):
    """A cell's resistance state, for both technologies (MTJ: P / AP; RRAM: LRS / HRS)."""

    LOW = "low"
    HIGH = "high"

    @property
    def other(self) -> "State":
        """The opposite state."""
        return State.HIGH if self is State.LOW else State.LOW

    @property
    def write_sign(self) -> int:
        """Polarity of a pulse that writes this state: +1 for LOW, -1 for HIGH.

        Bit line minus source line. By convention of this project for both technologies: a positive
        pulse lowers the resistance (MTJ: AP to P; RRAM: SET).
        """
        return 1 if self is State.LOW else -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """One rectangular write pulse, as it arrives at the selected cell."""

    amplitude: Volts
    """Bit line minus source line; the sign decides which state it writes (`State.write_sign`)."""

    width: Seconds
    """At half amplitude."""

    def __post_init__(self) -> None:
        if not 0 < self.width < float("inf"):  # also refuses NaN
            raise LimitError(f"Pulse width must be positive and finite, got {self.width!r} s.")
        if not abs(self.amplitude) < float("inf"):
            raise LimitError(f"Pulse amplitude must be finite, got {self.amplitude!r} V.")

    @classmethod
    def writing(cls, target: State, magnitude: Volts, width: Seconds) -> "Pulse":
        """The pulse of the given magnitude (positive volts) that writes ``target``."""
        return cls(amplitude=target.write_sign * abs(magnitude), width=width)
