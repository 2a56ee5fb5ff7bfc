"""MPI SENTIO wafer prober: text commands over TCP (port 35555) or GPIB.

A reply is ``status,id,text``: the status' low ten bits are an error code, bit 10 says that the
route ended. Source: MPI's own Python package 26.2.0. Nothing here was tried on a real prober.
Not confirmed: the sites' status words, and that all lengths are micrometres.
"""

import re
from typing import Any

from pymeasure.instruments import Instrument

from crossbar.errors import (
    EndOfWaferError,
    NoReplyError,
    ReplyError,
    ReportedError,
    WrongInstrumentError,
)
from crossbar.geometry import DieAddress
from crossbar.limits import ChuckLimits
from crossbar.units import Metres
from drivers.die_frame import DieFrame
from drivers.protection import Protection

REPLY = re.compile(r"\s*(\d+),(-?\d+),(.*?)\s*", re.DOTALL)
ERROR_BITS = 1023
END_OF_ROUTE = 11
CODES = {
    2: "execution error",
    6: "invalid parameter",
    8: "out of bounds",
    12: "invalid operation",
    15: "open a project first",
    18: "the home position is not set",
    19: "time-out",
    23: "no contact height is set",
    38: "stepping below separation height",
}
MICROMETRE: Metres = 1e-6
HEIGHT_TOLERANCE: Metres = 2e-6
"""Between where the chuck was sent and where it says it is. Ours."""


