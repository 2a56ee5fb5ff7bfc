"""The die board: our CMOS and FPGA board that addresses every cell of a die.

The command set is ours; docs/die_board.md is its manual, with electrical meaning, ranges and byte
layouts. Numbers of cells are flat indices, column fastest; blocks are little-endian.
"""

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymeasure.instruments import Instrument
from pymeasure.instruments.validators import strict_discrete_set, strict_range

from crossbar.attempts import AttemptCounts, AttemptList, AttemptPlan, ListCounts
from crossbar.errors import InstrumentError, ReplyError, WrongInstrumentError
from crossbar.geometry import CellAddress, CellIndices, DieGeometry
from crossbar.limits import Limits
from crossbar.ports import Terminal
from crossbar.pulses import Pulse
from crossbar.units import Amperes, Seconds, Volts
from drivers.die_board_blocks import LIST_ENTRY, block, selection
from drivers.hardware_range import hardware_range
from drivers.identity import identity_asked_once, wrong_instrument
from drivers.protection import Protection
from drivers.scpi_error_queue import raise_reported

NAME = "die board"
IDENTITY_START = "crossbar-lab,DieBoard-20000,"
MAX_AMPLITUDE: Volts = 4.0
WIDTHS: tuple[Seconds, Seconds] = (1e-9, 10e-3)
MAX_READ_AMPLITUDE: Volts = 0.5
SET_CURRENTS: tuple[Amperes, Amperes] = (1e-6, 1e-3)
"""Of the gates' drive; at the highest the transistors are fully on."""
READ_RANGES: tuple[Amperes, ...] = (100e-6, 1e-3, 10e-3)
DEFAULT_READ_RANGE: Amperes = 1e-3
MULTIPLY_RANGES: tuple[Amperes, ...] = (1e-3, 2e-3, 5e-3, 10e-3, 20e-3)
ROW_TIME: Seconds = 0.1e-6
"""That the board takes for a row beside the pulse itself."""
MAX_BURST: Seconds = 0.5
MAX_BURST_PULSES = 1_000_000
MAX_ATTEMPTS = 10**9
MAX_READINGS = 1_000_000
"""Readings that one run may keep, two to an attempt."""
OVERRANGE = 0x02
"""Bit of the questionable status: a current was clipped."""
PATIENCE: Seconds = 2.0
"""How long one message may wait for a run; shorter than any connection's time-out."""
TAIL = re.compile(r'(?:;?(.*?);)?;?([+-]?\d+,".*")', re.DOTALL)
"""The text answers after a block, and the error queue's answer, which always comes last."""


def read_range_for(current: Amperes) -> Amperes:
    """The smallest range that holds this current, or the largest there is."""
    return next((r for r in READ_RANGES if current <= r * (1 + 1e-9)), READ_RANGES[-1])


