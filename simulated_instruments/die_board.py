"""Emulated die board: the CMOS and FPGA board of docs/die_board.md, wired to the simulated die.

It keeps its own settings and enforces its own limits, so that no message can make it give a cell
more than its ``LIMit`` subsystem allows. One liberty: the cells see a whole attempt run at the
moment it starts; its counts can be fetched when the virtual clock says that it would be over.
"""

import numpy as np
from numpy.typing import NDArray

from crossbar.errors import ConfigurationError
from crossbar.geometry import CellAddress, CellIndices
from crossbar.pulses import Pulse, State
from crossbar.units import Amperes, Seconds, Volts
from physics.product_front_end import ProductFrontEnd
from simulated_instruments.die_board_attempts import (
    LIST_ENTRY,
    MAX_ATTEMPTS,
    AttemptSequencer,
)
from simulated_instruments.die_board_converters import (
    PRODUCT_CODES,
    READ_CODES,
    ROW_FULL_SCALE,
    apply_row_voltages,
    convert_currents,
    floats,
)
from simulated_instruments.probe_station import ProbeStation
from simulated_instruments.scpi import ScpiInstrument, Setting, scpi
from simulated_instruments.scpi_grammar import (
    ScpiError,
    as_block,
    block,
    boolean,
    integer,
    number,
    one_of,
    real,
    word,
)

READ_TIME: Seconds = 1e-6
"""Settling and conversion of all columns of one row, or of one vector of row voltages."""
ROW_TIME: Seconds = 100e-9
"""Addressing a row before a pulse."""
TOLERANCE = 1 + 1e-6
"""A limit of 1.2 V lets 1.2 V pass, however both were rounded on their way."""
MAX_BURST: Seconds = 0.5
MAX_BURST_PULSES = 1_000_000
MAX_MESSAGE = 262_144
"""Bytes of the input buffer."""
OVERRANGE = 0x02
"""Bit 1 of the questionable status: a current was clipped."""
EVERY_AMPLITUDE = number("V", -4.0, 4.0)
EVERY_WIDTH = number("S", 1e-9, 10e-3)
READ_AMPLITUDE = number("V", -0.5, 0.5)
INDEX = integer(0, 2**31)


