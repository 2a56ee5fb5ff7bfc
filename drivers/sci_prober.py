"""The "SCI" commands that SUSS ProberBench and FormFactor Velox share, and their replies.

Source: FormFactor's own Velox Python library of 2025, which lists every command with its
parameters and responses. Nothing here was tried on a real prober. Not confirmed: that the wafer
map's indices are in micrometres, and that the home die is the map's column 0, row 0.

PyMeasure's Velox driver is not used: at the end of the wafer (code 703) its steps return the words
of the error text for coordinates, and its flag for that is cleared by the next reply of any kind;
it leaves sub-die 0 out of commands; and it never separates on the way out.
"""

import re
from dataclasses import dataclass
from typing import Any

from pymeasure.instruments import Instrument
from pymeasure.instruments.validators import strict_discrete_set

from crossbar.errors import EndOfWaferError, ReplyError, ReportedError, WrongInstrumentError
from crossbar.geometry import DieAddress
from crossbar.limits import ChuckLimits
from crossbar.units import Metres
from drivers.die_frame import DieFrame
from drivers.protection import Protection

REPLY = re.compile(r"\s*(-?\d+):\s*(.*?)\s*", re.DOTALL)
END_OF_WAFER = 703
NO_SUCH_DIE = 701
MICROMETRE: Metres = 1e-6
TOUCHING = ("C", "O")
"""Letters of the chuck's preset height at which the needles touch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MapPosition:
    """Where the wafer map says that the chuck is, in the prober's own frame."""

    column: int
    row: int
    x_from_home: Metres
    y_from_home: Metres
    subdie: int
    """From 0; -1 where the map has no sub-dies."""

    @classmethod
    def read(cls, values: list[float]) -> "MapPosition":
        """From the values of ``ReadMapPosition2``; those after the sub-die are left out."""
        column, row, x_from_home, y_from_home, subdie = numbers(values, 5)
        return cls(
            column=int(column),
            row=int(row),
            x_from_home=x_from_home * MICROMETRE,
            y_from_home=y_from_home * MICROMETRE,
            subdie=int(subdie),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChuckHeights:
    """The chuck heights that the operator has taught."""

    contact: Metres | None
    """None until it is taught: then the prober refuses to move to contact or separation."""
    overtravel: Metres
    align_distance: Metres
    separation_distance: Metres

    @classmethod
    def read(cls, values: list[float]) -> "ChuckHeights":
        """From the values of ``ReadChuckHeights Y``; a contact height of -1 is none."""
        contact, overtravel, align, separation = numbers(values, 4)
        return cls(
            contact=None if contact == -1 else contact * MICROMETRE,
            overtravel=overtravel * MICROMETRE,
            align_distance=align * MICROMETRE,
            separation_distance=separation * MICROMETRE,
        )


def leading(values: list, count: int) -> list:
    """The first values of a reply. Raises ReplyError if there are fewer."""
    if len(values) < count:
        raise ReplyError(f"The prober's reply has {len(values)} values, {values}, not {count}.")
    return values[:count]


def numbers(values: list, count: int) -> list[float]:
    """The first values of a reply, if they are numbers. Raises ReplyError."""
    first = leading(values, count)
    try:
        return [float(value) for value in first]
    except ValueError:
        raise ReplyError(
            f"The prober's reply has {first} where {count} numbers are expected."
        ) from None


class SciProber(Instrument):
    """A prober whose wafer map is loaded and whose contact height is taught.

    Offers `crossbar.ports.Prober`. Construction moves nothing. Moves reply when they are over, so
    the adapter's timeout must be a minute or more (`drivers.catalog` sets it).
    """

    identity_words: tuple[str, ...] = ("Velox", "ProberBench")
    """One of them is in the answer to ``*IDN?`` ("Cascade Microtech,Velox...", "Suss MicroTec Test
    Systems GmbH,ProberBench PC..."): from other laboratories' detection tables, not a manual."""

    def __init__(
        self,
        adapter: Any,
        name: str = "SCI prober",
        *,
        die_frame: DieFrame | None = None,
        **kwargs: Any,
    ) -> None:
        self.die_frame = die_frame or DieFrame()
        self._command = ""
        self._identity = ""
        self._limits: ChuckLimits | None = None
        self._die_index: tuple[Metres, Metres] = (0.0, 0.0)
        super().__init__(adapter, name, includeSCPI=False, **kwargs)

    software_version = Instrument.measurement(
        "ReportSoftwareVersion",
        """Get the version of the Velox software (str).""",
        cast=str,
        maxsplit=0,
    )
    map_position = Instrument.measurement(
        "ReadMapPosition2",
        """Get the die and sub-die that the chuck is at (MapPosition).""",
        separator=None,
        get_process_list=MapPosition.read,
    )
    chuck_heights = Instrument.measurement(
        "ReadChuckHeights Y",
        """Get the taught chuck heights, in metres (ChuckHeights).""",
        separator=None,
        get_process_list=ChuckHeights.read,
    )
    map_index = Instrument.measurement(
        "GetMapDims",
        """Get the wafer map's distance from die to die in x and in y, in metres (tuple).""",
        separator=None,
        cast=str,
        get_process_list=lambda words: tuple(
            distance * MICROMETRE for distance in numbers(leading(words, 3)[1:], 2)
        ),
    )
    preset_height = Instrument.measurement(
        "ReadChuckStatus",
        """Get the chuck's height: "C" at contact, "O" overtravel, "A" align, "S" separation (str).

        The status also has a flag IsContactSet: that one only says that a height was taught.
        """,
        separator=None,
        cast=str,
        get_process_list=lambda words: leading(words, 7)[6],
    )
    motor_quiet = Instrument.setting(
        "EnableMotorQuiet %d",
        """Set whether the motors' power is off, for measurements of small currents (bool).""",
        validator=strict_discrete_set,
        map_values=True,
        values={True: 1, False: 0},
        check_set_errors=True,
    )

    @property
    def identity(self) -> str:
        """The answer to ``*IDN?``, the one reply without a status code in front; asked once."""
        if not self._identity:
            self.write("*IDN?")
            self._identity = super().read().strip()
        return self._identity

    def check_identity(self) -> None:
        """Raise WrongInstrumentError unless a prober of this kind answers."""
        if not any(word.lower() in self.identity.lower() for word in self.identity_words):
            raise WrongInstrumentError(
                f"{self.name} expected, but {self.identity!r} answers: an identity with "
                f"{' or '.join(self.identity_words)} was expected. Correct the prober's address in "
                "bench.toml."
            )

    def write(self, command: str, **kwargs: Any) -> None:
        """Send one command, and remember it for the error message."""
        self._command = command
        super().write(command, **kwargs)

    def read(self, **kwargs: Any) -> str:
        """The values of a reply ``code: values``.

        Raises EndOfWaferError for code 703, ReportedError for every other code but 0, ReplyError
        for a reply of another form.
        """
        text = self._read_line()
        reply = REPLY.fullmatch(text)
        if reply is None:
            raise ReplyError(
                f"{self.name} answered {text!r} to {self._command!r}; expected a status code and "
                "values, as in '0: 3 4 0 0'. Is something else at that address?"
            )
        code, values = int(reply[1]), reply[2]
        if code == END_OF_WAFER:
            raise EndOfWaferError(f"{self.name} has no further die on its route ({text.strip()}).")
        if code:
            remedy = "Is that die on the wafer map? " if code == NO_SUCH_DIE else ""
            raise ReportedError(
                f"{self.name} refused {self._command!r} with code {code}: {values}. {remedy}See "
                "the prober's own screen."
            )
        return values

    def _read_line(self) -> str:
        """One reply as it came."""
        return str(super().read())

    def check_errors(self) -> list:
        """Nothing to ask for: Velox has no error queue, `read` raises what a reply reports."""
        return []

    def check_set_errors(self) -> list:
        """Read the status that answers a setting."""
        self.read()
        return []

    def prepare(self, limits: ChuckLimits) -> None:
        """Compare what the prober was taught with the limits; moves after this are checked, too.

        Raises LimitError for a contact height or an overtravel beyond them, ReportedError where no
        contact height was taught, and ReplyError for a wafer map without die size.
        """
        heights = self.chuck_heights
        if heights.contact is None:
            raise ReportedError(
                f"{self.name} was taught no contact height. Teach it at the prober's own screen."
            )
        limits.check_heights(heights.contact, heights.overtravel)
        die_index = self.map_index
        if not all(0 < size < 1 for size in die_index):
            raise ReplyError(
                f"{self.name} gives {die_index} m for the die size, so no travel can be checked. "
                "Load a wafer map at the prober."
            )
        self._die_index, self._limits = die_index, limits

    def protections(self) -> tuple[Protection, ...]:
        """The taught heights, read back: the prober goes no higher."""
        heights = self.chuck_heights
        taught = heights.contact is not None
        return (
            Protection(
                name="contact height", value=heights.contact or 0.0, unit="m", in_force=taught
            ),
            Protection(name="overtravel", value=heights.overtravel, unit="m", in_force=taught),
        )

    def go_to(self, die: DieAddress) -> None:
        """Separate, then bring this die under the needles.

        Raises LimitError for a die farther than `prepare` allowed, before anything moves;
        ReportedError if the prober refuses, as for a die that its map lacks, and ReplyError
        if it says that it went elsewhere.
        """
        column, row = self.die_frame.to_prober(die)
        self._check_travel(column, row)
        reached = self._step(f"StepNextDie {column} {row}")
        if reached != die:
            raise ReplyError(
                f"{self.name} was sent to die {die}, its own column {column} row {row}, but says "
                f"that it went to die {reached}. Check its wafer map and the die frame in "
                "bench.toml; the needles are not in contact."
            )

    def go_to_first(self) -> DieAddress:
        """Separate, then step to the first die of the prober's own route; its bins are kept."""
        return self._step("StepFirstDie 0")

    def go_to_next(self) -> DieAddress:
        """Separate, then step along the prober's own route. Raises EndOfWaferError at its end."""
        return self._step("StepNextDie")

    def contact(self) -> None:
        """Raise the chuck to the taught contact height. Raises ReplyError if it is not there."""
        self.ask("MoveChuckContact")
        if self.preset_height != "C":
            self._refuse_height("contact")

    def separate(self) -> None:
        """Lower the chuck. Raises ReportedError if no contact height was taught."""
        self.ask("MoveChuckSeparation")
        if self.preset_height in TOUCHING:
            self._refuse_height("separation")

    def off(self) -> None:
        """Leave the wafer: the prober has no output but contact."""
        self.separate()

    def shutdown(self) -> None:
        """Separate."""
        self.off()
        super().shutdown()

    def _step(self, command: str) -> DieAddress:
        """Separate and step; the die that the prober says it reached."""
        self.separate()
        values = self.ask(command)
        try:
            column, row = (int(word) for word in values.split()[:2])
        except ValueError:
            raise ReplyError(
                f"{self.name} answered {values!r} to {command!r}; expected column, row, sub-die "
                "and last sub-die. Where the chuck went is unknown; it is separated."
            ) from None
        position = self.map_position
        if (position.column, position.row) != (column, row):
            raise ReplyError(
                f"{self.name} answered {values!r} to {command!r}, but reads back column "
                f"{position.column}, row {position.row}. The chuck is separated; look what is "
                "under the needles before going on."
            )
        self._check_travel(column, row)
        return self.die_frame.from_prober(column, row)

    def _check_travel(self, column: int, row: int) -> None:
        """Raise LimitError for a die too far from the map's home die (0, 0), once prepared."""
        if self._limits is not None:
            self._limits.check_travel(column * self._die_index[0], row * self._die_index[1])

    def _refuse_height(self, wanted: str) -> None:
        raise ReplyError(
            f"{self.name} says that its move to {wanted} is over, but the chuck is not at "
            f"{wanted} height. Look at the prober before going on."
        )
