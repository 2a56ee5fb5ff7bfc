"""The SCI commands of Velox and ProberBench, acting on the station; each framing is a subclass.

Codes 701 and 703 are the prober's own. No list of the others is public: those below are ours, and
a driver must not depend on them. Ours as well: the home die is the first of the route.
"""

import math
from collections.abc import Callable, Sequence
from typing import ClassVar

from crossbar.geometry import DieAddress
from crossbar.units import Seconds
from drivers.die_frame import DieFrame
from simulated_instruments.emulated_instrument import EmulatedInstrument
from simulated_instruments.probe_station import ProbeStation
from simulated_instruments.sci_chuck import (
    BAD_PARAMETER,
    OK,
    Answer,
    Chuck,
    SciError,
    whole_numbers,
)

NO_SUCH_DIE = 701
END_OF_WAFER = 703
UNKNOWN_COMMAND = 509
NOT_ON_MAP = 512
STEP_TIME: Seconds = 1.0
"""From die to die."""


class EmulatedSciProber(EmulatedInstrument):
    """A prober with a wafer map; its route visits the dies in the order given."""

    IDENTITY: ClassVar[str] = ""
    VERSION: ClassVar[str] = "3.4"

    def __init__(
        self,
        station: ProbeStation,
        *,
        addresses: Sequence[DieAddress] | None = None,
        die_frame: DieFrame | None = None,
        contact_height: float | None = 12000.0,
        subdies: int = 0,
    ) -> None:
        """``addresses`` default to the wafer's own; ``contact_height`` is in micrometres, None for
        a prober that was not taught one; ``subdies`` is how many each die has, 0 for none.
        """
        super().__init__()
        self.station = station
        self.route = tuple(station.wafer.addresses if addresses is None else addresses)
        self.die_frame = die_frame or DieFrame()
        self.chuck = Chuck(station, contact_height, self._die_at)
        self.subdies = subdies
        self.subdie = 0
        self.bins: dict[DieAddress, int] = {}
        self._commands: dict[str, Callable[[list[str]], Answer]] = {
            "BinMapDie": self._bin,
            "BinStepDie": self._bin_and_step,
            "EchoData": lambda words: (OK, " ".join(words)),
            "GetDieLabel": self._label,
            "GetMapDims": self._map_dims,
            "GetNumSelectedDies": lambda words: (OK, str(len(self.route))),
            "GetSelectedDieCoords": self._selected_die,
            "IsAppRegistered": lambda words: (OK, "1" if words == ["WaferMap"] else "0"),
            "ReadMapPosition2": self._read_map_position,
            "ReportSoftwareVersion": lambda words: (OK, self.VERSION),
            "StepFirstDie": self._step_first_die,
            "StepNextDie": self._step_next_die,
            "StepNextSubDie": self._step_next_subdie,
            "StepToDie": self._step_to_number,
            **self.chuck.commands,
        }

    @property
    def contact_height(self) -> float | None:
        """Micrometres; None where it was not taught."""
        return self.chuck.contact_height

    def handle(self, message: bytes) -> None:
        """Answer one command in the framing of GPIB."""
        text = message.decode("latin-1").strip()
        if text == "*IDN?":
            self.reply(self.IDENTITY)
        elif text == "*OPC?":
            self.reply("1")
        elif text:
            code, values = self.answer(text)
            self.reply(f"{code}: {values}")

    def answer(self, text: str) -> Answer:
        """Act on one command, whatever the framing around it."""
        name, *parameters = text.split() or [""]
        command = self._commands.get(name)
        if command is None:
            return UNKNOWN_COMMAND, f"Unknown command {name}"
        try:
            return command(parameters)
        except SciError as error:
            return error.code, str(error)

    def _step_first_die(self, words: list[str]) -> Answer:
        """ClearBins and RecalcRoute, both 1 where they are left out."""
        clear, *_ = [*whole_numbers(words, most=2), 1]
        if not words or clear:
            self.bins.clear()
        return self._step_to(self.route[0])

    def _step_next_die(self, words: list[str]) -> Answer:
        """With a column and a row: there, to the sub-die if one is given. Without: along."""
        if not words:
            here = self.station.die_under_needles
            following = self.route.index(here) + 1 if here in self.route else 0
            if following == len(self.route):
                return END_OF_WAFER, "End of wafer map reached"
            return self._step_to(self.route[following])
        column, row, *site = whole_numbers(words, least=2, most=3)
        die = self._die_of_map(column, row)
        return self._step_to(die, site[0] if site else 0)

    def _step_to_number(self, words: list[str]) -> Answer:
        """To a die by its number on the route, from 1; -1 is the next one."""
        number, *site = [*whole_numbers(words, most=2)] or [-1]
        if number == -1:
            return self._step_next_die([])
        return self._step_to(self._die_of_number(number), site[0] if site else 0)

    def _step_next_subdie(self, words: list[str]) -> Answer:
        """To a sub-die by its number, or to the next one."""
        site, *_ = [*whole_numbers(words, most=1), self.subdie + 1]
        if not 0 <= site < self.subdies:
            raise SciError(BAD_PARAMETER, f"No sub-die {site}")
        self.chuck.leave_contact()
        self.subdie = site
        return OK, f"{site} {max(self.subdies - 1, 0)}"

    def _step_to(self, die: DieAddress, site: int = 0) -> Answer:
        site = max(site, 0)
        if site > max(self.subdies - 1, 0):
            raise SciError(BAD_PARAMETER, f"No sub-die {site}")
        self.chuck.go(*self._offset(die), duration=STEP_TIME)
        self.station.die_under_needles = die
        self.subdie = site
        column, row = self.die_frame.to_prober(die)
        return OK, f"{column} {row} {site} {max(self.subdies - 1, 0)}"

    def _bin(self, words: list[str]) -> Answer:
        result, *place = whole_numbers(words, least=1, most=4)
        die = self._die_of_map(*place[:2]) if len(place) >= 2 else self._here()
        self.bins[die] = result
        column, row = self.die_frame.to_prober(die)
        return OK, f"{column} {row}"

    def _bin_and_step(self, words: list[str]) -> Answer:
        whole_numbers(words, least=1, most=4)
        self._bin(words[:1])
        return self._step_next_die(words[1:])

    def _label(self, words: list[str]) -> Answer:
        place = whole_numbers(words, most=2)
        die = self._die_of_map(*place) if len(place) == 2 else self._here()
        return OK, "{}/{}".format(*self.die_frame.to_prober(die))

    def _selected_die(self, words: list[str]) -> Answer:
        (number,) = whole_numbers(words, least=1, most=1)
        return OK, "{} {}".format(*self.die_frame.to_prober(self._die_of_number(number)))

    def _map_dims(self, words: list[str]) -> Answer:
        """Map type, distances from die to die, columns, rows."""
        columns, rows = zip(*(self.die_frame.to_prober(die) for die in self.route), strict=True)
        x, y = self.chuck.index
        size = f"{max(columns) - min(columns) + 1} {max(rows) - min(rows) + 1}"
        return OK, f"W {x:.1f} {y:.1f} {size}"

    def _read_map_position(self, words: list[str]) -> Answer:
        """Column, row, offsets from home, sub-die, last sub-die, die number, dies, clusters."""
        here = self._here()
        column, row = self.die_frame.to_prober(here)
        site = f"{self.subdie} {self.subdies - 1}" if self.subdies else "-1 -1"
        number = self.route.index(here) + 1
        x, y = self._offset(here)
        return OK, f"{column} {row} {x:.1f} {y:.1f} {site} {number} {len(self.route)} 0 0"

    def _here(self) -> DieAddress:
        here = self.station.die_under_needles
        if here is None or here not in self.route:
            raise SciError(NOT_ON_MAP, "The chuck is not at a die of the wafer map")
        return here

    def _die_of_map(self, column: int, row: int) -> DieAddress:
        die = self.die_frame.from_prober(column, row)
        if die not in self.route:
            raise SciError(NO_SUCH_DIE, f"No die at {column} {row}")
        return die

    def _die_of_number(self, number: int) -> DieAddress:
        if not 1 <= number <= len(self.route):
            raise SciError(NO_SUCH_DIE, f"No die number {number}")
        return self.route[number - 1]

    def _offset(self, die: DieAddress) -> tuple[float, float]:
        """Micrometres from the home die."""
        column, row = self.die_frame.to_prober(die)
        home_column, home_row = self.die_frame.to_prober(self.route[0])
        x, y = self.chuck.index
        return (column - home_column) * x, (row - home_row) * y

    def _die_at(self, x: float, y: float) -> DieAddress | None:
        """The die whose place on the map this is, to a micrometre."""
        for die in self.route:
            if math.dist(self._offset(die), (x, y)) <= 1.0:
                return die
        return None