class DieBoard(Instrument):
    """Reads, writes and multiplies on the board, or routes one cell to the bench instruments.

    Every verb is one message whose last unit asks for the error queue, so a command that the board
    refused is never silent: it raises ReportedError. No write is ever repeated.
    """

    def __init__(self, adapter: Any, name: str = NAME, **kwargs: Any) -> None:
        super().__init__(adapter, name, includeSCPI=False, **kwargs)
        self._shape: tuple[int, int, int] | None = None

    limit_amplitude = Instrument.control(
        "LIM:AMPL?",
        "LIM:AMPL %.9g",
        """Control the largest pulse the board gives, either sign, in volts (strictly 0 to 4).""",
        validator=hardware_range("pulse limit", "V", NAME),
        values=(0, MAX_AMPLITUDE),
    )
    limit_min_width = Instrument.control(
        "LIM:WIDT:MIN?",
        "LIM:WIDT:MIN %.9g",
        """Control the shortest pulse the board gives, in seconds (strictly 1e-9 to 0.01).""",
        validator=hardware_range("width limit", "s", NAME),
        values=WIDTHS,
    )
    limit_max_width = Instrument.control(
        "LIM:WIDT:MAX?",
        "LIM:WIDT:MAX %.9g",
        """Control the longest pulse the board gives, in seconds (strictly 1e-9 to 0.01).""",
        validator=hardware_range("width limit", "s", NAME),
        values=WIDTHS,
    )
    limit_read = Instrument.control(
        "LIM:READ?",
        "LIM:READ %.9g",
        """Control the largest read and row voltage, either sign, in volts (strictly 0 to 0.5).""",
        validator=hardware_range("read limit", "V", NAME),
        values=(0, MAX_READ_AMPLITUDE),
    )
    limit_set_current = Instrument.control(
        "LIM:CURR?",
        "LIM:CURR %.9g",
        """Control what the access transistors let through in positive pulses, in amperes (strictly
        1e-6 to 1e-3).""",
        validator=hardware_range("current limit of positive pulses", "A", NAME),
        values=SET_CURRENTS,
    )
    read_range = Instrument.control(
        "READ:RANG?",
        "READ:RANG %.9g",
        """Control the full scale of cell reads, in amperes (strictly 1e-4, 1e-3 or 1e-2).""",
        validator=strict_discrete_set,
        values=READ_RANGES,
    )
    read_averages = Instrument.control(
        "READ:AVER?",
        "READ:AVER %d",
        """Control how many conversions a cell read averages (int, strictly 1 to 256).""",
        validator=strict_range,
        values=(1, 256),
        cast=int,
    )
    multiply_averages = Instrument.control(
        "MULT:AVER?",
        "MULT:AVER %d",
        """Control how many conversions a product averages (int, strictly 1 to 256).""",
        validator=strict_range,
        values=(1, 256),
        cast=int,
    )
    watchdog = Instrument.control(
        "SYST:WATC?",
        "SYST:WATC %.9g",
        """Control after how many silent seconds the board opens the route (strictly 0 to 3600;
        0 is never).""",
        validator=strict_range,
        values=(0, 3600),
    )
    route = Instrument.measurement(
        "ROUT:CLOS?",
        """Get the cell routed to the bench instruments (str, "subarray,row,column" or "NONE").""",
        cast=str,
        separator="\n",
    )
    selected = Instrument.measurement(
        "SEL:COUN?", """Get the number of selected cells (int).""", cast=int
    )

    identity = identity_asked_once()

    @property
    def shape(self) -> tuple[int, int, int]:
        """Get (sub-arrays, rows, columns) that the board addresses; asked once."""
        if self._shape is None:
            answer = self.ask("SYST:SHAP?")
            if re.fullmatch(r"\d+,\d+,\d+\s*", answer) is None:
                raise ReplyError(f"The {NAME} answered {answer!r} for its shape, not 4,100,50.")
            subarrays, rows, columns = map(int, answer.split(","))
            self._shape = (subarrays, rows, columns)
        return self._shape

    @property
    def cells(self) -> int:
        """Get the number of cells that the board addresses."""
        subarrays, rows, columns = self.shape
        return subarrays * rows * columns

    def check_identity(self) -> None:
        """Raise WrongInstrumentError unless a die board answers."""
        if not self.identity.startswith(IDENTITY_START):
            raise wrong_instrument(self.identity, f"{NAME} ({IDENTITY_START}...)")

    def check_errors(self) -> list[Any]:
        """Empty the error queue; raise ReportedError if there was an entry."""
        raise_reported(self.ask(":SYST:ERR?"), self.ask, NAME)
        return []

    def check_geometry(self, geometry: DieGeometry) -> None:
        """Raise WrongInstrumentError if the board is made for another die."""
        if self.shape != geometry.shape:
            raise WrongInstrumentError(
                f"The {NAME} addresses a die of {self.shape} (sub-arrays, rows, columns), but the "
                f"bench's die is {geometry.shape}. Correct bench.toml, or change the board."
            )

    def prepare(self, limits: Limits) -> None:
        """Restore defaults, hand the board the bench's limits, and read them back.

        Raises LimitError for limits beyond what it can do, and InstrumentError if one did not hold.
        """
        self.write("*CLS;*RST")
        wanted = {
            "limit_amplitude": limits.max_amplitude,
            "limit_max_width": limits.max_width,
            "limit_min_width": limits.min_width,
            "limit_read": limits.max_read_amplitude,
        }
        if limits.max_set_current is not None:
            wanted["limit_set_current"] = limits.max_set_current
        full_scale = read_range_for(limits.max_current)
        if full_scale != DEFAULT_READ_RANGE:
            wanted["read_range"] = full_scale
        for name, value in wanted.items():
            setattr(self, name, value)
        self.check_errors()
        for name, value in wanted.items():
            held = self._number(str(getattr(self, name)))
            if not abs(held - value) <= 1e-6 * value:
                raise InstrumentError(
                    f"The {NAME} was told {name} = {value:g}, but keeps {held:g}. Do not send "
                    f"pulses with it; check its firmware."
                )

    def protections(self) -> tuple[Protection, ...]:
        """The limits that the board holds every pulse and read against, as it reports them."""
        limits = (
            ("highest amplitude", self.limit_amplitude, "V"),
            ("longest pulse", self.limit_max_width, "s"),
            ("shortest pulse", self.limit_min_width, "s"),
            ("highest read", self.limit_read, "V"),
        )
        return tuple(
            Protection(name=name, value=self._number(str(value)), unit=unit)
            for name, value, unit in limits
        )

    # One cell to the bench instruments

    def select(self, cell: CellAddress, terminal: Terminal | None = None) -> None:
        """Connect this cell and no other to the bench's SMU and pulse generator: the board joins
        both, whatever ``terminal`` says.
        """
        self._command(b"ROUT:CLOS %d,%d,%d" % (cell.subarray, cell.row, cell.column))

    def release(self) -> None:
        """Connect no cell."""
        self._command(b"ROUT:OPEN")

    def off(self) -> None:
        """Leave every cell unconnected; the board drives lines only while it works.

        Errors noted earlier are dropped: they must not keep the route from being opened.
        """
        self._command(b"*CLS", b"ROUT:OPEN")

    def shutdown(self) -> None:
        """Leave every cell unconnected."""
        self.off()
        super().shutdown()

    # On the board

    def read_cells(
        self, cells: CellIndices, amplitude: Volts
    ) -> tuple[NDArray[np.float64], Amperes]:
        """Currents of the (n,) cells in amperes, and the full scale at which they clip."""
        units = [selection(cells, self.cells), b"READ:SEL? %.9g" % amplitude]
        if units[0] == b"SEL:ALL":
            units = [b"READ:ARR? %.9g" % amplitude]
        data, full_scale = self._query_block(
            b"ROUT:OPEN", *units, b"READ:RANG?", expected=4 * len(cells)
        )
        return np.frombuffer(data, dtype="<f4").astype(np.float64), self._number(full_scale)

    def write_cells(self, cells: CellIndices, pulse: Pulse, times: int = 1) -> None:
        """Give each of the (n,) cells one pulse, or a burst of so many, which may not take longer
        than `MAX_BURST`. Raises ReportedError if the board refused it.
        """
        given = b"%.9g,%.9g" % (pulse.amplitude, pulse.width)
        verb = b"WRIT:SEL %s" % given if times == 1 else b"WRIT:BURS %s,%d" % (given, times)
        self._command(b"ROUT:OPEN", selection(cells, self.cells), verb)

    def attempt(self, cells: CellIndices, plan: AttemptPlan) -> AttemptCounts:
        """Run the plan on the (n,) cells, rows one after the other, columns of a row at once."""
        rejected, errors = self._attempts(
            cells,
            plan,
            b"ATT:WRIT %.9g,%.9g" % (plan.write.amplitude, plan.write.width),
            b"ATT:KEEP %d" % plan.keep_readings,
            b"ATT:RUN %d" % plan.attempts,
        )
        readings = self._readings(len(cells), plan) if plan.keep_readings else None
        return AttemptCounts(
            attempts=plan.attempts, rejected=rejected, errors=errors, readings=readings
        )

    def attempt_list(self, cells: CellIndices, listed: AttemptList) -> ListCounts:
        """Run the list on the (n,) cells, one after the other."""
        entries = np.empty(len(cells), dtype=LIST_ENTRY)
        for name in LIST_ENTRY.names or ():
            entries[name] = getattr(listed, name)
        rejected, errors = self._attempts(
            cells, listed, b"ATT:LIST " + block(entries), b"ATT:RUN:LIST"
        )
        return ListCounts(rejected=rejected, errors=errors)

    def _attempts(
        self, cells: CellIndices, what: AttemptPlan | AttemptList, *units: bytes
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Start a run with these last units, wait for it; (n,) rejected attempts and errors."""
        answer = self._command(
            b"ROUT:OPEN",
            selection(cells, self.cells),
            b"ATT:INIT %s" % what.initial.name.encode(),
            b"ATT:REST %.9g,%.9g" % (what.restore.amplitude, what.restore.width),
            b"ATT:READ %.9g" % what.read_amplitude,
            b"ATT:THR " + block(what.threshold.astype("<f4")),
            *units,
            b"ATT:WAIT? %.9g" % PATIENCE,
        )
        while self._number(answer) > 0:
            answer = self._command(b"ATT:WAIT? %.9g" % PATIENCE)
        data, _ = self._query_block(b"ATT:COUN?", expected=8 * len(cells))
        rejected, errors = np.frombuffer(data, dtype="<u4").astype(np.int64).reshape(2, -1)
        return rejected, errors

    def multiply(
        self, subarray: int, row_voltages: NDArray[np.float64], full_scale: Amperes
    ) -> tuple[NDArray[np.float64], bool]:
        """(batch, rows) volts to (batch, columns) amperes, and whether a current was clipped."""
        batch = len(row_voltages)
        columns = self.shape[2]
        data, status = self._query_block(
            b"*CLS",  # an overrange that an earlier command left behind must not count for this one
            b"ROUT:OPEN",
            b"MULT:RANG %.9g" % full_scale,
            b"MULT? %d," % subarray + block(row_voltages.astype("<f4")),
            b"STAT:QUES?",
            expected=4 * batch * columns,
        )
        currents = np.frombuffer(data, dtype="<f4").astype(np.float64).reshape(batch, columns)
        return currents, bool(int(self._number(status)) & OVERRANGE)

    # Messages

    def _readings(self, cells: int, plan: AttemptPlan) -> NDArray[np.float64]:
        """(cells, attempts, 2) Siemens."""
        data, _ = self._query_block(b"ATT:DATA?", expected=8 * cells * plan.attempts)
        currents = np.frombuffer(data, dtype="<f4").astype(np.float64)
        return currents.reshape(cells, plan.attempts, 2) / plan.read_amplitude

    def _send(self, units: tuple[bytes, ...]) -> None:
        """One message; its last unit asks for the error queue."""
        rooted = [unit if unit.startswith(b"*") else b":" + unit for unit in units]
        self.write_bytes(b";".join([*rooted, b":SYST:ERR?\n"]))

    def _command(self, *units: bytes) -> str:
        """Send units of which one at most answers, with text; return that answer, or ""."""
        self._send(units)
        return self._check(self.read(), units)

    def _query_block(self, *units: bytes, expected: int) -> tuple[bytes, str]:
        """Send units of which one answers with a block of so many bytes, another with text.

        Raises ReportedError if the board refused, ReplyError if the block has another size.
        """
        self._send(units)
        mark = self.read_bytes(1)
        if mark != b"#":
            answer = self._check(mark.decode("latin-1") + self.read(), units)
            raise ReplyError(f"The {NAME} answered {answer[:40]!r} to {_gist(units)}.")
        digits = self.read_bytes(1)
        length = self.read_bytes(int(digits)) if digits.isdigit() else b""
        if not length.isdigit():
            garbage = (digits + length).decode("latin-1") + self.read()
            raise ReplyError(
                f"The {NAME} answered '#{garbage[:40]}' to {_gist(units)}, which is no block."
            )
        data = self.read_bytes(int(length))
        answer = self._check(self.read(), units)
        if len(data) != expected:
            raise ReplyError(
                f"The {NAME} sent {len(data)} bytes in answer to {_gist(units)}, but "
                f"{expected} were expected. Check that driver and firmware are of one version."
            )
        return data, answer

    def _check(self, reply: str, units: tuple[bytes, ...]) -> str:
        """Split the error queue's answer off a reply; return the rest, or raise ReportedError."""
        match = TAIL.fullmatch(reply.rstrip("\r\n"))
        if match is None:
            raise ReplyError(f"The {NAME} answered {reply[:60]!r} to {_gist(units)}.")
        raise_reported(match[2], self.ask, NAME, doing=_gist(units))
        return match[1] or ""

    def _number(self, text: str) -> float:
        try:
            return float(text)
        except ValueError:
            raise ReplyError(f"The {NAME} answered {text!r} where a number is expected.") from None


def _gist(units: tuple[bytes, ...]) -> str:
    """A message as people can read it: blocks are left out."""
    return ";:".join(unit.partition(b"#")[0].decode("latin-1").strip() for unit in units)
