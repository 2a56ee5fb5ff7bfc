"""What write attempts are made under: a direction, an amplitude and a width."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from crossbar.pulses import Pulse, State
from crossbar.records import Key
from crossbar.units import Seconds, Volts


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One direction and one pulse."""

    target: State
    pulse: Pulse

    def key(self, cell: int) -> Key:
        """The key of the record that this condition gives for a cell."""
        return ("wer", cell, self.target.value, self.pulse.amplitude, self.pulse.width)


def conditions_of(
    targets: Sequence[State], widths: Sequence[Seconds], amplitudes: Sequence[Volts]
) -> list[Condition]:
    """Every combination, the amplitude changing fastest."""
    return [
        Condition(target=target, pulse=Pulse.writing(target, amplitude, width))
        for target, width, amplitude in product(targets, widths, amplitudes)
    ]
