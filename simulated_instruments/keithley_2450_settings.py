"""The settings of an emulated Keithley 2450 that each measure and each source function has.

After the reference manual 2450-901-01, section 6. Autozero, delays for the user's own trigger
models, and filters are taken and answered, and change nothing; a source delay counts in sweeps.
"""

from typing import Any

from simulated_instruments.keithley_sourcemeter import FUNCTIONS, SENSE, SOURCE, Level, ManualLevel
from simulated_instruments.scpi import ScpiInstrument, Setting
from simulated_instruments.scpi_grammar import ScpiError, boolean, integer, number, word

DELAYS = number("S", 0.0, 1e4)
USER_DELAYS = range(1, 6)
OFF_STATES = word("NORMal", "HIMPedance", "ZERO", "GUARd")
LIMITED_BY = {"VOLT": ("ILIMit", "CURR"), "CURR": ("VLIMit", "VOLT")}
"""By source function: the word of its limit, and the quantity that is limited."""
LIMITS = {"CURR": ("A", 1e-9, 1.05, 1.05e-4), "VOLT": ("V", 0.02, 210.0, 21.0)}
"""Unit, smallest, largest and default limit."""


class LimitLevel(Level):
    """A source limit: an absolute value, never 0."""

    def __init__(
        self, declaration: str, unit: str, minimum: float, maximum: float, default: float
    ) -> None:
        super().__init__(declaration, unit, -maximum, maximum, default)
        self.limits["MIN"] = minimum

    def _change(self, instrument: ScpiInstrument, *values: object) -> None:
        magnitude = abs(float(values[-1]))  # type: ignore[arg-type]
        if magnitude < self.limits["MIN"]:
            raise ScpiError(-222)
        super()._change(instrument, magnitude)


def _measure_settings(function: str) -> dict[str, Any]:
    head = SENSE + FUNCTIONS[function]
    members: dict[str, Any] = {
        f"nplc_{function}": Level(head + ":NPLCycles", "", 0.01, 10.0, 1.0),
        f"remote_{function}": Setting(head + ":RSENse", boolean, False),
        f"autozero_{function}": Setting(head + ":AZERo[:STATe]", boolean, True),
        f"filter_{function}": Setting(head + ":AVERage[:STATe]", boolean, False),
        f"filter_kind_{function}": Setting(
            head + ":AVERage:TCONtrol", word("REPeat", "MOVing"), "REP"
        ),
        f"filter_count_{function}": Setting(head + ":AVERage:COUNt", integer(1, 100), 10),
    }
    for user in USER_DELAYS:
        members[f"sense_delay_{function}_{user}"] = Setting(f"{head}:DELay:USER{user}", DELAYS, 0.0)
    return members


def _source_settings(function: str) -> dict[str, Any]:
    name = FUNCTIONS[function].removesuffix("[:DC]")
    head = SOURCE + name
    limit, limited = LIMITED_BY[function]
    members: dict[str, Any] = {
        f"limit_{limited}": LimitLevel(f"{head}:{limit}[:LEVel]", *LIMITS[limited]),
        f"delay_{function}": ManualLevel(
            head + ":DELay", "S", 0.0, 1e4, 0.0, auto=f"delay_auto_{function}"
        ),
        f"delay_auto_{function}": Setting(head + ":DELay:AUTO", boolean, True),
        f"read_back_{function}": Setting(head + ":READ:BACK", boolean, True),
        f"off_state_{function}": Setting(f"OUTPut[1]:{name}:SMODe", OFF_STATES, "NORM"),
    }
    for user in USER_DELAYS:
        members[f"source_delay_{function}_{user}"] = Setting(
            f"{head}:DELay:USER{user}", DELAYS, 0.0
        )
    return members


def function_settings() -> Any:
    """A class with all of them, such as ``nplc_CURR`` and ``limit_VOLT``."""
    members: dict[str, Any] = {}
    for function in FUNCTIONS:
        members |= _measure_settings(function)
    for function in LIMITED_BY:
        members |= _source_settings(function)
    return type("FunctionSettings", (), members)
