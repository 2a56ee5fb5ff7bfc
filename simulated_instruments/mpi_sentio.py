"""An MPI SENTIO prober: native commands, replies ``status,id,text``.

The commands of stepping, bins, sub-sites and the chuck; others answer error 3. ``start_`` before a
name makes it asynchronous: it is pending until its time is over or somebody waits for it. Ours:
that prefix's generality, the error texts, and that each question after it costs `POLLING`.
"""

from collections.abc import Callable, Sequence

from crossbar.geometry import DieAddress
from crossbar.units import Seconds
from drivers.die_frame import DieFrame
from simulated_instruments.emulated_instrument import EmulatedInstrument
from simulated_instruments.probe_station import ProbeStation
from simulated_instruments.sentio_chuck import (
    INVALID_OPERATION,
    OUT_OF_BOUNDS,
    STEP_TIME,
    SentioChuck,
    SentioError,
    integers,
    near,
)

PITCH_UM = 5000.0
POLLING: Seconds = 0.25
"""Time that a program lets pass from one question about a command to the next."""
VERSION = "26.0.4"
END_OF_ROUTE_BIT = 1 << 10
LAST_SITE_BIT = 2 << 10
NO_HANDLER, END_OF_ROUTE, COMMAND_PENDING, ABORTED, UNKNOWN_ID = 3, 11, 30, 31, 32