class EmulatedDieBoard(ScpiInstrument):
    """The board, with the die that the needles touch, or with nothing at its pads."""

    IDENTITY = "crossbar-lab,DieBoard-20000,0001,1.0"

    limit_amplitude = Setting("LIMit:AMPLitude", number("V", 0.0, 4.0), 0.0)
    limit_min_width = Setting("LIMit:WIDTh:MINimum", EVERY_WIDTH, 1e-9)
    limit_max_width = Setting("LIMit:WIDTh:MAXimum", EVERY_WIDTH, 1e-9)
    limit_read = Setting("LIMit:READ", number("V", 0.0, 0.5), 0.0)
    limit_set_current = Setting("LIMit:CURRent", number("A", 1e-6, 1e-3), 1e-3)
    read_range = Setting("READ:RANGe", one_of(100e-6, 1e-3, 10e-3), 1e-3)
    read_averages = Setting("READ:AVERages", integer(1, 256), 1)
    multiply_range = Setting("MULTiply:RANGe", one_of(1e-3, 2e-3, 5e-3, 10e-3, 20e-3), 5e-3)
    multiply_averages = Setting("MULTiply:AVERages", integer(1, 256), 1)
    initial = Setting("ATTempt:INITial", word("LOW", "HIGH"), "HIGH")
    keep_readings = Setting("ATTempt:KEEP", boolean, False)
    attempt_read = Setting("ATTempt:READ", READ_AMPLITUDE, 0.1)
    watchdog = Setting("SYSTem:WATChdog", number("S", 0.0, 3600.0), 0.0)

    def __init__(self, station: ProbeStation, *, front_end: ProductFrontEnd | None = None) -> None:
        """``front_end`` is that of the dot product's columns; an ideal one by default."""
        super().__init__()
        self.station = station
        self.front_end = front_end or ProductFrontEnd()
        self.geometry = station.wafer.geometry
        station.wafer.current_limit = lambda: self.limit_set_current
        self._last_message = station.clock.now
        self._forget()

    def _forget(self) -> None:
        """The state that is no `Setting`, as after power-on."""
        self.cells: CellIndices = np.zeros(0, dtype=np.intp)
        self.sequencer = AttemptSequencer()

    # Safety

    def restore_defaults(self) -> None:
        """``*RST``: route open, limits at zero, selection empty; a run is broken off."""
        super().restore_defaults()
        self.station.route(None)
        self._forget()

    def on_error(self) -> None:
        """Any error opens the route."""
        self.station.route(None)

    def handle(self, message: bytes) -> None:
        """As every SCPI instrument; before that, look whether the computer was silent too long."""
        silent = self.station.clock.now - self._last_message
        if 0 < self.watchdog < silent and self.station.pulsed_cell is not None:
            self.report(ScpiError(-365, "watchdog opened the route"))
        if len(message) > MAX_MESSAGE:
            self.report(ScpiError(-223, f"{len(message)} bytes; the input takes {MAX_MESSAGE}"))
        else:
            super().handle(message)
        self._last_message = self.station.clock.now

    def check_settings(self) -> None:
        """The shortest pulse must not be longer than the longest."""
        if self.limit_min_width > self.limit_max_width * TOLERANCE:
            raise ScpiError(-221, "LIMit:WIDTh:MINimum is above MAXimum")

    def _allowed_pulse(self, amplitude: Volts, width: Seconds) -> Pulse:
        if abs(amplitude) > self.limit_amplitude * TOLERANCE:
            raise ScpiError(-222, f"{amplitude:g} V is beyond LIMit:AMPLitude")
        if not self.limit_min_width / TOLERANCE <= width <= self.limit_max_width * TOLERANCE:
            raise ScpiError(-222, f"{width:g} s is beyond LIMit:WIDTh")
        return Pulse(amplitude=amplitude, width=width)

    def _allowed_read(self, largest: Volts) -> None:
        if not abs(largest) <= self.limit_read * TOLERANCE:
            raise ScpiError(-222, f"{largest:g} V is beyond LIMit:READ")

    def _check_free(self) -> None:
        """The board's own drivers and converters need the columns for themselves."""
        if self.station.pulsed_cell is not None:
            raise ScpiError(-221, "a route is closed; send ROUTe:OPEN first")
        if self.station.clock.now < self.sequencer.busy_until:
            raise ScpiError(-221, "an attempt run is in progress")

    # Routing

    @scpi("ROUTe:CLOSe", INDEX, INDEX, INDEX)
    def _close(self, subarray: int, row: int, column: int) -> None:
        cell = self._index(subarray, row, column)
        self.station.route(None)
        self._check_free()
        self.station.route(cell)

    @scpi("ROUTe:CLOSe?")
    def _closed(self) -> str:
        if self.station.pulsed_cell is None:
            return "NONE"
        cell = self.geometry.address(self.station.pulsed_cell)
        return f"{cell.subarray},{cell.row},{cell.column}"

    @scpi("ROUTe:OPEN")
    def _open(self) -> None:
        self.station.route(None)

    # Selection

    @scpi("SELect:CELLs", block)
    def _select_cells(self, data: bytes) -> None:
        if len(data) % 4:
            raise ScpiError(-161, "length is no multiple of 4")
        cells = np.frombuffer(data, dtype="<u4").astype(np.intp)
        if len(cells) and cells.max() >= self.geometry.cells:
            raise ScpiError(-222, f"cell {cells.max()} does not exist")
        if len(cells) and np.bincount(cells).max() > 1:
            raise ScpiError(-224, "a cell is named twice")
        self.cells = cells

    @scpi("SELect:CELLs?")
    def _selected_cells(self) -> bytes:
        return as_block(self.cells.astype("<u4").tobytes())

    @scpi("SELect:MASK", block)
    def _select_mask(self, data: bytes) -> None:
        expected = -(-self.geometry.cells // 8)
        if len(data) != expected:
            raise ScpiError(-161, f"a mask has {expected} bytes, not {len(data)}")
        bits = np.unpackbits(np.frombuffer(data, dtype=np.uint8), bitorder="little")
        cells = np.flatnonzero(bits)
        if len(cells) and cells[-1] >= self.geometry.cells:
            raise ScpiError(-222, f"cell {cells[-1]} does not exist")
        self.cells = cells

    @scpi("SELect:ALL")
    def _select_all(self) -> None:
        self.cells = np.arange(self.geometry.cells)

    @scpi("SELect:COUNt?")
    def _selected_count(self) -> str:
        return str(len(self.cells))

    # Reading and writing

    @scpi("READ:CELL?", INDEX, INDEX, INDEX, READ_AMPLITUDE)
    def _read_cell(self, subarray: int, row: int, column: int, amplitude: Volts) -> str:
        cell = self._index(subarray, row, column)
        return real(float(self._read(np.array([cell]), amplitude)[0]))

    @scpi("READ:ROW?", INDEX, INDEX, READ_AMPLITUDE)
    def _read_row(self, subarray: int, row: int, amplitude: Volts) -> bytes:
        first = self._index(subarray, row, 0)
        return floats(self._read(np.arange(first, first + self.geometry.columns), amplitude))

    @scpi("READ:ARRay?", READ_AMPLITUDE)
    def _read_array(self, amplitude: Volts) -> bytes:
        return floats(self._read(np.arange(self.geometry.cells), amplitude))

    @scpi("READ:SELection?", READ_AMPLITUDE)
    def _read_selection(self, amplitude: Volts) -> bytes:
        return floats(self._read(self.cells, amplitude))

    @scpi("WRITe:CELL", INDEX, INDEX, INDEX, EVERY_AMPLITUDE, EVERY_WIDTH)
    def _write_cell(
        self, subarray: int, row: int, column: int, amplitude: Volts, width: Seconds
    ) -> None:
        cell = self._index(subarray, row, column)
        self._write(np.array([cell]), self._allowed_pulse(amplitude, width))

    @scpi("WRITe:SELection", EVERY_AMPLITUDE, EVERY_WIDTH)
    def _write_selection(self, amplitude: Volts, width: Seconds) -> None:
        self._write(self.cells, self._allowed_pulse(amplitude, width))

    @scpi("WRITe:BURSt", EVERY_AMPLITUDE, EVERY_WIDTH, integer(1, MAX_BURST_PULSES))
    def _write_burst(self, amplitude: Volts, width: Seconds, times: int) -> None:
        pulse = self._allowed_pulse(amplitude, width)
        if self._rows(self.cells) * (width + ROW_TIME) * times > MAX_BURST * (1 + 1e-9):
            raise ScpiError(-222, f"the burst takes longer than {MAX_BURST:g} s")
        for _ in range(times):
            self._write(self.cells, pulse)

    def _read(self, cells: CellIndices, amplitude: Volts) -> NDArray[np.float64]:
        """(n,) Amperes after the converter."""
        self._allowed_read(amplitude)
        self._check_free()
        self.station.clock.advance(self._rows(cells) * self.read_averages * READ_TIME)
        die = self.station.die
        total = np.zeros(len(cells))
        for _ in range(self.read_averages):
            current = np.zeros(len(cells)) if die is None else die.conduct(cells, amplitude)
            total += self._convert(current, self.read_range, READ_CODES)
        return total / self.read_averages

    def _write(self, cells: CellIndices, pulse: Pulse) -> None:
        self._check_free()
        self.station.clock.advance(self._rows(cells) * (pulse.width + ROW_TIME))
        die = self.station.die
        if die is not None and len(cells):
            die.pulse(cells, pulse)

    # Attempts

    @scpi("ATTempt:RESTore", EVERY_AMPLITUDE, EVERY_WIDTH)
    def _set_restore(self, amplitude: Volts, width: Seconds) -> None:
        self.sequencer.restore = self._allowed_pulse(amplitude, width)

    @scpi("ATTempt:WRITe", EVERY_AMPLITUDE, EVERY_WIDTH)
    def _set_write(self, amplitude: Volts, width: Seconds) -> None:
        self.sequencer.write = self._allowed_pulse(amplitude, width)

    @scpi("ATTempt:THReshold", block)
    def _set_thresholds(self, data: bytes) -> None:
        if len(data) % 4:
            raise ScpiError(-161, "length is no multiple of 4")
        thresholds = np.frombuffer(data, dtype="<f4").astype(np.float64)
        if not np.isfinite(thresholds).all():
            raise ScpiError(-222, "a threshold is not finite")
        self.sequencer.thresholds = thresholds

    @scpi("ATTempt:LIST", block)
    def _set_list(self, data: bytes) -> None:
        if len(data) % LIST_ENTRY.itemsize:
            raise ScpiError(-161, f"length is no multiple of {LIST_ENTRY.itemsize}")
        entries = np.frombuffer(data, dtype=LIST_ENTRY)
        for amplitude, width, attempts in entries.tolist():
            if not abs(amplitude) < np.inf or not 0 < width < np.inf:
                raise ScpiError(-222, "a pulse of the list is not finite")
            if not 1 <= attempts <= MAX_ATTEMPTS:
                raise ScpiError(-222, f"{attempts} attempts")
            self._allowed_pulse(amplitude, width)
        self.sequencer.listed = entries

    @scpi("ATTempt:RUN:LIST")
    def _run_list(self) -> None:
        self._check_free()
        listed = self.sequencer.list_for(
            len(self.cells), initial=self._initial, read_amplitude=self.attempt_read
        )
        # The limits may have been lowered since the pulses were set.
        self._allowed_read(listed.read_amplitude)
        for pulse in (listed.restore, *(plan.write for _, plan in listed.parts())):
            self._allowed_pulse(pulse.amplitude, pulse.width)
        self.sequencer.run_list(listed, self.cells, self.station.die)
        one = ROW_TIME + listed.restore.width + listed.width + 2 * READ_TIME
        self.sequencer.busy_until = self.station.clock.now + float(listed.attempts @ one)

    @scpi("ATTempt:RUN", integer(1, MAX_ATTEMPTS))
    def _run(self, attempts: int) -> None:
        self._check_free()
        plan = self.sequencer.plan_for(
            len(self.cells),
            initial=self._initial,
            read_amplitude=self.attempt_read,
            attempts=attempts,
            keep=self.keep_readings,
        )
        # The limits may have been lowered since the pulses were set.
        self._allowed_read(plan.read_amplitude)
        for pulse in (plan.restore, plan.write):
            self._allowed_pulse(pulse.amplitude, pulse.width)
        self.sequencer.run(plan, self.cells, self.station.die)
        one = ROW_TIME + plan.restore.width + plan.write.width + 2 * READ_TIME
        duration = attempts * self._rows(self.cells) * one
        self.sequencer.busy_until = self.station.clock.now + duration

    @scpi("ATTempt:WAIT?", number("S", 0.0, 60.0))
    def _wait_for_run(self, patience: Seconds) -> str:
        clock = self.station.clock
        clock.advance(max(0.0, min(patience, self.sequencer.busy_until - clock.now)))
        remaining = self.sequencer.busy_until - clock.now
        if remaining < READ_TIME:
            self.sequencer.busy_until = clock.now
            return real(0.0)
        return real(remaining)

    @scpi("ATTempt:COUNts?")
    def _answer_counts(self) -> bytes:
        counts = self.sequencer.finished(self.station.clock.now)
        return as_block(np.concatenate([counts.rejected, counts.errors]).astype("<u4").tobytes())

    @scpi("ATTempt:DATA?")
    def _answer_readings(self) -> bytes:
        currents = self.sequencer.readings(self.station.clock.now)
        return floats(self._convert(currents, self.read_range, READ_CODES))

    # Analog dot product

    @scpi("MULTiply?", INDEX, block)
    def _multiply(self, subarray: int, data: bytes) -> bytes:
        rows, columns = self.geometry.rows, self.geometry.columns
        if subarray >= self.geometry.subarrays:
            raise ScpiError(-222, f"sub-array {subarray} does not exist")
        if not data or len(data) % (4 * rows):
            raise ScpiError(-161, f"{len(data)} bytes are no multiple of {rows} rows x 4")
        voltages = np.frombuffer(data, dtype="<f4").astype(np.float64).reshape(-1, rows)
        largest = float(np.max(np.abs(voltages)))
        if not largest <= ROW_FULL_SCALE * TOLERANCE:  # also refuses NaN
            raise ScpiError(-222, f"row voltage of {largest:g} V")
        self._allowed_read(largest)
        self._check_free()
        self.station.clock.advance(len(voltages) * self.multiply_averages * READ_TIME)
        applied = apply_row_voltages(voltages, self.limit_read * TOLERANCE)
        die = self.station.die
        total = np.zeros((len(voltages), columns))
        for conversion in range(self.multiply_averages):
            current = total * 0 if die is None else die.dot_product(subarray, applied)
            current = self.front_end.amplified(current, subarray, applied, conversion)
            total += self._convert(current, self.multiply_range, PRODUCT_CODES)
        return floats(total / self.multiply_averages)

    # What several of them need

    @property
    def _initial(self) -> State:
        return State.LOW if self.initial == "LOW" else State.HIGH

    @scpi("SYSTem:SHAPe?")
    def _shape(self) -> str:
        return ",".join(map(str, self.geometry.shape))

    def _index(self, subarray: int, row: int, column: int) -> int:
        try:
            return self.geometry.index(CellAddress(subarray, row, column))
        except ConfigurationError:
            raise ScpiError(-222, f"cell {subarray}:{row}:{column} does not exist") from None

    def _rows(self, cells: CellIndices) -> int:
        """How many rows the cells lie on: the columns of a row work in parallel."""
        return len(np.unique(cells // self.geometry.columns))

    def _convert(
        self, current: NDArray[np.float64], full_scale: Amperes, codes: int
    ) -> NDArray[np.float64]:
        """What a converter makes of currents; clipping is noted in the questionable status."""
        converted, clipped = convert_currents(current, full_scale, codes)
        self.questionable |= OVERRANGE if clipped else 0
        return converted
