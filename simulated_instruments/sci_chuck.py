"""The chuck of an SCI prober: where it stands, how high, and the commands that move it.

Positions are micrometres from the home die, heights the preset ones. The error codes are ours.
"""

import math
from collections.abc import Callable

from crossbar.geometry import DieAddress
from crossbar.units import Seconds
from simulated_instruments.probe_station import ProbeStation

OK = 0
BAD_PARAMETER = 510
NO_CONTACT_HEIGHT = 511
INTERLOCKED = 513
MOVE_TIME: Seconds = 1.0
"""Anywhere on the wafer."""
HEIGHT_TIME: Seconds = 0.3
"""From separation to contact and back."""
DIE_PITCH_UM = (5000.0, 5000.0)
UNITS = {"Y": 1.0, "I": 25.4, "J": 1.0, "E": 1.0}
"""Micrometres per unit. Of jogs and encoder counts ours; "X" is the index."""
REFERENCES = ("H", "Z", "R", "C", "D")

Answer = tuple[int, str]
"""Status code, and the values or the error's text."""


class SciError(Exception):
    """A command that the prober refuses."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def numbers(words: list[str], *, least: int = 0, most: int = 99) -> list[float]:
    """The parameters as finite numbers. Raises SciError."""
    try:
        values = [float(word) for word in words]
    except ValueError:
        values = [math.nan]
    if not (least <= len(words) <= most and all(map(math.isfinite, values))):
        raise SciError(BAD_PARAMETER, f"Bad parameters: {' '.join(words)}")
    return values


def whole_numbers(words: list[str], *, least: int = 0, most: int = 99) -> list[int]:
    """The parameters as integers. Raises SciError."""
    values = numbers(words, least=least, most=most)
    if any(value != int(value) for value in values):
        raise SciError(BAD_PARAMETER, f"Whole numbers expected, not {' '.join(words)}")
    return [int(value) for value in values]


class Chuck:
    """Carries the wafer; Auto-Z is on, so a move leaves contact first."""

    def __init__(
        self,
        station: ProbeStation,
        contact_height: float | None,
        die_at: Callable[[float, float], DieAddress | None],
    ) -> None:
        self.station = station
        self.contact_height = contact_height
        self.overtravel = 50.0
        self.preset_height = "S"
        self.motor_quiet = False
        self.position = (0.0, 0.0)
        self.index = DIE_PITCH_UM
        self.modes = [0, 1, 0, 0, 0, 0]
        """Overtravel, Auto-Z, interlock, contact search, edge sensor, quiet."""
        self._die_at = die_at
        self.commands: dict[str, Callable[[list[str]], Answer]] = {
            "EnableMotorQuiet": self._enable_motor_quiet,
            "MoveChuck": self._move,
            "MoveChuckAlign": lambda words: self._move_to("A", words),
            "MoveChuckContact": lambda words: self._move_to("C", words),
            "MoveChuckIndex": self._move_index,
            "MoveChuckSeparation": lambda words: self._move_to("S", words),
            "ReadChuckHeights": self._read_heights,
            "ReadChuckIndex": lambda words: (OK, f"{self.index[0]:.1f} {self.index[1]:.1f}"),
            "ReadChuckPosition": self._read_position,
            "ReadChuckStatus": self._read_status,
            "ReadProberStatus": self._read_prober_status,
            "SetChuckIndex": self._set_index,
            "SetChuckMode": self._set_mode,
            "StopAllMovements": lambda words: (OK, ""),
            "StopChuckMovement": lambda words: (OK, ""),
        }

    def leave_contact(self) -> None:
        """Before a move in the plane: Auto-Z separates, the interlock refuses."""
        if self.preset_height in ("C", "O"):
            if self.modes[2]:
                raise SciError(INTERLOCKED, "The chuck is at contact height")
            self._move_to("S", [])

    def go(self, x: float, y: float, *, duration: Seconds = MOVE_TIME) -> None:
        """Bring this place under the needles, separated."""
        self.leave_contact()
        self.station.in_contact = False
        self.station.clock.advance(duration)
        self.position = (x, y)
        self.station.die_under_needles = self._die_at(x, y)

    def _move(self, words: list[str]) -> Answer:
        """X, Y, reference (H), unit (Y), velocity, compensation."""
        x, y = numbers(words[:2], least=2)
        reference, unit = [*words[2:4], "H", "Y"][:2] if len(words) != 3 else [words[2], "Y"]
        numbers(words[4:5])
        scale = self.index if unit == "X" else (UNITS.get(unit, math.nan),) * 2
        if reference not in REFERENCES or math.isnan(scale[0]):
            raise SciError(BAD_PARAMETER, f"Bad reference or unit: {' '.join(words)}")
        origin = self.position if reference == "R" else (0.0, 0.0)
        self.go(origin[0] + x * scale[0], origin[1] + y * scale[1])
        return OK, ""

    def _move_index(self, words: list[str]) -> Answer:
        x, y = whole_numbers(words[:2], least=2)
        numbers(words[3:4])
        return self._move([str(x), str(y), (words[2:3] or ["H"])[0], "X"])

    def _move_to(self, height: str, words: list[str]) -> Answer:
        """With a velocity in percent, if any."""
        if not all(0 < velocity <= 100 for velocity in numbers(words, most=1)):
            raise SciError(BAD_PARAMETER, f"Bad velocity {words[0]}")
        if self.contact_height is None:
            return NO_CONTACT_HEIGHT, "Contact height is not set"
        if height != self.preset_height:
            self.station.clock.advance(HEIGHT_TIME)
        self.preset_height = height
        self.station.in_contact = height == "C"
        return OK, ""

    def _set_index(self, words: list[str]) -> Answer:
        x, y = numbers(words[:2], least=2)
        scale = UNITS.get((words[2:3] or ["Y"])[0], math.nan)
        if not (x * scale > 0 and y * scale > 0):
            raise SciError(BAD_PARAMETER, f"Bad index {' '.join(words)}")
        self.index = (x * scale, y * scale)
        return OK, ""

    def _set_mode(self, words: list[str]) -> Answer:
        """0 and 1 switch, 2 leaves as it is."""
        values = whole_numbers(words, least=1, most=6)
        if not set(values) <= {0, 1, 2}:
            raise SciError(BAD_PARAMETER, f"Bad mode {' '.join(words)}")
        for place, value in enumerate(values):
            if value != 2:
                self.modes[place] = value
        return OK, ""

    def _enable_motor_quiet(self, words: list[str]) -> Answer:
        if words[:1] not in (["0"], ["1"]):
            return BAD_PARAMETER, "EnableMotorQuiet takes 0 or 1"
        self.motor_quiet = words[0] == "1"
        return OK, ""

    def _read_heights(self, words: list[str]) -> Answer:
        contact = -1 if self.contact_height is None else self.contact_height
        return OK, f"{contact:g} {self.overtravel:g} 100 300 100"

    def _read_position(self, words: list[str]) -> Answer:
        height = 0.0 if self.preset_height == "C" else -300.0
        return OK, f"{self.position[0]:.1f} {self.position[1]:.1f} {height:.1f}"

    def _read_status(self, words: list[str]) -> Answer:
        """Bit 4 of the mode says that a contact height is set, not that the chuck is there."""
        mode = sum(bit << place for place, bit in enumerate(self.modes[:4]))
        mode |= 0b10000 if self.contact_height is not None else 0
        return OK, f"15 {mode} 0 0 L 1 {self.preset_height} 0 0 P {int(self.motor_quiet)}"

    def _read_prober_status(self, words: list[str]) -> Answer:
        return OK, f"0 {int(self.preset_height == 'C')} R {int(self.motor_quiet)}"