class EmulatedMpiSentio(EmulatedInstrument):
    """A station whose project is open; its route visits the dies in the order given."""

    def __init__(
        self,
        station: ProbeStation,
        *,
        addresses: Sequence[DieAddress] | None = None,
        die_frame: DieFrame | None = None,
        contact_height: float | None = 12000.0,
        subsites: int = 1,
    ) -> None:
        """``contact_height`` in micrometres, None for one that was not taught."""
        super().__init__()
        self.station = station
        self.route = tuple(station.wafer.addresses if addresses is None else addresses)
        self.die_frame = die_frame or DieFrame()
        self.chuck = SentioChuck(station, contact_height, self._die_at)
        self.subsites = subsites
        self.subsite = 0
        self.bins: dict[tuple[DieAddress, int], int] = {}
        self.started: dict[int, tuple[Seconds, str, list[str]]] = {}
        """Asynchronous commands that are not over: when they are, name and parameters, by id."""
        self.finished: dict[int, str] = {}
        self._commands: dict[str, Callable[[list[str]], str]] = {
            **self.chuck.commands,
            "map:bin_step_next_die": self._bin_step,
            "map:bins:clear_all": self._clear_bins,
            "map:bins:get_bin": lambda words: str(self.bins.get((self._here(), self.subsite), -1)),
            "map:bins:set_bin": self._set_bin,
            "map:die:get_current_index": self._current_index,
            "map:get_home_die": lambda words: "{},{}".format(
                *self.die_frame.to_prober(self.route[0])
            ),
            "map:get_index_size": lambda words: f"{PITCH_UM:g},{PITCH_UM:g}",
            "map:get_num_dies": lambda words: str(len(self.route)),
            "map:step_die": self._step_die,
            "map:step_die_seq": self._step_sequence,
            "map:step_first_die": lambda words: self._step_to(0, integers(words, 0, 1)),
            "map:step_next_die": lambda words: self._step_by(1, integers(words, 0, 1)),
            "map:step_previous_die": lambda words: self._step_by(-1, []),
            "map:subsite:get_num": lambda words: str(self.subsites),
            "map:subsite:step": lambda words: self._to_subsite(integers(words, 1, 1)[0]),
            "map:subsite:step_next": lambda words: self._to_subsite(self.subsite + 1),
            "map:subsite:step_previous": lambda words: self._to_subsite(self.subsite - 1),
            "status:get_version": lambda words: f"Version: {VERSION}",
        }

    def handle(self, message: bytes) -> None:
        """Answer one command; ``*RCS`` and ``*LOCAL`` have no answer."""
        text = message.decode("latin-1").strip()
        if text == "*IDN?":
            self.reply("MPI Corporation,Sentio - Probe System Software Suite,0,26.0.4.0")
        elif text and not text.startswith(("*RCS", "*LOCAL")):
            self.reply(self.answer(text))

    def answer(self, text: str) -> str:
        """Act on one command; its whole reply."""
        name, _, rest = text.partition(" ")
        words = [word.strip() for word in rest.split(",")] if rest.strip() else []
        if name.startswith("start_") and name.removeprefix("start_") in self._commands:
            number = len(self.started) + len(self.finished) + 1
            due = self.station.clock.now + STEP_TIME
            self.started[number] = (due, name.removeprefix("start_"), words)
            return f"0,{number},OK"
        if name in ("query_command_status", "wait_complete", "wait_all", "abort_command"):
            return self._asynchronous(name, words)
        return "{},0,{}".format(*self._run(name, words))

    def _asynchronous(self, name: str, words: list[str]) -> str:
        """Questions about commands that were started."""
        if name == "wait_all":
            for number in tuple(self.started):
                self._end(number, waited=True)
            return "0,0,OK"
        try:
            (number,) = integers(words[:1], 1, 1)
        except SentioError as error:
            return f"{error.code},0,{error}"
        if number in self.started and name == "abort_command":
            del self.started[number]
            self.finished[number] = f"{ABORTED},{number},aborted"
            return "0,0,OK"
        if number in self.started:
            pending = name == "query_command_status"
            if pending and self.station.clock.now < self.started[number][0]:
                self.station.clock.advance(POLLING)
                return f"{COMMAND_PENDING},{number},pending"
            self._end(number, waited=not pending)
        return self.finished.get(number, f"{UNKNOWN_ID},{number},unknown command id")

    def _end(self, number: int, *, waited: bool) -> None:
        """Let an asynchronous command have its effect; waiting for it takes its time."""
        _, name, words = self.started.pop(number)
        self.chuck.time_has_passed = not waited
        status, values = self._run(name, words)
        self.chuck.time_has_passed = False
        self.finished[number] = f"{status},{number},{values}"

    def _run(self, name: str, words: list[str]) -> tuple[int, str]:
        """Status and text of one command."""
        command = self._commands.get(name)
        try:
            if command is None:
                raise SentioError(NO_HANDLER, f"no handler for {name}")
            values = command(words)
        except SentioError as error:
            flag = END_OF_ROUTE_BIT if error.code == END_OF_ROUTE else 0
            return flag + error.code, str(error)
        stepped = name.startswith("map:") and "step" in name
        return (self._route_status() if stepped else 0), values

    def _route_status(self) -> int:
        last_die = self.station.die_under_needles == self.route[-1]
        last_site = self.subsite == self.subsites - 1
        flags = END_OF_ROUTE_BIT if last_die and last_site else 0
        return flags | (LAST_SITE_BIT if last_site and self.subsites > 1 else 0)

    def _here(self) -> DieAddress:
        here = self.station.die_under_needles
        if here not in self.route:
            raise SentioError(INVALID_OPERATION, "the chuck is not at a die")
        return here

    def _step_by(self, steps: int, site: list[int]) -> str:
        number = self.route.index(self._here()) + steps
        if not 0 <= number < len(self.route):
            raise SentioError(END_OF_ROUTE, "End of route")
        return self._step_to(number, site)

    def _step_to(self, number: int, site: list[int]) -> str:
        if not 0 <= number < len(self.route):
            raise SentioError(OUT_OF_BOUNDS, "no such die")
        self._arrive(self.route[number], site[0] if site else 0)
        return self._place()

    def _step_die(self, words: list[str]) -> str:
        column, row, *site = integers(words, 2, 3)
        die = self.die_frame.from_prober(column, row)
        if die not in self.route:
            raise SentioError(OUT_OF_BOUNDS, f"no die at {column},{row}")
        return self._step_to(self.route.index(die), site)

    def _step_sequence(self, words: list[str]) -> str:
        number, *site = integers(words, 1, 2)
        return self._step_to(number, site)

    def _to_subsite(self, site: int) -> str:
        self._arrive(self._here(), site)
        return self._place()

    def _arrive(self, die: DieAddress, site: int) -> None:
        if not 0 <= site < self.subsites:
            raise SentioError(OUT_OF_BOUNDS, f"no subsite {site}")
        self.chuck.step(*self._offset(die))
        self.subsite = site

    def _offset(self, die: DieAddress) -> tuple[float, float]:
        """Micrometres from the home die."""
        column, row = self.die_frame.to_prober(die)
        home_column, home_row = self.die_frame.to_prober(self.route[0])
        return (column - home_column) * PITCH_UM, (row - home_row) * PITCH_UM

    def _die_at(self, x: float, y: float) -> DieAddress | None:
        return next((die for die in self.route if near(self._offset(die), (x, y))), None)

    def _place(self) -> str:
        return "{},{},{}".format(*self.die_frame.to_prober(self._here()), self.subsite)

    def _current_index(self, words: list[str]) -> str:
        here = self._here()
        return "{},{},{}".format(self.route.index(here), *self.die_frame.to_prober(here))

    def _set_bin(self, words: list[str]) -> str:
        result, *place = integers(words, 1, 4)
        die = self.die_frame.from_prober(*place[:2]) if len(place) >= 2 else self._here()
        if die not in self.route:
            raise SentioError(OUT_OF_BOUNDS, "no such die")
        self.bins[die, place[2] if len(place) == 3 else self.subsite] = result
        return "OK"

    def _bin_step(self, words: list[str]) -> str:
        result, *site = integers(words, 1, 2)
        self._set_bin([str(result)])
        return self._step_by(1, site or [self.subsite])

    def _clear_bins(self, words: list[str]) -> str:
        self.bins.clear()
        return "OK"