class MpiSentio(Instrument):
    """A SENTIO prober whose project is open: wafer map, home and heights are set."""

    def __init__(
        self,
        adapter: Any,
        name: str = "MPI SENTIO",
        *,
        die_frame: DieFrame | None = None,
        **kwargs: Any,
    ) -> None:
        self.die_frame = die_frame or DieFrame()
        self._command = ""
        self._identity = ""
        self._native = False
        self._limits: ChuckLimits | None = None
        self._die_index: tuple[Metres, Metres] = (0.0, 0.0)
        self._home_die = (0, 0)
        super().__init__(adapter, name, includeSCPI=False, **kwargs)

    @property
    def identity(self) -> str:
        """The answer to ``*IDN?``, which has no status in front; asked once."""
        if not self._identity:
            self.write("*IDN?")
            self._identity = str(super().read()).strip()
        return self._identity

    def check_identity(self) -> None:
        """Raise WrongInstrumentError unless SENTIO answers."""
        if "sentio" not in self.identity.lower():
            raise WrongInstrumentError(
                f"{self.name} expected, but {self.identity!r} answers. Correct the prober's "
                "address in bench.toml."
            )

    def write(self, command: str, **kwargs: Any) -> None:
        """Send one command; before the first, choose SENTIO's own command set (no reply)."""
        if not self._native:
            super().write("*RCS 1")
            self._native = True
        self._command = command
        super().write(command, **kwargs)

    def read(self, **kwargs: Any) -> str:
        """The text of a reply.

        Raises EndOfWaferError for error 11, ReportedError for others, ReplyError for another form.
        """
        try:
            line = str(super().read(**kwargs))
        except NoReplyError:
            self._native = False  # the link may be made anew, and the command set with it
            raise
        reply = REPLY.fullmatch(line)
        if reply is None:
            raise ReplyError(
                f"{self.name} answered {line!r} to {self._command!r}; expected a status, a number "
                "and a text, as in '0,0,OK'. Is something else at that address?"
            )
        code = int(reply[1]) & ERROR_BITS
        if code == END_OF_ROUTE:
            raise EndOfWaferError(f"{self.name} has no further die on its route ({line.strip()}).")
        if code:
            meaning = f" ({CODES[code]})" if code in CODES else ""
            raise ReportedError(
                f"{self.name} refused {self._command!r} with error {code}{meaning}: {reply[3]}. "
                "See the prober's own screen."
            )
        return reply[3]

    def check_errors(self) -> list:
        """Nothing to ask for: every reply has its status, which `read` raises."""
        return []

    def prepare(self, limits: ChuckLimits) -> None:
        """Steps end separated; what was taught is compared with the limits, moves from now on too.

        Raises LimitError for heights beyond them, ReportedError where no contact height was taught,
        and ReplyError for a map without die size.
        """
        self.ask("set_stepping_contact_mode StepToSeparation")
        if not self._contact_is_taught():
            raise ReportedError(
                f"{self.name} was taught no contact height. Teach it at the prober's own screen."
            )
        contact, overtravel = self._heights()
        limits.check_heights(contact, overtravel)
        x, y = self._numbers("map:get_index_size", 2)
        if not (x > 0 and y > 0):
            raise ReplyError(f"{self.name} gives a die size of {x}, {y} um. Open a wafer map.")
        column, row = self._numbers("map:get_home_die", 2)
        self._die_index, self._home_die = (x * MICROMETRE, y * MICROMETRE), (int(column), int(row))
        self._limits = limits

    def protections(self) -> tuple[Protection, ...]:
        """The taught heights, read back."""
        contact, overtravel = self._heights()
        _, taught, overtravel_on, *_ = self._numbers("get_chuck_site_status Wafer", 4)
        return (
            Protection(name="contact height", value=contact, unit="m", in_force=bool(taught)),
            Protection(name="overtravel", value=overtravel, unit="m", in_force=bool(overtravel_on)),
        )

    def go_to(self, die: DieAddress) -> None:
        """Separate, then bring this die under the needles.

        Raises LimitError for a die too far away, ReportedError for one that the map lacks, and
        ReplyError where the prober says that it went elsewhere.
        """
        column, row = self.die_frame.to_prober(die)
        self._check_travel(column, row)
        reached = self._step(f"map:step_die {column}, {row}, 0")
        if reached != die:
            raise ReplyError(
                f"{self.name} was sent to die {die}, but says that it went to die {reached}. Check "
                "its wafer map and the die frame in bench.toml; the needles are not in contact."
            )

    def go_to_first(self) -> DieAddress:
        """Separate, then step to the first die of the prober's own route."""
        return self._step("map:step_first_die")

    def go_to_next(self) -> DieAddress:
        """Separate, then step along the prober's own route. Raises EndOfWaferError at its end."""
        return self._step("map:step_next_die")

    def contact(self) -> None:
        """Raise the chuck to the taught contact height; ReplyError if it is not there after."""
        self.ask("move_chuck_contact")
        wanted = self._heights()[0]
        if not abs(self._height() - wanted) <= HEIGHT_TOLERANCE:
            raise ReplyError(f"{self.name} says its move is over, but is not at contact height.")

    def separate(self) -> None:
        """Lower the chuck. Raises ReportedError if no contact height was taught."""
        self.ask("move_chuck_separation")
        if not self._height() < self._heights()[0] - HEIGHT_TOLERANCE:
            raise ReplyError(f"{self.name} says its move is over, but is still at contact height.")

    def off(self) -> None:
        """Leave the wafer: the prober has no output but contact."""
        self.separate()

    def shutdown(self) -> None:
        """Separate."""
        self.off()
        super().shutdown()

    def _heights(self) -> tuple[Metres, Metres]:
        """Contact height and overtravel of the wafer's site."""
        contact, _, overtravel = self._numbers("get_chuck_site_heights Wafer", 3)
        return contact * MICROMETRE, overtravel * MICROMETRE

    def _contact_is_taught(self) -> bool:
        """From the site's status: home, contact, overtravel on, vacuum."""
        return bool(self._numbers("get_chuck_site_status Wafer", 4)[1])

    def _height(self) -> Metres:
        return self._numbers("get_chuck_z Z", 1)[0] * MICROMETRE

    def _step(self, command: str) -> DieAddress:
        """Separate and step; the die that the prober says it reached, asked once more."""
        self.separate()
        reached = self._numbers(command, 2)
        here = self._numbers("map:die:get_current_index", 3)[1:]  # after the place on the route
        if here != reached:
            raise ReplyError(
                f"{self.name} says that {command!r} reached {reached}, but reads back {here}. The "
                "chuck is separated; look what is under the needles before going on."
            )
        column, row = (int(value) for value in here)
        self._check_travel(column, row)
        return self.die_frame.from_prober(column, row)

    def _check_travel(self, column: int, row: int) -> None:
        """Raise LimitError for a die too far from the home die, once prepared."""
        if self._limits is not None:
            self._limits.check_travel(
                (column - self._home_die[0]) * self._die_index[0],
                (row - self._home_die[1]) * self._die_index[1],
            )

    def _numbers(self, command: str, count: int) -> list[float]:
        """The first numbers of a reply's text. Raises ReplyError."""
        text = self.ask(command)
        try:
            values = [float(word) for word in text.split(",")[:count]]
        except ValueError:
            values = []
        if len(values) < count:
            raise ReplyError(f"{self.name} answered {text!r} to {command!r}; {count} numbers miss.")
        return values
