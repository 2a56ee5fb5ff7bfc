"""What an emulated B2900 measures: functions, compliance, integration, ranges, and a sample of it.

After the SCPI command reference (B2910-90030): status data by table 1-2, page 1-14. Ours: which of
the three compliance codes of its bits 1 and 2 is given, that the integration time is common to all
functions, and that a reading beyond a fixed range is an overflow. Left out: automatic ohms, offset
compensation, filters, guard and measurement wait times (kept, to no effect).
"""

from typing import Any

from simulated_instruments.keysight_b2900_ratings import (
    LARGEST,
    headroom,
)
from simulated_instruments.keysight_b2900_settings import (
    SENSE,
    Derived,
    Level,
    Numbers,
    exchanged,
)
from simulated_instruments.keysight_b2900_status import READING_AVAILABLE, READING_OVERFLOW
from simulated_instruments.scpi import ScpiInstrument, scpi
from simulated_instruments.scpi_grammar import ScpiError, boolean, word
from simulated_instruments.scpi_smu import ChannelSetting, Reading

FUNCTIONS = ("VOLT", "CURR", "RES")
FUNCTION = word("VOLTage", "CURRent", "RESistance")
INFINITY, MISSING = 9.9e37, 9.91e37
"""In text; binary data have infinity and NaN."""
CURRENT_SOURCE, COMPLIANCE, RANGE_OVERFLOW = 1, 2, 8192
"""Values in the status data."""
SHORTEST, LONGEST = 8e-6, 2.0
"""Integration, in seconds; not confirmed for B2901B and B2902B."""
Sample = dict[str, float]
"""A reading by element."""


def function_name(text: bytes) -> str:
    """A quoted function such as "CURRent:DC", as its short word. Raises ScpiError."""
    quoted = text.strip()
    if len(quoted) < 2 or quoted[:1] not in (b'"', b"'") or quoted[-1:] != quoted[:1]:
        raise ScpiError(-104, "a string in quotes is expected")
    return str(FUNCTION(quoted[1:-1].upper().removesuffix(b":DC")))


class SenseRange(Level):
    """A value picks the most sensitive range that measures it."""

    def __init__(self, declaration: str, numbers: Numbers, short: str) -> None:
        super().__init__(declaration, numbers)
        self._short = short

    def _change_one(self, instrument: ScpiInstrument, channel: int, value: Any) -> None:
        ranges = instrument.source_ranges(self._short)  # type: ignore[attr-defined]
        fits = (each for each in ranges if abs(value) <= each * headroom(each) * (1 + 1e-9))
        super()._change_one(instrument, channel, next(fits, ranges[-1]))


def _set_cycles(instrument: Any, index: int, cycles: float) -> None:
    instrument.cycles = exchanged(instrument.cycles, index, cycles)
    instrument.chooses_cycles = exchanged(instrument.chooses_cycles, index, False)


def _set_aperture(instrument: Any, index: int, aperture: float) -> None:
    _set_cycles(instrument, index, aperture * instrument.line_frequency)


def _of_function(short: str, name: str, unit: str, most: float, smallest: float) -> dict[str, Any]:
    head = SENSE + name
    least = {"VOLT": (2e-3, 2.0), "CURR": (1e-9, 1e-4)}[short]
    return {
        f"limit_{short}": Level(
            head + ":PROTection[:LEVel][:BOTH]", Numbers(unit, least[0], LARGEST[short], least[1])
        ),
        f"sense_range_{short}": SenseRange(
            head + ":RANGe[:UPPer]", Numbers(unit, -most, most, smallest), short
        ),
        f"sense_auto_{short}": ChannelSetting(head + ":RANGe:AUTO", boolean, True),
        f"sense_lowest_{short}": SenseRange(
            head + ":RANGe:AUTO:LLIMit", Numbers(unit, -most, most, smallest), short
        ),
        f"sense_choice_{short}": ChannelSetting(
            head + ":RANGe:AUTO:MODE", word("NORMal", "RESolution", "SPEed"), "NORM"
        ),
        f"sense_threshold_{short}": Level(
            head + ":RANGe:AUTO:THReshold", Numbers("", 11.0, 100.0, 90.0)
        ),
    }


def _of_integration(name: str) -> dict[str, Any]:
    head = SENSE + name
    return {
        f"_cycles_{name}": Derived(
            head + ":NPLCycles",
            Numbers("", SHORTEST * 50, LONGEST * 50, 0.1),
            lambda instrument, index: float(instrument.cycles[index]),
            _set_cycles,
        ),
        f"_aperture_{name}": Derived(
            head + ":APERture",
            Numbers("S", SHORTEST, LONGEST, 0.1 / 50),
            lambda instrument, index: float(instrument.integration(index)),
            _set_aperture,
        ),
    }


_MEMBERS: dict[str, Any] = {}
for _name in ("CURRent[:DC]", "VOLTage[:DC]", "RESistance"):
    _MEMBERS |= _of_integration(_name)
SenseCommands: Any = type(
    "SenseCommands",
    (),
    _MEMBERS
    | _of_function("VOLT", "VOLTage[:DC]", "V", LARGEST["VOLT"] * 1.01, 2.0)
    | _of_function("CURR", "CURRent[:DC]", "A", LARGEST["CURR"] * 1.01, 1e-4),
)


