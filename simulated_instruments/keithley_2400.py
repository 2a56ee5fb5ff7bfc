"""Emulated Keithley 2400, wired to the SMU's terminals.

After the Series 2400 user's manual (2400S-900-01), sections 15 to 18 and appendix B, and what
PyMeasure's tests found on a real one. Not confirmed: that ``CONFigure`` leaves the compliance and
the integration time alone (it "defaults the controls of the function"), and what ``AZERo ONCE``
leaves behind. Ours: auto ohms leaves the source as it is; a filter takes the time of its readings
and averages nothing. Left out: math, limit tests, digital I/O, source memory, and error 823 (a
range of the sourced quantity with read-back). See also `keithley_2400_source`,
`keithley_2400_triggers` and `keithley_2400_store`.
"""

from typing import Any

from simulated_instruments.keithley_2400_source import Sources
from simulated_instruments.keithley_2400_store import (
    COMPLIANCE,
    ELEMENTS,
    OVERFLOWED,
    Sample,
    Store,
)
from simulated_instruments.keithley_2400_triggers import Triggers
from simulated_instruments.keithley_sourcemeter import (
    NOT_A_NUMBER,
    OVERFLOW,
    SENSE,
    SourceMeter,
    SourceMeterRatings,
    function_name,
    level_settings,
    quantity,
)
from simulated_instruments.probe_station import ProbeStation
from simulated_instruments.scpi import Setting, scpi
from simulated_instruments.scpi_grammar import ScpiError, boolean, integer, word
from simulated_instruments.scpi_smu import Reading

RANGES = SourceMeterRatings(
    volts=(0.21, 2.1, 21.0, 210.0),
    amperes=(1.05e-6, 1.05e-5, 1.05e-4, 1.05e-3, 1.05e-2, 0.105, 1.05),
    ohms=(2.1e1, 2.1e2, 2.1e3, 2.1e4, 2.1e5, 2.1e6, 2.1e7, 2.1e8),
    defaults={"VOLT": 21.0, "CURR": 1.05e-4, "RES": 2.1e5},
    headroom=1.0,
)
QUEUE_LENGTH = 10
ELEMENT = word("VOLTage", "CURRent", "RESistance", "TIME", "STATus")
QUOTED = {"VOLT": '"VOLT:DC"', "CURR": '"CURR:DC"', "RES": '"RES"'}
NPLC = quantity("", 0.01, 10.0, 1.0)
FILTERED, FRONT, IN_COMPLIANCE = 1 << 1, 1 << 2, 1 << 3
RANGE_COMPLIANCE, FOUR_WIRE = 1 << 16, 1 << 22
STATUS_BITS = {"VOLT": 1 << 11, "CURR": 1 << 12, "RES": 1 << 13}
SOURCE_BITS = {"VOLT": 1 << 14, "CURR": 1 << 15}
EXECUTION_ERROR = 0x10
LevelSettings: Any = level_settings(RANGES)


def _azero(text: bytes) -> bool:
    """ONCE zeroes at once, which is nothing here."""
    return False if text.strip().upper() == b"ONCE" else boolean(text)


