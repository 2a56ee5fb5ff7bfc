"""NIST Daffodil, an FPGA daughterboard for 1T1R dies of 20,000 cells, through ``daffodillib``.

The package runs on the board's own Linux and drives its pins; the published contract is its class
``Daffodil_Phys`` (usnistgov/daffodil-lib at commit 1b64a41). What it leaves open is marked so.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossbar.errors import LimitError, NotConnectedError, ReportedError, WrongInstrumentError
from crossbar.geometry import CellAddress, DieGeometry
from crossbar.limits import Limits
from crossbar.pulses import Pulse
from crossbar.units import Amperes, Ohms, Seconds, Volts, format_quantity
from drivers.packages import class_identity, maker_package, missing_verbs
from drivers.protection import Protection
from drivers.pulse_range import PulseRange

NAME = "NIST Daffodil"
PACKAGE = "daffodillib.Board.controller"
LINES = 25
"""Rows, and columns, of a kernel: the part of the die that the board reaches at a time."""
ROW_BLOCKS, COLUMN_BLOCKS, SUBARRAYS = 4, 2, 4
"""A kernel's number has the row block in bits 0 and 1 (RA0, RA1), the column block in bit 2 (CA1)
and the sub-array in bits 3 and 4 (LSB, MSB)."""
GROUND: Volts = 1.7
"""Where the die floats: 0 V of a cell is 1.7 V of the board."""
MULTIPLY_REFERENCE: Volts = 2.2
"""Row voltages of both signs lie around this; the package takes references of 1.7 V to 2.5 V."""
MAX_DROP: Volts = 3.3
MAX_READ: Volts = 0.5
"""Ours: more would write, and below the ground of 1.7 V the package refuses a bias."""
CLOCK: float = 100e6
"""Hertz. Not confirmed: the package counts pulses in clock cycles and does not say how long one is.
Measure a pulse with an oscilloscope before writing cells."""
READ_CYCLES = 128 * 200 * 25 * 4 * 10 * 10 * 2
"""The package's own ``read_pulse_len``."""
CLIPPED = 0.01
"""An amplifier within 1 % of its swing of 0 V is taken for clipped. Ours."""
GRID = 1e-6
VERBS = (
    "setcoldacs",
    "setrowdacs",
    "setgatedacs",
    "set_kernel",
    "setrefopamp",
    "event_timevariant",
)