class Senses(SenseCommands):
    """Readings of each channel."""

    remote_sense = ChannelSetting(SENSE + "REMote", boolean, False)
    sense_waits = ChannelSetting(SENSE + "WAIT[:STATe]", boolean, True)
    sense_waits_automatically = ChannelSetting(SENSE + "WAIT:AUTO", boolean, True)
    sense_wait_gain = Level(SENSE + "WAIT:GAIN", Numbers("", 0.0, 100.0, 1.0))
    sense_wait_offset = Level(SENSE + "WAIT:OFFSet", Numbers("S", 0.0, 1.0, 0.0))

    def _default_senses(self) -> None:
        self.functions: list[tuple[str, ...]] = [("VOLT", "CURR")] * 2
        self.cycles = (0.1, 0.1)
        self.chooses_cycles = (True, True)
        """Whether the integration time is the instrument's choice, by channel."""

    # Functions

    @scpi(SENSE + "FUNCtion[:ON]", function_name, function_name, function_name, required=1)
    def _add_functions(self: Any, channel: int, *names: str) -> None:
        self.check_channel(channel)
        self._set_functions(channel, {*self.functions[channel - 1], *names})

    @scpi(SENSE + "FUNCtion:OFF", function_name, function_name, function_name, required=1)
    def _remove_functions(self: Any, channel: int, *names: str) -> None:
        self.check_channel(channel)
        self._set_functions(channel, set(self.functions[channel - 1]) - set(names))

    @scpi(SENSE + "FUNCtion[:ON]:ALL")
    def _all_functions(self: Any, channel: int) -> None:
        self.check_channel(channel)
        self._set_functions(channel, set(FUNCTIONS))

    @scpi(SENSE + "FUNCtion:OFF:ALL")
    def _no_functions(self: Any, channel: int) -> None:
        self.check_channel(channel)
        self._set_functions(channel, set())

    def _set_functions(self, channel: int, names: set[str]) -> None:
        self.functions[channel - 1] = tuple(name for name in FUNCTIONS if name in names)

    @scpi(SENSE + "FUNCtion[:ON]?")
    def _answer_functions(self: Any, channel: int) -> str:
        self.check_channel(channel)
        return ",".join(f'"{name}"' for name in self.functions[channel - 1])

    @scpi(SENSE + "FUNCtion:OFF?")
    def _answer_others(self: Any, channel: int) -> str:
        self.check_channel(channel)
        others = (name for name in FUNCTIONS if name not in self.functions[channel - 1])
        return ",".join(f'"{name}"' for name in others)

    # Integration

    @scpi(SENSE + "CURRent[:DC]:NPLCycles:AUTO", boolean)
    @scpi(SENSE + "CURRent[:DC]:APERture:AUTO", boolean)
    @scpi(SENSE + "VOLTage[:DC]:NPLCycles:AUTO", boolean)
    @scpi(SENSE + "VOLTage[:DC]:APERture:AUTO", boolean)
    def _choose_cycles(self: Any, channel: int, automatically: bool) -> None:
        self.check_channel(channel)
        self.chooses_cycles = exchanged(self.chooses_cycles, channel - 1, automatically)
        if automatically:
            self.cycles = exchanged(self.cycles, channel - 1, 0.1)

    @scpi(SENSE + "CURRent[:DC]:NPLCycles:AUTO?")
    @scpi(SENSE + "CURRent[:DC]:APERture:AUTO?")
    @scpi(SENSE + "VOLTage[:DC]:NPLCycles:AUTO?")
    @scpi(SENSE + "VOLTage[:DC]:APERture:AUTO?")
    def _answer_choice(self: Any, channel: int) -> str:
        self.check_channel(channel)
        return str(int(self.chooses_cycles[channel - 1]))

    def integration(self: Any, index: int) -> float:
        """Seconds of one reading."""
        return float(self.cycles[index] / self.line_frequency)

    # Compliance

    @scpi(SENSE + "CURRent[:DC]:PROTection:TRIPped?")
    def _current_tripped(self, channel: int) -> str:
        return self._tripped(channel, "VOLT")

    @scpi(SENSE + "VOLTage[:DC]:PROTection:TRIPped?")
    def _voltage_tripped(self, channel: int) -> str:
        return self._tripped(channel, "CURR")

    def _tripped(self: Any, channel: int, mode: str) -> str:
        self.check_channel(channel)
        clamped = self.channels[channel - 1].in_compliance()
        return "1" if clamped and self.mode[channel - 1] == mode else "0"

    # Samples

    def sample(self: Any, index: int, reading: Reading, began: float) -> Sample:
        """What is kept of a reading; all functions, whether enabled or not."""
        found = {"VOLT": reading.voltage, "CURR": reading.current}
        status = CURRENT_SOURCE if self.mode[index] == "CURR" else 0
        status |= COMPLIANCE if reading.in_compliance else 0
        for short, value in found.items():
            if self._overflows(short, index, value):
                found[short] = INFINITY if value > 0 else -INFINITY
                status |= RANGE_OVERFLOW
        divides = found["CURR"] and not status & RANGE_OVERFLOW
        found["RES"] = found["VOLT"] / found["CURR"] if divides else INFINITY
        self.flag("MEAS", READING_AVAILABLE, index, True)
        self.flag("MEAS", READING_OVERFLOW, index, bool(status & RANGE_OVERFLOW))
        return {
            **found,
            "TIME": began - self.time_zero,
            "STAT": float(status),
            "SOUR": reading.sourced,
        }

    def _overflows(self: Any, short: str, index: int, value: float) -> bool:
        """What is sourced is measured on the source's range."""
        if short == self.mode[index] or self.settings[f"sense_auto_{short}"][index]:
            return False
        chosen = self.settings[f"sense_range_{short}"][index]
        return bool(abs(value) > chosen * headroom(chosen))
