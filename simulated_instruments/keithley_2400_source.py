"""What an emulated Keithley 2400 sources: fixed levels, staircases, lists; and its compliance.

After the Series 2400 user's manual, section 18 (SOURce and SENSe subsystems). Ours: after a sweep
the source stays at its last level until the next one is set. Left out: source memory, triggered
levels, voltage protection (taken, to no effect).
"""

from typing import Any

from simulated_instruments.keithley_sourcemeter import SENSE, SOURCE, Level, ManualLevel
from simulated_instruments.scpi import ScpiInstrument, Setting, scpi
from simulated_instruments.scpi_grammar import ScpiError, boolean, integer, number, word

LONGEST_LIST = 2500
LISTED_AT_ONCE = 100
QUANTITIES = {"VOLT": ("VOLTage", "V", 210.0), "CURR": ("CURRent", "A", 1.05)}
COMPLIANCE = {
    "VOLT": ("VOLTage[:DC]", "V", 210.0, 21.0),
    "CURR": ("CURRent[:DC]", "A", 1.05, 1.05e-4),
}
MODES = word("FIXed", "LIST", "SWEep")
PROTECTION = number("V", -210.0, 210.0)


class ComplianceLevel(Level):
    """Its sign does not matter."""

    def _change(self, instrument: ScpiInstrument, *values: object) -> None:
        super()._change(instrument, abs(float(values[-1])))  # type: ignore[arg-type]


def _list_command(short: str, name: str, unit: str, largest: float) -> dict[str, Any]:
    numbers = (number(unit, -largest, largest),) * LISTED_AT_ONCE

    @scpi(f"{SOURCE}LIST:{name}", *numbers, required=1)
    def define(instrument: Any, *levels: float) -> None:
        instrument.lists[short] = list(levels)

    @scpi(f"{SOURCE}LIST:{name}:APPend", *numbers, required=1)
    def append(instrument: Any, *levels: float) -> None:
        if len(instrument.lists[short]) + len(levels) > LONGEST_LIST:
            raise ScpiError(-223, "2500 points")
        instrument.lists[short] += levels

    @scpi(f"{SOURCE}LIST:{name}:POINts?")
    def length(instrument: Any) -> str:
        return str(len(instrument.lists[short]))

    @scpi(f"{SOURCE}LIST:{name}?")
    def answer(instrument: Any) -> str:
        return ",".join(map(instrument.number_text, instrument.lists[short]))

    functions = {"define": define, "append": append, "length": length, "answer": answer}
    return {f"_list_{short}_{what}": function for what, function in functions.items()}


def _source_settings() -> Any:
    members: dict[str, Any] = {}
    for short, (name, unit, largest) in QUANTITIES.items():
        head = SOURCE + name
        members |= {
            f"mode_{short}": Setting(head + ":MODE", MODES, "FIX"),
            f"start_{short}": Level(head + ":STARt", unit, -largest, largest, 0.0),
            f"stop_{short}": Level(head + ":STOP", unit, -largest, largest, 0.0),
        }
        members |= _list_command(short, name, unit, largest)
        measured, unit, largest, default = COMPLIANCE[short]
        members[f"limit_{short}"] = ComplianceLevel(
            f"{SENSE}{measured}:PROTection[:LEVel]", unit, -largest, largest, default
        )
    return type("SourceSettings", (), members)


SourceSettings: Any = _source_settings()


class Sources(SourceSettings):
    """Levels of a `SourceMeter`, one after the other."""

    sweep_points = Setting(SOURCE + "SWEep:POINts", integer(2, LONGEST_LIST), LONGEST_LIST)
    spacing = Setting(SOURCE + "SWEep:SPACing", word("LINear", "LOGarithmic"), "LIN")
    direction = Setting(SOURCE + "SWEep:DIRection", word("UP", "DOWN"), "UP")
    ranging = Setting(SOURCE + "SWEep:RANGing", word("BEST", "AUTO", "FIXed"), "BEST")
    compliance_abort = Setting(SOURCE + "SWEep:CABort", word("NEVer", "EARLy", "LATE"), "NEV")
    delay_auto = Setting(SOURCE + "DELay:AUTO", boolean, True)
    delay = ManualLevel(SOURCE + "DELay", "S", 0.0, 9999.998, 0.001, auto="delay_auto")
    """1 ms while it is automatic, as an owner of one reports to PyMeasure."""
    clear_auto = Setting(SOURCE + "CLEar:AUTO", boolean, False)
    """Output on for each reading, and off after it."""
    protection = Setting(SOURCE + "VOLTage:PROTection[:LEVel]", PROTECTION, 210.0)

    def _no_lists(self) -> None:
        self.lists: dict[str, list[float]] = {"VOLT": [0.0], "CURR": [0.0]}

    def levels(self: Any) -> list[float]:
        """The levels of one pass of the selected source; raises ScpiError -826 beyond 20 W."""
        source = self.source
        mode = self.settings[f"mode_{source}"]
        if mode == "FIX":
            return [self.settings[f"level_{source}"]]
        found = list(self.lists[source]) if mode == "LIST" else self._staircase(source)
        for level in found:
            self.check_power(source, level)
        return found

    def _staircase(self: Any, source: str) -> list[float]:
        first, last = self.settings[f"start_{source}"], self.settings[f"stop_{source}"]
        if self.direction == "DOWN":
            first, last = last, first
        steps = self.sweep_points - 1
        if self.spacing == "LIN":
            return [first + (last - first) * n / steps for n in range(steps + 1)]
        if first * last <= 0:
            raise ScpiError(-221, "a logarithmic sweep does not cross 0")
        return [first * (last / first) ** (n / steps) for n in range(steps + 1)]

    @scpi(SOURCE + "VOLTage:STEP", number("V", -420.0, 420.0))
    def _step_volts(self, step: float) -> None:
        self._set_step("VOLT", step)

    @scpi(SOURCE + "CURRent:STEP", number("A", -2.1, 2.1))
    def _step_amperes(self, step: float) -> None:
        self._set_step("CURR", step)

    def _set_step(self: Any, source: str, step: float) -> None:
        """A step sets the number of points, as the manual has it."""
        span = self.settings[f"stop_{source}"] - self.settings[f"start_{source}"]
        if step == 0 or span / step < 0.5 or span / step > LONGEST_LIST - 1:
            raise ScpiError(-221, "the step does not lead from start to stop")
        self.sweep_points = round(span / step) + 1

    @scpi(SOURCE + "CLEar[:IMMediate]")
    def _clear_source(self: Any) -> None:
        self.output = False
        self.settings_changed()
