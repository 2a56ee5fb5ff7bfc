"""ArC TWO, a 64-channel crossbar board, through its maker's package ``pyarc2``.

The wire protocol is internal to ``libarc2``; the published contract is the package's API, and this
driver is written against that (pyarc2 at commit b06691d). What the API leaves open, and what is
only known from memory (voltage range, shortest pulse), is marked "not confirmed".
"""

from typing import Any

from crossbar.errors import (
    ConfigurationError,
    LimitError,
    NotConnectedError,
    ReplyError,
    ReportedError,
    WrongInstrumentError,
)
from crossbar.geometry import CellAddress, DieGeometry
from crossbar.limits import Limits
from crossbar.pulses import Pulse
from crossbar.units import Amperes, Seconds, Volts, format_quantity
from drivers.packages import class_identity, maker_package, missing_verbs
from drivers.protection import Protection
from drivers.pulse_range import PulseRange

NAME = "ArC TWO"
PACKAGE = "pyarc2"
CHANNELS = 64
LINES = 32
"""Rows, and columns: hard-coded in libarc2."""
NANOSECOND: Seconds = 1e-9
GRID = 1e-6
"""How closely a width must be a whole number of nanoseconds, relatively."""
MAX_VOLTAGE: Volts = 10.0
"""Of output range STD. Not confirmed."""
MAX_READ: Volts = 1.0
"""Ours: more would write."""
FULL_SCALE: Amperes = 1e-3
"""A current of this size is taken for a clipped one. Ours; libarc2 does not tell."""
VERBS = ("read_one", "pulse_one", "connect_to_gnd", "float_all", "ground_all", "execute", "wait")


def row_channel(row: int) -> int:
    """Channels 0 to 15 and 32 to 47 are rows."""
    return row if row < LINES // 2 else row + LINES // 2


def column_channel(column: int) -> int:
    """Channels 16 to 31 and 48 to 63 are columns."""
    return column + LINES // 2 if column < LINES // 2 else column + LINES


