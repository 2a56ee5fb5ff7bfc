"""Emulated Keithley 2450 in its SCPI command set, wired to the SMU's terminals.

After the reference manual 2450-901-01, for what PyMeasure's and QCoDeS's drivers and ours use.
Not confirmed: the form of the time in ``SYST:ERR?``, and that a reading with the output off is 0
without an error. Left out: the other command sets (``*LANG`` is taken, to no effect), configuration
lists, the blocks of the trigger model, digital I/O, limit tests, overvoltage protection (taken, to
no effect), the interlock. See also `keithley_2450_settings`, `keithley_2450_traces`,
`keithley_2450_sweeps`.
"""

from datetime import timedelta
from typing import Any

from simulated_instruments.keithley_2450_buffers import (
    DEFAULT_BUFFERS,
    LIMITED,
    OUTPUT_ON,
    REMOTE_SENSE,
    STARTED,
    Point,
)
from simulated_instruments.keithley_2450_settings import function_settings
from simulated_instruments.keithley_2450_sweeps import Sweeps
from simulated_instruments.keithley_2450_traces import ELEMENTS, Traces
from simulated_instruments.keithley_sourcemeter import (
    NOT_A_NUMBER,
    OVERFLOW,
    SENSE,
    SOURCE,
    SourceMeter,
    SourceMeterRatings,
    function_name,
    level_settings,
    quoted,
)
from simulated_instruments.probe_station import ProbeStation
from simulated_instruments.scpi import Setting, scpi
from simulated_instruments.scpi_grammar import ScpiError, integer, word

RANGES = SourceMeterRatings(
    volts=(0.02, 0.2, 2.0, 20.0, 200.0),
    amperes=(1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0),
    ohms=(2e1, 2e2, 2e3, 2e4, 2e5, 2e6, 2e7, 2e8),
    defaults={"VOLT": 0.02, "CURR": 1e-8, "RES": 2e5},
    headroom=1.05,
)
OVERVOLTAGE = word(
    "NONE", *(f"PROT{volts}" for volts in (2, 5, 10, 20, 40, 60, 80, 100, 120, 140, 160, 180))
)
MOST_READINGS = 300_000
FunctionSettings: Any = function_settings()
LevelSettings: Any = level_settings(RANGES)