def kernel_of(cell: CellAddress) -> int:
    """The number of the kernel that holds a cell."""
    return cell.subarray << 3 | (cell.column // LINES) << 2 | cell.row // LINES


class NistDaffodil:
    """Reads and pulses one cell at a time; constructed on a ``Daffodil_Phys``.

    The package's own examples SET, which lowers the resistance, with the row above the column. A
    positive voltage here is therefore row minus column: positive reads use the "backward pass"
    (rows driven, columns sensed), negative ones the "forward pass".

    Only the selected row and column are enabled and only the selected column's gate is open; all
    lines return to the die's ground of 1.7 V afterwards. Only names that the package has are ever
    assigned: a misspelt one would become a plain attribute and switch nothing.
    """

    board_name = NAME
    reach = DieGeometry(subarrays=SUBARRAYS, rows=ROW_BLOCKS * LINES, columns=COLUMN_BLOCKS * LINES)

    def __init__(
        self,
        library: Any,
        *,
        gate: Volts = GROUND + 3.1,
        transimpedance: Ohms = 1.5e3,
        clock: float = CLOCK,
    ) -> None:
        """``gate`` and ``transimpedance`` are the package's example parameters; the gate's voltage
        is what limits the current. ``clock`` is in hertz.
        """
        self.library = library
        self.gate = gate
        self.transimpedance = transimpedance
        self.clock = clock
        self.pulse_range = PulseRange(
            name=NAME, smallest=0.01, largest=MAX_DROP, shortest=1 / clock, longest=2**31 / clock
        )

    @staticmethod
    def open_library(address: str = "local") -> Any:
        """The package's object; ``address`` is for bench files only, there is one board per Linux.

        Raises NotConnectedError.
        """
        package = maker_package(PACKAGE, NAME)
        try:
            return package.Daffodil_Phys()
        except Exception as error:  # the package raises bare Exceptions where libpgpio is missing
            raise NotConnectedError(
                f"The {NAME} at {address} cannot be opened ({error}). Run on the board's own Linux."
            ) from error

    @property
    def identity(self) -> str:
        """Get which class answers: the board itself has no identity to ask for."""
        return class_identity(NAME, self.library)

    def check_identity(self) -> None:
        """Raise WrongInstrumentError unless the object is a board of 32 kernels of 25 x 25."""
        missing = missing_verbs(self.library, VERBS)
        shape = tuple(getattr(self.library, name, None) for name in ("kernels", "ydim", "xdim"))
        if missing or shape != (32, LINES, LINES):
            raise WrongInstrumentError(
                f"{self.identity} has the shape {shape} and lacks {', '.join(missing) or 'nothing'}"
                f"; a {NAME} has 32 kernels of {LINES} x {LINES}. Construct the driver on a "
                "Daffodil_Phys."
            )

    def check_errors(self) -> list[Any]:
        """Nothing to ask: the board has no error queue, and the package raises at once."""
        return []

    def prepare(self, limits: Limits) -> None:
        """Amplifiers set, all lines at the die's ground, gates closed. Raises ReportedError.

        The board cannot be told the limits; `crossbar.memory_die.MemoryDie` keeps to them.
        """
        codes = self._run("set amplifiers", self.library.invert_dpot_rout, self.transimpedance)
        self._run("set amplifiers", self.library.set_dpot_D, codes)
        self.off()

    def protections(self) -> tuple[Protection, ...]:
        """None: the gate limits the current, but cannot be read back from the board."""
        return ()

    def off(self) -> None:
        """No line enabled, gates closed, everything at the die's ground."""
        self._enable((), ())
        self._run("go to ground", self.library.setrefopamp, self._code(GROUND))
        self._run("go to ground", self.library.config_outerproduct)
        ground = [self._code(GROUND)] * LINES
        for line in (self.library.setgatedacs, self.library.setcoldacs, self.library.setrowdacs):
            self._run("go to ground", line, ground)

    def shutdown(self) -> None:
        """Leave everything at the die's ground."""
        self.off()

    def read_cell(self, cell: CellAddress, voltage: Volts) -> tuple[Amperes, bool]:
        """Current in amperes, and whether the amplifier clipped. Raises LimitError, ReportedError.

        The current comes through the board's own 12-bit converter and nominal resistances.
        """
        self.reach.index(cell)
        if not 0 < abs(voltage) <= MAX_READ:
            raise LimitError(
                f"A read at {voltage:g} V was asked for, but this driver reads with the {NAME} at "
                f"up to ±{MAX_READ:g} V and not at 0 V. Lower the read voltage."
            )
        row, column = cell.row % LINES, cell.column % LINES
        backward = voltage > 0
        try:
            self._select(cell, backward=backward)
            self._bias(row if backward else None, None if backward else column, abs(voltage))
            self._run("read", self.library.event_timevariant, READ_CYCLES, False)
            current, clipped = self._sensed(column if backward else row, GROUND)
        finally:
            self.off()
        return (current if backward else -current), clipped

    def pulse_cell(self, cell: CellAddress, pulse: Pulse) -> None:
        """Give one cell one pulse. Raises LimitError before anything is sent, and ReportedError."""
        self.reach.index(cell)
        self.pulse_range.check(pulse)
        cycles = self._cycles(pulse.width)
        row, column = cell.row % LINES, cell.column % LINES
        positive = pulse.amplitude > 0
        try:
            self._select(cell, backward=None)
            self._bias(
                row if positive else None, None if positive else column, abs(pulse.amplitude)
            )
            self._run("pulse", self.library.event_timevariant, cycles, True)
        finally:
            self.off()

    def multiply(
        self, geometry: DieGeometry, subarray: int, row_voltages: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """(rows,) volts in, (columns,) amperes out; kernel after kernel, rows added in software.

        A column beyond the amplifier's swing stays clipped. Raises LimitError, ReportedError.
        """
        largest = float(np.max(np.abs(row_voltages), initial=0.0))
        if not largest <= MAX_READ:
            raise LimitError(
                f"Row voltages of up to {largest:g} V were asked for, but this driver multiplies "
                f"with the {NAME} at up to ±{MAX_READ:g} V. Scale the inputs down."
            )
        currents = np.zeros(geometry.columns)
        try:
            for first_row in range(0, geometry.rows, LINES):
                volts = row_voltages[first_row : first_row + LINES]
                for first in range(0, geometry.columns, LINES):
                    corner = CellAddress(subarray, first_row, first)
                    width = min(LINES, geometry.columns - first)
                    currents[first : first + width] += self._multiply_kernel(corner, volts, width)
        finally:
            self.off()
        return currents

    def _multiply_kernel(
        self, corner: CellAddress, volts: NDArray[np.float64], width: int
    ) -> NDArray[np.float64]:
        reference = self._code(MULTIPLY_REFERENCE)
        self._run("select a kernel", self.library.set_kernel, kernel_of(corner))
        self._run("set the reference", self.library.setrefopamp, reference)
        self._run("configure", self.library.config_backward_pass)
        rows = [self._code(MULTIPLY_REFERENCE + float(v)) for v in volts]
        gates = [self._code(self.gate)] * width + [self._code(GROUND)] * (LINES - width)
        rest = [reference] * (LINES - len(rows))
        self._run("set rows", self.library.setrowdacs, [*rows, *rest])
        self._run("set gates", self.library.setgatedacs, gates)
        self._enable(range(len(rows)), range(width))
        self._run("multiply", self.library.event_timevariant, READ_CYCLES, False)
        return np.array([self._sensed(line, MULTIPLY_REFERENCE)[0] for line in range(width)])

    def _select(self, cell: CellAddress, *, backward: bool | None) -> None:
        """Kernel, direction (None: no sensing) and gate of one cell; every line at ground."""
        library = self.library
        row, column = cell.row % LINES, cell.column % LINES
        ground = self._code(GROUND)
        self._run("select a kernel", library.set_kernel, kernel_of(cell))
        self._run("set the reference", library.setrefopamp, ground)
        configure = {
            True: library.config_backward_pass,
            False: library.config_forward_pass,
            None: library.config_outerproduct,
        }[backward]
        self._run("configure", configure)
        gates = [ground] * LINES
        gates[column] = self._code(self.gate)
        self._run("set gates", library.setgatedacs, gates)
        self._enable((row,), (column,))

    def _bias(self, row: int | None, column: int | None, voltage: Volts) -> None:
        """All rows and columns at ground, save one that is ``voltage`` above it."""
        level, ground = self._code(GROUND + voltage), self._code(GROUND)
        rows = [level if line == row else ground for line in range(LINES)]
        columns = [level if line == column else ground for line in range(LINES)]
        self._run("set rows", self.library.setrowdacs, rows)
        self._run("set columns", self.library.setcoldacs, columns)

    def _sensed(self, line: int, reference: Volts) -> tuple[Amperes, bool]:
        """Amperes into a sensed line; the amplifier's output falls as the current grows."""
        output = self.library.adc_predict_voltage(self.library.retrievecurrent_channel(line))
        level = self.library.dac_calcvout(self._code(reference))
        return (output - level) / self.library.pots[line], output <= CLIPPED * reference

    def _enable(self, rows: Sequence[int], columns: Sequence[int]) -> None:
        """Which lines an event connects. In place: the package reads these very lists."""
        for line in range(LINES):
            self.library.ROW_EN_tobe[line] = int(line in rows)
            self.library.COL_EN_tobe[line] = int(line in columns)

    def _code(self, volts: Volts) -> int:
        """The converter's code. LimitError beyond its range, where the package would clip."""
        if not GROUND <= volts <= GROUND + MAX_DROP:
            raise LimitError(
                f"A line at {volts:g} V was asked for, but the {NAME} takes {GROUND:g} V (0 V of a "
                f"cell) to {GROUND + MAX_DROP:g} V. Lower the voltage."
            )
        return int(self.library.dac_invertvout(volts))

    def _cycles(self, width: Seconds) -> int:
        """A width in clock cycles; LimitError if it is not on the grid: nothing is rounded."""
        cycles = round(width * self.clock)
        if abs(cycles / self.clock - width) > GRID * width:
            raise LimitError(
                f"A pulse width of {format_quantity(width, 's')} was asked for, but the {NAME} "
                f"takes whole clock cycles of {format_quantity(1 / self.clock, 's')}. Nothing was "
                "sent; ask for a multiple."
            )
        return cycles

    def _run(self, doing: str, act: Any, *arguments: Any) -> Any:
        """Do one thing with the package, whose exceptions become ReportedError."""
        try:
            return act(*arguments)
        except Exception as error:
            raise ReportedError(
                f"The {NAME} reported {type(error).__name__}: {error} ({doing}). What was asked "
                "for was refused or not completed, and is not repeated."
            ) from error