class EmulatedKeithley2400(LevelSettings, Sources, Triggers, Store, SourceMeter):
    """A 2400 with firmware C34."""

    IDENTITY = "KEITHLEY INSTRUMENTS INC.,MODEL 2400,1234567,C34 Sep 21 2016 15:30:00/A02  /K/M"
    RATED = RANGES
    POWER_ERROR = 826

    concurrent = Setting(SENSE + "FUNCtion:CONCurrent", boolean, True)
    average = Setting(SENSE + "AVERage[:STATe]", boolean, False)
    average_kind = Setting(SENSE + "AVERage:TCONtrol", word("REPeat", "MOVing"), "REP")
    average_count = Setting(SENSE + "AVERage:COUNt", integer(1, 100), 10)
    ohms_mode = Setting(SENSE + "RESistance:MODE", word("MANual", "AUTO"), "AUTO")
    off_state = Setting("OUTPut[1]:SMODe", word("HIMPedance", "NORMal", "ZERO", "GUARd"), "NORM")
    four_wire = Setting("SYSTem:RSENse", boolean, False)
    autozero = Setting("SYSTem:AZERo[:STATe]", _azero, True)
    line_frequency_auto = Setting("SYSTem:LFRequency:AUTO", boolean, True)
    display = Setting("DISPlay:ENABle", boolean, True)

    def __init__(self, station: ProbeStation) -> None:
        super().__init__(station)
        self._empty_store()
        self._forget()

    def _forget(self) -> None:
        self.functions = {"CURR"}
        self.elements: tuple[str, ...] = ELEMENTS
        self.nplc = 1.0
        self.readings: list[Sample] = []
        self._no_lists()
        self._be_idle()

    @scpi("SYSTem:PRESet")
    def restore_defaults(self) -> None:
        """``*RST``: the store stays."""
        self._forget()
        super().restore_defaults()

    def report(self, error: ScpiError) -> None:
        """Ten errors are kept; Keithley's own of the 800s are execution errors."""
        before = self.event_status
        super().report(error)
        if error.code >= 800:
            self.event_status = before | EXECUTION_ERROR
        if len(self.errors) > QUEUE_LENGTH:
            self.errors.pop()
            self.errors[-1] = ScpiError(-350)

    @scpi("STATus:QUEue[:NEXT]?", on_status=True)
    def _next_in_queue(self) -> str:
        return self._next_error()

    # Settings

    def settings_changed(self) -> None:
        """An output that goes off ends what waits for a trigger."""
        super().settings_changed()
        if not self.output and not self.clear_auto:
            self._be_idle()

    def measures(self, function: str) -> bool:
        """Several at once, unless that is switched off."""
        return function in self.functions

    def check_settings(self) -> None:
        """Power, counts, and a compliance of at least 0.1 % of the measurement range."""
        super().check_settings()
        self.check_triggers()
        other = "CURR" if self.source == "VOLT" else "VOLT"
        least = 1e-3 * self.settings[f"sense_range_{other}"]
        if self.settings[f"limit_{other}"] < least * (1 - 1e-9):
            raise ScpiError(822)

    def check_range(self, setting: str, chosen: float) -> None:
        """What the source limits is not measured on a range beyond that of the limit."""
        other = "CURR" if self.source == "VOLT" else "VOLT"
        highest = RANGES.range_for(other, self.settings[f"limit_{other}"])
        if setting == f"sense_range_{other}" and chosen > highest:
            raise ScpiError(824)

    @scpi(SENSE + "VOLTage[:DC]:NPLCycles", NPLC)
    @scpi(SENSE + "CURRent[:DC]:NPLCycles", NPLC)
    @scpi(SENSE + "RESistance:NPLCycles", NPLC)
    def _set_nplc(self, nplc: float) -> None:
        """One for all functions."""
        self.nplc = nplc

    @scpi(SENSE + "VOLTage[:DC]:NPLCycles?")
    @scpi(SENSE + "CURRent[:DC]:NPLCycles?")
    @scpi(SENSE + "RESistance:NPLCycles?")
    def _answer_nplc(self) -> str:
        return self.number_text(self.nplc)

    @scpi(SENSE + "CURRent[:DC]:PROTection:TRIPped?")
    def _current_clamped(self) -> str:
        return "1" if self.source == "VOLT" and self.channel.in_compliance() else "0"

    @scpi(SENSE + "VOLTage[:DC]:PROTection:TRIPped?")
    def _voltage_clamped(self) -> str:
        return "1" if self.source == "CURR" and self.channel.in_compliance() else "0"

    @scpi(SENSE + "FUNCtion[:ON]", *(function_name,) * 3, required=1)
    def _measure_what(self, *functions: str) -> None:
        self.functions = self.functions | set(functions) if self.concurrent else {functions[-1]}
        self.settings_changed()

    @scpi(SENSE + "FUNCtion[:ON]:ALL")
    def _measure_all(self) -> None:
        self.functions = set(QUOTED)
        self.settings_changed()

    @scpi(SENSE + "FUNCtion:OFF", *(function_name,) * 3, required=1)
    def _do_not_measure(self, *functions: str) -> None:
        self.functions -= set(functions)
        self.settings_changed()

    @scpi(SENSE + "FUNCtion:OFF:ALL")
    def _measure_nothing(self) -> None:
        self.functions = set()
        self.settings_changed()

    @scpi("CONFigure?")
    @scpi(SENSE + "FUNCtion[:ON]?")
    def _answer_functions(self) -> str:
        return ",".join(text for name, text in QUOTED.items() if name in self.functions) or '""'

    @scpi("FORMat:ELEMents[:SENSe[1]]", *(ELEMENT,) * 5, required=1)
    def _set_elements(self, *names: str) -> None:
        self.elements = tuple(name for name in ELEMENTS if name in names)

    @scpi("FORMat:ELEMents[:SENSe[1]]?")
    def _answer_elements(self) -> str:
        return ",".join(self.elements)

    # Readings

    def source_and_measure(self, level: float) -> bool:
        """One point of the trigger model; returns whether the source was clamped."""
        if self.clear_auto:
            self.output = True
            self.settings_changed()
        self.channel.set(**{f"level_{'volts' if self.source == 'VOLT' else 'amperes'}": level})
        self.station.clock.advance(self.delay)
        sample, reading = self._sample()
        self.readings.append(sample)
        events = COMPLIANCE if reading.in_compliance else 0
        self.note(sample, events | (OVERFLOWED if OVERFLOW in sample.values() else 0))
        if self.clear_auto:
            self.output = False
            super().settings_changed()  # without becoming idle
        return reading.in_compliance

    def _sample(self) -> tuple[Sample, Reading]:
        reading = self.take(self.nplc * (self.average_count if self.average else 1))
        programmed = {self.source: reading.sourced}
        measured = {"VOLT": reading.voltage, "CURR": reading.current}
        sample = {
            name: measured[name] if name in self.functions else programmed.get(name, NOT_A_NUMBER)
            for name in ("VOLT", "CURR")
        }
        ohms = reading.voltage / reading.current if reading.current else OVERFLOW
        sample["RES"] = ohms if "RES" in self.functions else NOT_A_NUMBER
        sample["TIME"] = reading.time
        sample["STAT"] = float(self._status_word(reading))
        return sample, reading

    def _status_word(self, reading: Reading) -> int:
        clamped = RANGE_COMPLIANCE if self.range_limited() else IN_COMPLIANCE
        return (
            sum(bit for name, bit in STATUS_BITS.items() if name in self.functions)
            | SOURCE_BITS[self.source]
            | (clamped if reading.in_compliance else 0)
            | (FILTERED if self.average else 0)
            | (FRONT if self.terminals == "FRON" else 0)
            | (FOUR_WIRE if self.four_wire else 0)
        )

    def readings_text(self) -> bytes:
        """All points of the last run, with the selected elements."""
        if not self.readings:
            raise ScpiError(-230, "nothing has been measured")
        return self.data(sample[name] for sample in self.readings for name in self.elements)

    @scpi("READ?")
    def _read(self) -> bytes | None:
        return self.start_and_answer()

    @scpi("CONFigure:VOLTage[:DC]")
    def _configure_voltage(self) -> None:
        self._configure("VOLT")

    @scpi("CONFigure:CURRent[:DC]")
    def _configure_current(self) -> None:
        self._configure("CURR")

    @scpi("CONFigure:RESistance")
    def _configure_resistance(self) -> None:
        self._configure("RES")

    def _configure(self, *functions: str) -> None:
        """One reading of one function at once, and the output goes on."""
        self._be_idle()
        self.functions = set(functions) or self.functions
        for function in functions:
            self.settings[f"sense_auto_{function}"] = True
        self.arm_source = self.trigger_source = "IMM"
        self.arm_count = self.trigger_count = 1
        self.output = True
        self.settings_changed()

    @scpi("MEASure?")
    def _measure(self) -> bytes | None:
        self._configure()
        return self.start_and_answer()

    @scpi("MEASure:VOLTage[:DC]?")
    def _measure_voltage(self) -> bytes | None:
        self._configure("VOLT")
        return self.start_and_answer()

    @scpi("MEASure:CURRent[:DC]?")
    def _measure_current(self) -> bytes | None:
        self._configure("CURR")
        return self.start_and_answer()

    @scpi("MEASure:RESistance?")
    def _measure_resistance(self) -> bytes | None:
        self._configure("RES")
        return self.start_and_answer()

    @scpi("FETCh?")
    def _fetch(self) -> bytes:
        return self.readings_text()

    @scpi(SENSE + "DATA[:LATest]?")
    def _latest(self) -> bytes:
        if not self.readings:
            raise ScpiError(-230, "nothing has been measured")
        return self.data(self.readings[-1][name] for name in self.elements)