class ArcTwo:
    """Reads and pulses one cell at a time; constructed on a ``pyarc2.Instrument``.

    The low channel is the cell's row and the high channel its column, so a positive voltage is
    column minus row. For a read the board puts *minus* the read voltage on the low channel and
    senses at the high one; the current's sign is taken to be the voltage's (not confirmed).

    Pulses are buffered by the board until ``execute``: every verb here executes and waits, so that
    nothing is left to happen later. All other lines float while a cell is read or pulsed; what
    leaks through them (sneak paths) is the die's affair. A pulse is never repeated.
    """

    board_name = NAME
    reach = DieGeometry(subarrays=1, rows=LINES, columns=LINES)
    pulse_range = PulseRange(
        name=NAME, smallest=0.01, largest=MAX_VOLTAGE, shortest=40e-9, longest=0.5
    )
    """40 ns and 10 V are not confirmed; 500 ms is the documented end of the fast drivers."""

    def __init__(self, library: Any) -> None:
        self.library = library

    @staticmethod
    def open_library(address: str) -> Any:
        """The package's object for ``<id>:<firmware file>``, such as ``0:arc2fw.bin``.

        Loading the firmware resets the board to 0 V. Raises ConfigurationError, NotConnectedError.
        """
        number, _, firmware = address.partition(":")
        if not number.isdigit() or not firmware:
            raise ConfigurationError(
                f"{address!r} is not the address of an {NAME}: write <id>:<firmware file>, such as "
                "0:arc2fw.bin. pyarc2.find_ids() lists the ids."
            )
        package = maker_package(PACKAGE, NAME)
        try:
            return package.Instrument(int(number), firmware)
        except Exception as error:  # ArC2Error, a Rust panic, or a missing firmware file
            raise NotConnectedError(
                f"{NAME} {number} cannot be opened with firmware {firmware} ({error}). Is it "
                "plugged in and powered, and is the path right?"
            ) from error

    @property
    def identity(self) -> str:
        """Get which package and class answer: the board itself has no identity to ask for."""
        return class_identity(NAME, self.library)

    def check_identity(self) -> None:
        """Raise WrongInstrumentError unless the object has an ArC TWO's verbs."""
        missing = missing_verbs(self.library, VERBS)
        if missing:
            raise WrongInstrumentError(
                f"{self.identity} lacks {', '.join(missing)}; a pyarc2.Instrument is expected. "
                f"Construct the driver on one, or update {PACKAGE}."
            )

    def check_errors(self) -> list[Any]:
        """Raise ReportedError if the board is still at work: every verb here waits for its end.

        The board has no error queue; ``pyarc2`` raises at once, and the verbs here pass that on.
        """
        if self.library.busy():
            raise ReportedError(
                f"The {NAME} is busy though nothing is under way. Switch it off and on again."
            )
        return []

    def prepare(self, limits: Limits) -> None:
        """Every channel to 0 V, hard grounds released. Raises ReportedError.

        The board cannot be told the limits; `crossbar.memory_die.MemoryDie` keeps to them.
        """
        self.off()

    def protections(self) -> tuple[Protection, ...]:
        """None: the API has no limit that could be set and read back."""
        return ()

    def off(self) -> None:
        """All channels at 0 V ("soft ground" in the package's words)."""
        self._run("ground all", lambda: self.library.connect_to_gnd([]).ground_all().execute())
        self._run("wait", self.library.wait)

    def shutdown(self) -> None:
        """Leave all channels at 0 V."""
        self.off()

    def read_cell(self, cell: CellAddress, voltage: Volts) -> tuple[Amperes, bool]:
        """Current in amperes through one cell. Raises LimitError, ReportedError, ReplyError."""
        low, high = self._channels(cell)
        if not 0 < abs(voltage) <= MAX_READ:
            raise LimitError(
                f"A read at {voltage:g} V was asked for, but this driver reads with the {NAME} at "
                f"up to ±{MAX_READ:g} V and not at 0 V. Lower the read voltage."
            )
        self._float_all()
        try:
            answer = self._run("read", lambda: self.library.read_one(low, high, float(voltage)))
        finally:
            self.off()
        current = float(answer)
        if current != current:
            raise ReplyError(f"The {NAME} read cell {cell} as NaN: its channels were not selected.")
        return current, abs(current) >= FULL_SCALE

    def pulse_cell(self, cell: CellAddress, pulse: Pulse) -> None:
        """Give one cell one pulse. Raises LimitError before anything is sent, and ReportedError."""
        low, high = self._channels(cell)
        self.pulse_range.check(pulse)
        nanoseconds = whole_nanoseconds(pulse.width)
        self._float_all()
        try:
            self._run(
                "pulse",
                lambda: self.library.pulse_one(
                    low, high, float(pulse.amplitude), nanoseconds
                ).execute(),
            )
            self._run("wait", self.library.wait)
        finally:
            self.off()

    def _channels(self, cell: CellAddress) -> tuple[int, int]:
        """Low and high channel; ConfigurationError for a cell that the board does not reach."""
        self.reach.index(cell)
        return row_channel(cell.row), column_channel(cell.column)

    def _float_all(self) -> None:
        """Lines at 0 V would share the pulse: along its column every row would be a return."""
        self._run("float all", lambda: self.library.connect_to_gnd([]).float_all().execute())
        self._run("wait", self.library.wait)

    def _run(self, doing: str, act: Any) -> Any:
        """Do one thing with the package. Its errors become ReportedError.

        Rust panics, which ``read_one`` raises where it should raise ArC2Error, are BaseExceptions.
        """
        try:
            return act()
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            raise ReportedError(
                f"The {NAME} reported {type(error).__name__}: {error} ({doing}). What was asked "
                "for was refused or not completed, and is not repeated."
            ) from error


def whole_nanoseconds(width: Seconds) -> int:
    """A width in the board's unit; LimitError if it is not on the grid: nothing is rounded."""
    count = round(width / NANOSECOND)
    if abs(count * NANOSECOND - width) > GRID * width:
        raise LimitError(
            f"A pulse width of {format_quantity(width, 's')} was asked for, but the {NAME} takes "
            "whole nanoseconds. Nothing was sent; ask for a multiple of 1 ns."
        )
    return count