class EmulatedKeithley2450(FunctionSettings, LevelSettings, Traces, Sweeps, SourceMeter):
    """A 2450 that speaks SCPI."""

    IDENTITY = "KEITHLEY INSTRUMENTS,MODEL 2450,04096331,1.7.12b"
    RATED = RANGES

    count = Setting(SENSE + "COUNt", integer(1, MOST_READINGS), 1)
    overvoltage = Setting(SOURCE + "VOLTage:PROTection[:LEVel]", OVERVOLTAGE, "NONE")

    def __init__(self, station: ProbeStation) -> None:
        super().__init__(station)
        self._forget()

    def _forget(self) -> None:
        self.function = "CURR"
        self._no_buffers()
        self._no_sweep()

    def restore_defaults(self) -> None:
        """``*RST``: buffers and sweeps are lost too."""
        self._forget()
        super().restore_defaults()

    # Texts

    def number_text(self, value: float) -> str:
        """Seven digits, and no plus sign."""
        return f"{value:.6E}"

    def error_text(self, error: ScpiError) -> str:
        """With the kind of event, 1 for an error, and its time."""
        text = super().error_text(error)
        if not error.code:
            return text[:-1] + ';0;0 0"'
        when = STARTED + timedelta(seconds=self.station.clock.now)
        return f'{text[:-1]};1;{when:%Y/%m/%d %H:%M:%S}.{when.microsecond // 1000:03d}"'

    @scpi("*LANG?")
    def _language(self) -> str:
        return "SCPI"

    @scpi("*LANG", word("SCPI", "TSP", "SCPI2400"))
    def _set_language(self, language: str) -> None:
        """A change needs a power cycle."""

    @scpi("STATus:PRESet")
    @scpi("STATus:CLEar")
    def _preset_status(self) -> None:
        self.questionable = 0

    # Sense and source

    def measures(self, function: str) -> bool:
        """One function at a time."""
        return self.function == function

    def check_settings(self) -> None:
        """Power, and limits of more than 0.1 % of a measurement range that was set."""
        super().check_settings()
        for function in ("VOLT", "CURR"):
            least = 1e-3 * self.settings[f"sense_range_{function}"]
            fixed = not self.settings[f"sense_auto_{function}"]
            if fixed and self.settings[f"limit_{function}"] <= least:
                raise ScpiError(-221, "limit and range")

    @scpi(SENSE + "FUNCtion[:ON]", function_name)
    def _set_function(self, function: str) -> None:
        self.function = function
        self.settings_changed()

    @scpi(SENSE + "FUNCtion[:ON]?")
    def _answer_function(self) -> str:
        return {"VOLT": '"VOLT:DC"', "CURR": '"CURR:DC"', "RES": '"RES"'}[self.function]

    @scpi(SENSE + "AZERo:ONCE")
    def _zero_once(self) -> None:
        """The emulator has no offsets."""

    @scpi(SOURCE + "VOLTage:ILIMit[:LEVel]:TRIPped?")
    def _current_limited(self) -> str:
        return "1" if self.source == "VOLT" and self.channel.in_compliance() else "0"

    @scpi(SOURCE + "CURRent:VLIMit[:LEVel]:TRIPped?")
    def _voltage_limited(self) -> str:
        return "1" if self.source == "CURR" and self.channel.in_compliance() else "0"

    # Readings

    def point(self) -> Point:
        """One reading, with what is stored beside it."""
        function = self.function
        reading = self.take(self.settings[f"nplc_{function}"])
        value = {
            "VOLT": reading.voltage,
            "CURR": reading.current,
            "RES": reading.voltage / reading.current if reading.current else OVERFLOW,
        }[function]
        if reading.in_compliance and self.range_limited():
            value = OVERFLOW
        sourced = reading.sourced
        if self.settings[f"read_back_{self.source}"]:
            sourced = reading.voltage if self.source == "VOLT" else reading.current
        status = LIMITED if reading.in_compliance else 0
        status |= OUTPUT_ON if self.output else 0
        status |= REMOTE_SENSE if self.settings[f"remote_{function}"] else 0
        return Point(
            reading=reading,
            function=function,
            value=value,
            source=self.source,
            sourced=sourced,
            source_status=status,
            front=self.terminals == "FRON",
        )

    @scpi("TRACe:TRIGger", quoted, required=0)
    def _acquire(self, name: str = DEFAULT_BUFFERS[0]) -> None:
        buffer = self.buffer(name)
        self.check_count(self.count)
        for _ in range(self.count):
            buffer.append(self.point())

    @scpi("FETCh?", quoted, *ELEMENTS, required=0)
    def _fetch(self, name: str = DEFAULT_BUFFERS[0], *elements: str) -> bytes:
        buffer = self.buffer(name)
        if not buffer.points:
            return self.data([NOT_A_NUMBER])
        last = len(buffer.points)
        return self.data(buffer.elements(last, last, elements or ("READ",)))

    @scpi("READ?", quoted, *ELEMENTS, required=0)
    @scpi("MEASure?", quoted, *ELEMENTS, required=0)
    def _read(self, name: str = DEFAULT_BUFFERS[0], *elements: str) -> bytes:
        self._acquire(name)
        return self._fetch(name, *elements)

    @scpi("MEASure:VOLTage[:DC]?", quoted, *ELEMENTS, required=0)
    def _measure_voltage(self, *arguments: str) -> bytes:
        self._set_function("VOLT")
        return self._read(*arguments)

    @scpi("MEASure:CURRent[:DC]?", quoted, *ELEMENTS, required=0)
    def _measure_current(self, *arguments: str) -> bytes:
        self._set_function("CURR")
        return self._read(*arguments)

    @scpi("MEASure:RESistance?", quoted, *ELEMENTS, required=0)
    def _measure_resistance(self, *arguments: str) -> bytes:
        self._set_function("RES")
        return self._read(*arguments)
