"""The chuck of a SENTIO prober: place, height, and the stepping contact mode.

Lengths are micrometres; heights count from the axis' zero, places from the home die. Ours: the
separation gap and the times.
"""

import math
from collections.abc import Callable

from crossbar.geometry import DieAddress
from crossbar.units import Seconds
from simulated_instruments.probe_station import ProbeStation

STEP_TIME: Seconds = 1.0
HEIGHT_TIME: Seconds = 0.3
SEPARATION_GAP_UM = 300.0
OVERTRAVEL_UM = 50.0
BAD_PARAMETER, WRONG_COUNT, OUT_OF_BOUNDS = 6, 7, 8
INVALID_OPERATION, NO_CONTACT_HEIGHT = 12, 23
HEIGHT_REFERENCES = {"C": "Contact", "S": "Separation", "Z": "Zero", "R": "Current"}
PLACE_REFERENCES = {"Z": "Zero", "H": "Home", "C": "Center", "U": "UserDefined", "R": "Relative"}
"""By the letters that MPI's package sends; the names are taken, too."""
MODES = ("BackToContact", "StepToSeparation", "LockContact")


class SentioError(Exception):
    """A command that the prober refuses, with its code."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def counted(words: list[str], least: int, most: int) -> list[str]:
    """The parameters, if there are as many as the command takes. Raises SentioError."""
    if not least <= len(words) <= most:
        raise SentioError(WRONG_COUNT, "wrong number of parameters")
    return words


def integers(words: list[str], least: int, most: int) -> list[int]:
    """The parameters as whole numbers. Raises SentioError."""
    try:
        return [int(word) for word in counted(words, least, most)]
    except ValueError:
        raise SentioError(BAD_PARAMETER, f"not a number: {', '.join(words)}") from None


def lengths(words: list[str], count: int) -> list[float]:
    """The parameters as micrometres within the axes' reach. Raises SentioError."""
    try:
        values = [float(word) for word in counted(words, count, count)]
    except ValueError:
        raise SentioError(BAD_PARAMETER, f"not a number: {', '.join(words)}") from None
    if not all(abs(value) < 1e6 for value in values):
        raise SentioError(OUT_OF_BOUNDS, "beyond the axis")
    return values


def reference_of(word: str, known: dict[str, str]) -> str:
    """The name of a reference, given as a letter or a name. Raises SentioError."""
    name = known.get(word, word)
    if name not in known.values():
        raise SentioError(BAD_PARAMETER, f"unknown reference {word}")
    return name


def with_reference(height: str, words: list[str]) -> str:
    """The answer of the newer names for heights: with the reference's name."""
    return f"{height},{reference_of((words or ['Z'])[0], HEIGHT_REFERENCES)}"


class SentioChuck:
    """Carries the wafer."""

    def __init__(
        self,
        station: ProbeStation,
        contact_height: float | None,
        die_at: Callable[[float, float], DieAddress | None],
    ) -> None:
        self.station = station
        self.contact_height = contact_height
        self.height = (contact_height or 0.0) - SEPARATION_GAP_UM
        self.position = (0.0, 0.0)
        self.mode = MODES[0]
        self.time_has_passed = False
        """While an asynchronous command ends: its time was spent before."""
        self._die_at = die_at
        self.commands: dict[str, Callable[[list[str]], str]] = {
            "chuck:get_z": lambda words: with_reference(self._get_z(words), words),
            "chuck:get_xy": self._get_xy,
            "chuck:move_xy": lambda words: (
                f"{self._move_xy(words)},{reference_of(words[0], PLACE_REFERENCES)}"
            ),
            "chuck:move_z": lambda words: with_reference(self._move_z(words), words),
            "get_chuck_site_heights": lambda words: (
                f"{contact_height or 0:g},{SEPARATION_GAP_UM:g},{OVERTRAVEL_UM:g},100"
            ),
            "get_chuck_site_status": lambda words: f"1,{int(contact_height is not None)},0,1",
            "get_chuck_xy": lambda words: self._xy(),
            "get_chuck_z": self._get_z,
            "move_chuck_contact": lambda words: self.move_contact(),
            "move_chuck_home": lambda words: self._move_xy(["Home", "0", "0"]),
            "move_chuck_separation": lambda words: self.separate(),
            "move_chuck_xy": self._move_xy,
            "move_chuck_z": self._move_z,
            "set_stepping_contact_mode": self._set_mode,
        }

    def pass_time(self, duration: Seconds) -> None:
        """A motion takes its time, unless that was spent before."""
        if not self.time_has_passed:
            self.station.clock.advance(duration)

    def move_contact(self) -> str:
        """Raise the chuck; its height."""
        return self._lift(self._taught())

    def separate(self) -> str:
        """Lower the chuck; its height."""
        return self._lift(self._taught() - SEPARATION_GAP_UM)

    def step(self, x: float, y: float) -> None:
        """As the stepping contact mode says: contact again, separated, or not at all."""
        touching = self.station.in_contact
        if touching and self.mode == "LockContact":
            raise SentioError(INVALID_OPERATION, "the chuck is at contact")
        self._go(x, y)
        if touching and self.mode == "BackToContact":
            self.move_contact()

    def _go(self, x: float, y: float) -> None:
        if self.station.in_contact:
            self.separate()
        self.pass_time(STEP_TIME)
        self.position = (x, y)
        self.station.die_under_needles = self._die_at(x, y)

    def _taught(self) -> float:
        if self.contact_height is None:
            raise SentioError(NO_CONTACT_HEIGHT, "contact height not set")
        return self.contact_height

    def _lift(self, height: float) -> str:
        if not 0 <= height <= self._taught():
            raise SentioError(OUT_OF_BOUNDS, "beyond contact height or the axis")
        if height != self.height:
            self.pass_time(HEIGHT_TIME)
        self.height = height
        self.station.in_contact = height == self.contact_height
        return f"{height:g}"

    def _origin(self, reference: str) -> float:
        """Of heights."""
        name = reference_of(reference, HEIGHT_REFERENCES)
        if name in ("Contact", "Separation"):
            return self._taught() - (SEPARATION_GAP_UM if name == "Separation" else 0)
        return 0.0 if name == "Zero" else self.height

    def _get_z(self, words: list[str]) -> str:
        reference = (counted(words, 0, 1) or ["Zero"])[0]
        return f"{self.height - self._origin(reference):g}"

    def _move_z(self, words: list[str]) -> str:
        reference, *z = counted(words, 2, 2)
        return self._lift(self._origin(reference) + lengths(z, 1)[0])

    def _move_xy(self, words: list[str]) -> str:
        """From contact it separates first. All references but Relative are the home die (ours)."""
        reference, *place = counted(words, 3, 3)
        name = reference_of(reference, PLACE_REFERENCES)
        x, y = lengths(place, 2)
        origin = self.position if name == "Relative" else (0.0, 0.0)
        self._go(origin[0] + x, origin[1] + y)
        return self._xy()

    def _get_xy(self, words: list[str]) -> str:
        return f"{self._xy()},{reference_of((words or ['H'])[0], PLACE_REFERENCES)}"

    def _xy(self) -> str:
        return "{:g},{:g}".format(*self.position)

    def _set_mode(self, words: list[str]) -> str:
        if words not in [[mode] for mode in MODES]:
            raise SentioError(BAD_PARAMETER, "unknown mode")
        self.mode = words[0]
        return "OK"


def near(place: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether two places are the same to a micrometre."""
    return math.dist(place, other) <= 1.0
