"""What the emulated Keithley 2400 and 2450 share: levels, ranges, output, power limit, error texts.

After the Series 2400 user's manual (2400S-900-01) and the 2450 reference manual (2450-901-01).
Ours: a reading beyond a fixed range clamps the source there (the 2400 calls it range compliance),
automatic ranges move when a reading is taken, and every output-off state is an open circuit.
"""

import struct
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from crossbar.units import Amperes, Volts
from simulated_instruments.probe_station import ProbeStation
from simulated_instruments.scpi import ScpiInstrument, Setting, command, scpi
from simulated_instruments.scpi_grammar import (
    ERROR_TEXTS,
    Parameter,
    ScpiError,
    boolean,
    number,
    one_of,
    word,
)
from simulated_instruments.scpi_smu import Reading, ScpiSmuChannel
from simulated_instruments.smu_terminals import RoutedCell

OVERFLOW, NOT_A_NUMBER = 9.9e37, 9.91e37
MAX_READINGS = 10_000
"""Of one message. Ours: the 2450 would go on for as long as it takes."""
FULL_POWER_VOLTS: Volts = 21.0
LOW_POWER_AMPERES: Amperes = 0.105
"""Beyond 21 V the sources of both give 105 mA, below 1.05 A."""
NAMED = word("MINimum", "MAXimum", "DEFault")
SOURCE, SENSE = "SOURce[1]:", "[SENSe[1]:]"
FUNCTIONS = {"VOLT": "VOLTage[:DC]", "CURR": "CURRent[:DC]", "RES": "RESistance"}
KEITHLEY_TEXTS = {
    -222: "Parameter data out of range",
    800: "Illegal with storage active",
    803: "Not permitted with OUTPUT off",
    822: "Too small for sense range",
    824: "Cannot exceed compliance range",
    826: "Attempt to exceed power limit",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceMeterRatings:
    """Ranges of a model, as its queries answer them, and their defaults."""

    volts: tuple[Volts, ...]
    amperes: tuple[Amperes, ...]
    ohms: tuple[float, ...]
    defaults: dict[str, float]
    """Range after ``*RST`` by the function's short word."""
    headroom: float
    """What fits on a range, as a fraction of what its query answers."""

    def ranges(self, function: str) -> tuple[float, ...]:
        """Ranges of VOLT, CURR or RES, the smallest first."""
        return {"VOLT": self.volts, "CURR": self.amperes, "RES": self.ohms}[function]

    def range_for(self, function: str, value: float) -> float:
        """The most sensitive range that holds a value; the largest for what none holds."""
        ranges = self.ranges(function)
        fits = (r for r in ranges if abs(value) <= r * self.headroom * (1 + 1e-9))
        return next(fits, ranges[-1])


class Level(Setting):
    """A quantity that also takes, and is asked for, its MINimum, MAXimum and DEFault."""

    def __init__(
        self, declaration: str, unit: str, minimum: float, maximum: float, default: float
    ) -> None:
        self.limits = {"MIN": minimum, "MAX": maximum, "DEF": default}
        super().__init__(declaration, quantity(unit, minimum, maximum, default), default)
        self.scpi_commands = (
            self.scpi_commands[0],
            command(declaration + "?", (NAMED,), self._answer, required=0),
        )

    def _answer(self, instrument: ScpiInstrument, *which: object) -> str:
        value = self.limits[str(which[-1])] if which else instrument.settings[self.name]
        return instrument.number_text(float(value))  # type: ignore[attr-defined]


class ManualLevel(Level):
    """A quantity that the instrument chooses by itself until it is set."""

    def __init__(
        self,
        declaration: str,
        unit: str,
        minimum: float,
        maximum: float,
        default: float,
        *,
        auto: str,
    ) -> None:
        super().__init__(declaration, unit, minimum, maximum, default)
        self.auto = auto
        """Name of the setting that says whether the instrument chooses."""

    def _change(self, instrument: ScpiInstrument, *values: object) -> None:
        before = instrument.settings[self.auto]
        instrument.settings[self.auto] = False
        try:
            super()._change(instrument, *values)
        except ScpiError:
            instrument.settings[self.auto] = before
            raise


class RangeLevel(ManualLevel):
    """A range: a value picks the most sensitive one that holds it."""

    def __init__(
        self, declaration: str, unit: str, rated: SourceMeterRatings, function: str, auto: str
    ) -> None:
        largest = rated.ranges(function)[-1] * rated.headroom
        default = rated.defaults[function]
        super().__init__(declaration, unit, -largest, largest, default, auto=auto)
        self.rated, self.function = rated, function

    def _change(self, instrument: ScpiInstrument, *values: object) -> None:
        chosen = self.rated.range_for(self.function, float(values[-1]))  # type: ignore[arg-type]
        instrument.check_range(self.name, chosen)  # type: ignore[attr-defined]
        super()._change(instrument, chosen)


def quantity(unit: str, minimum: float, maximum: float, default: float) -> Parameter:
    """A number within limits, or the name of one: MINimum, MAXimum, DEFault."""
    read_number = number(unit, minimum, maximum)
    named = {"MIN": minimum, "MAX": maximum, "DEF": default}

    def read(text: bytes) -> float:
        return named[str(NAMED(text))] if text.strip()[:1].isalpha() else read_number(text)

    return read


def quoted(text: bytes) -> str:
    """A string in double or single quotes."""
    inner = text.strip()
    if len(inner) < 2 or inner[:1] not in (b'"', b"'") or inner[-1:] != inner[:1]:
        raise ScpiError(-104, "a string in quotes is expected")
    return inner[1:-1].decode("latin-1")


def function_name(text: bytes) -> str:
    """A quoted measure function, as its short word."""
    name = quoted(text).upper().removesuffix(":DC").encode()
    return str(word("VOLTage", "CURRent", "RESistance")(name))


def _line_frequency(text: bytes) -> int:
    return int(one_of(50, 60)(text))  # type: ignore[call-overload]


def level_settings(rated: SourceMeterRatings) -> Any:
    """A class with the levels, and the ranges of source and sense, of a model."""
    members: dict[str, Any] = {}
    for function, unit in (("VOLT", "V"), ("CURR", "A"), ("RES", "OHM")):
        header = FUNCTIONS[function]
        largest = rated.ranges(function)[-1] * rated.headroom
        if function != "RES":
            plain = SOURCE + header.removesuffix("[:DC]")
            members[f"level_{function}"] = Level(
                plain + "[:LEVel][:IMMediate][:AMPLitude]", unit, -largest, largest, 0.0
            )
            auto = f"source_auto_{function}"
            members[auto] = Setting(plain + ":RANGe:AUTO", boolean, True)
            members[f"source_range_{function}"] = RangeLevel(
                plain + ":RANGe", unit, rated, function, auto
            )
        auto = f"sense_auto_{function}"
        members[auto] = Setting(f"{SENSE}{header}:RANGe:AUTO", boolean, True)
        members[f"sense_range_{function}"] = RangeLevel(
            f"{SENSE}{header}:RANGe[:UPPer]", unit, rated, function, auto
        )
    return type("LevelSettings", (), members)


class SourceMeter(ScpiInstrument):
    """One channel, wired to the cell that the board routes to the SMU."""

    RATED: ClassVar[SourceMeterRatings]
    POWER_ERROR: ClassVar[int] = -221

    source = Setting(SOURCE + "FUNCtion[:MODE]", word("VOLTage", "CURRent"), "VOLT")
    output = Setting("OUTPut[1][:STATe]", boolean, False)
    terminals = Setting("ROUTe:TERMinals", word("FRONt", "REAR"), "FRON")
    line_frequency = Setting("SYSTem:LFRequency", _line_frequency, 50)
    byte_order = Setting("FORMat:BORDer", word("NORMal", "SWAPped"), "NORM")
    encoding = "ASC"

    def __init__(self, station: ProbeStation) -> None:
        super().__init__()
        self.station = station
        self.channel = ScpiSmuChannel(RoutedCell(station), station.clock, 1.05e-4)

    # Texts

    def number_text(self, value: float) -> str:
        """A number as this model writes it."""
        return f"{value:+.6E}"

    def error_text(self, error: ScpiError) -> str:
        """An entry of the queue; Keithley adds no device-dependent text."""
        known = KEITHLEY_TEXTS.get(error.code) or ERROR_TEXTS[error.code]
        return f'{error.code:+d},"{known}"' if error.code else f'0,"{known}"'

    @scpi("SYSTem:ERRor[:NEXT]?", on_status=True)
    def _next_error(self) -> str:
        return self.error_text(self.errors.popleft() if self.errors else ScpiError(0))

    @scpi("SYSTem:CLEar")
    def _clear_errors(self) -> None:
        self.errors.clear()

    @scpi("SYSTem:BEEPer[:IMMediate]", number("HZ", 20, 2e6), number("S", 0, 100))
    def _beep(self, frequency: float, duration: float) -> None:
        """Nobody listens."""

    # Source

    def settings_changed(self) -> None:
        """Bring what changed to the terminals."""
        wanted: dict[str, float | bool] = {
            "output": self.output,
            "sources_voltage": self.source == "VOLT",
            "level_volts": self.settings["level_VOLT"],
            "level_amperes": self.settings["level_CURR"],
            "limit_amperes": self.effective_limit("CURR"),
            "limit_volts": self.effective_limit("VOLT"),
        }
        if any(getattr(self.channel, name) != value for name, value in wanted.items()):
            self.channel.set(**wanted)

    def effective_limit(self, function: str) -> float:
        """The limit of VOLT or CURR, or the end of its fixed measurement range."""
        limit = abs(self.settings[f"limit_{function}"])
        if self.settings[f"sense_auto_{function}"] or not self.measures(function):
            return limit
        return min(limit, self.settings[f"sense_range_{function}"] * self.RATED.headroom)

    @abstractmethod
    def measures(self, function: str) -> bool:
        """Whether VOLT, CURR or RES is a selected measure function."""

    def range_limited(self) -> bool:
        """Whether it is the range that would clamp, and not the limit."""
        other = "CURR" if self.source == "VOLT" else "VOLT"
        return self.effective_limit(other) < abs(self.settings[f"limit_{other}"])

    def check_settings(self) -> None:
        """The level is within the power limit."""
        self.check_power(self.source, self.settings[f"level_{self.source}"])

    def check_range(self, setting: str, chosen: float) -> None:
        """Raise ScpiError if a range is not to be had with the present settings."""

    def check_power(self, source: str, level: float) -> None:
        """20 W: a level of VOLT or CURR, with the limit of the other quantity, stays below."""
        volts = abs(level if source == "VOLT" else self.settings["limit_VOLT"])
        amperes = abs(level if source == "CURR" else self.settings["limit_CURR"])
        if volts > FULL_POWER_VOLTS * (1 + 1e-9) and amperes > LOW_POWER_AMPERES * (1 + 1e-9):
            raise ScpiError(self.POWER_ERROR, "20 W")

    def restore_defaults(self) -> None:
        """``*RST``: the output goes off first."""
        self.channel.reset()
        super().restore_defaults()
        self.encoding = "ASC"
        self.settings_changed()

    # Readings

    def take(self, nplc: float) -> Reading:
        """One reading; automatic ranges follow it."""
        reading = self.channel.measure(nplc / self.line_frequency)
        for function, value in (("VOLT", reading.voltage), ("CURR", reading.current)):
            if self.settings[f"sense_auto_{function}"]:
                self.settings[f"sense_range_{function}"] = self.RATED.range_for(function, value)
        return reading

    def check_count(self, count: int) -> None:
        """Raise ScpiError -221 for more readings than one message may take here."""
        if count > MAX_READINGS:
            raise ScpiError(-221, f"more than {MAX_READINGS} readings")

    @scpi("FORMat[:DATA]", word("ASCii", "REAL", "SREal"), number("", 32, 64), required=1)
    def _set_format(self, encoding: str, bits: float = 0.0) -> None:
        if encoding == "REAL" and bits == 32:  # how the 2400 writes it
            encoding = "SRE"
        self.encoding = encoding

    @scpi("FORMat[:DATA]?")
    def _answer_format(self) -> str:
        return self.encoding

    def data(self, values: Iterable[float | str]) -> bytes:
        """Values in the selected format; binary follows ``#0``, without a length."""
        if self.encoding == "ASC":
            texts = (v if isinstance(v, str) else self.number_text(v) for v in values)
            return ",".join(texts).encode()
        numbers = [v for v in values if not isinstance(v, str)]
        order = "<" if self.byte_order == "SWAP" else ">"
        width = "d" if self.encoding == "REAL" else "f"
        return b"#0" + struct.pack(f"{order}{len(numbers)}{width}", *numbers)
