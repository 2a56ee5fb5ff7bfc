"""What an emulated B2900 sources: fixed and triggered levels, staircases, lists, pulses.

After the SCPI command reference (B2910-90030, pages 4-93 to 4-109): start, stop, centre, span, step
and points hang together as there. Not confirmed: longer lists on B models, the number of points of
a double sweep, and that a triggered level that was never set follows the immediate one, as SCPI
instruments of the same maker do. Left out: arbitrary waveforms, source wait times (kept, to no
effect), and what both channels together may deliver.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simulated_instruments.keysight_b2900_ratings import (
    LARGEST,
    SOURCE_HEADROOM,
    VOLTAGE_RANGES,
    range_for,
    within_reach,
)
from simulated_instruments.keysight_b2900_settings import (
    QUANTITIES,
    SOURCE,
    Derived,
    Level,
    Numbers,
    exchanged,
    text_of,
)
from simulated_instruments.scpi import ScpiInstrument, scpi
from simulated_instruments.scpi_grammar import ScpiError, boolean, word
from simulated_instruments.scpi_smu import ChannelSetting

LONGEST_LIST = 2500
NEARLY = 1e-9
"""Of a step: rounding of the computer, where points are counted."""


@dataclass(slots=True)
class Span:
    """A staircase of one channel and quantity; how many points it has, both quantities share."""

    start: float = 0.0
    stop: float = 0.0
    step: float = 0.0


class ImmediateLevel(Level):
    """Takes effect at once, whatever a trigger has left there."""

    def _change_one(self, instrument: ScpiInstrument, channel: int, value: object) -> None:
        instrument.check_channel(channel)  # type: ignore[attr-defined]
        held = instrument.held[channel - 1]  # type: ignore[attr-defined]
        instrument.held[channel - 1] = None  # type: ignore[attr-defined]
        try:
            super()._change_one(instrument, channel, value)
        except ScpiError:
            instrument.held[channel - 1] = held  # type: ignore[attr-defined]
            raise


class TriggeredLevel(Level):
    """Follows the immediate level until it is set; 0 is a level like any other."""

    def __init__(self, declaration: str, numbers: Numbers, short: str) -> None:
        super().__init__(declaration, numbers)
        self.default = (None, None)
        self._short = short

    def _answer_one(self, instrument: ScpiInstrument, channel: int, *asked: float) -> str:
        instrument.check_channel(channel)  # type: ignore[attr-defined]
        found = instrument.triggered(self._short, channel - 1)  # type: ignore[attr-defined]
        return text_of(asked[0] if asked else found)


class SourceRange(Level):
    """A value picks the most sensitive range that holds it."""

    def __init__(self, declaration: str, numbers: Numbers, short: str) -> None:
        super().__init__(declaration, numbers)
        self._short = short

    def _change_one(self, instrument: ScpiInstrument, channel: int, value: Any) -> None:
        ranges = instrument.source_ranges(self._short)  # type: ignore[attr-defined]
        super()._change_one(instrument, channel, range_for(ranges, value))


def _find_span(short: str, name: str) -> Callable[[Any, int], float]:
    def find(instrument: Any, index: int) -> float:
        span: Span = instrument.spans[short][index]
        worked_out = {"span": span.stop - span.start, "centre": (span.start + span.stop) / 2}
        return float(worked_out[name] if name in worked_out else getattr(span, name))

    return find


def _change_span(short: str, name: str) -> Callable[[Any, int, float], None]:
    def change(instrument: Any, index: int, value: float) -> None:
        span: Span = instrument.spans[short][index]
        if name == "step":
            instrument.set_step(span, index, value)
            return
        centre, width = (span.start + span.stop) / 2, span.stop - span.start
        start, stop = {
            "start": (value, span.stop),
            "stop": (span.start, value),
            "centre": (value - width / 2, value + width / 2),
            "span": (centre - value / 2, centre + value / 2),
        }[name]
        if max(abs(start), abs(stop)) > LARGEST[short] * (1 + NEARLY):
            raise ScpiError(-222, f"{start:g} to {stop:g}")
        span.start, span.stop = start, stop
        instrument.even_steps(index)

    return change


def _of_quantity(short: str) -> dict[str, Any]:
    """Levels, ranges and sweeps of VOLT or CURR."""
    name, unit = QUANTITIES[short]
    head, most = SOURCE + name, LARGEST[short]
    level = Numbers(unit, -most, most, 0.0)
    smallest = 0.2 if short == "VOLT" else 1e-6
    members: dict[str, Any] = {
        f"level_{short}": ImmediateLevel(head + "[:LEVel][:IMMediate][:AMPLitude]", level),
        f"triggered_{short}": TriggeredLevel(head + "[:LEVel]:TRIGgered[:AMPLitude]", level, short),
        f"stepping_{short}": ChannelSetting(head + ":MODE", word("FIXed", "SWEep", "LIST"), "FIX"),
        f"auto_range_{short}": ChannelSetting(head + ":RANGe:AUTO", boolean, True),
        f"range_{short}": SourceRange(head + ":RANGe", Numbers(unit, -most, most, smallest), short),
        f"lowest_range_{short}": SourceRange(
            head + ":RANGe:AUTO:LLIMit", Numbers(unit, -most, most, smallest), short
        ),
    }
    for tail, what, most_there in (
        ("STARt", "start", most),
        ("STOP", "stop", most),
        ("CENTer", "centre", most),
        ("SPAN", "span", 2 * most),
        ("STEP", "step", 2 * most),
    ):
        members[f"_{what}_{short}"] = Derived(
            f"{head}:{tail}",
            Numbers(unit, -most_there, most_there, 0.0),
            _find_span(short, what),
            _change_span(short, what),
        )
    return members | _list_commands(short, level)


def _list_commands(short: str, level: Numbers) -> dict[str, Any]:
    head = f"{SOURCE}LIST:{QUANTITIES[short][0]}"
    values = (level.read,) * LONGEST_LIST

    @scpi(head, *values, required=1)
    def define(instrument: Any, channel: int, *levels: float) -> None:
        instrument.check_channel(channel)
        instrument.lists[short][channel - 1] = list(levels)

    @scpi(head + ":APPend", *values, required=1)
    def append(instrument: Any, channel: int, *levels: float) -> None:
        instrument.check_channel(channel)
        listed = instrument.lists[short][channel - 1]
        if len(listed) + len(levels) > LONGEST_LIST:
            raise ScpiError(-223, f"{LONGEST_LIST} points")
        listed += levels

    @scpi(head + "?")
    def answer(instrument: Any, channel: int) -> str:
        instrument.check_channel(channel)
        return ",".join(map(text_of, instrument.lists[short][channel - 1]))

    @scpi(head + ":POINts?")
    def length(instrument: Any, channel: int) -> str:
        instrument.check_channel(channel)
        return str(len(instrument.lists[short][channel - 1]))

    functions = {"define": define, "append": append, "answer": answer, "length": length}
    return {f"_list_{short}_{what}": function for what, function in functions.items()}


class Points(Level):
    """How many points a sweep has; its steps follow, its span stays."""

    def _change_one(self, instrument: ScpiInstrument, channel: int, value: object) -> None:
        super()._change_one(instrument, channel, value)
        instrument.even_steps(channel - 1)  # type: ignore[attr-defined]


SourceCommands: Any = type("SourceCommands", (), _of_quantity("VOLT") | _of_quantity("CURR"))


class Sources(SourceCommands):
    """Levels of each channel, one after the other."""

    mode = ChannelSetting(SOURCE + "FUNCtion:MODE", word("VOLTage", "CURRent"), "VOLT")
    shape = ChannelSetting(SOURCE + "FUNCtion[:SHAPe]", word("DC", "PULSe"), "DC")
    stays = ChannelSetting(SOURCE + "FUNCtion:TRIGgered:CONTinuous", boolean, False)
    """Whether the last level of a sweep stays."""
    points = Points(
        SOURCE + "SWEep:POINts",
        Numbers("", 1, LONGEST_LIST, 1, whole=True),
        SOURCE + "VOLTage:POINts",
        SOURCE + "CURRent:POINts",
    )
    direction = ChannelSetting(SOURCE + "SWEep:DIRection", word("UP", "DOWN"), "UP")
    spacing = ChannelSetting(SOURCE + "SWEep:SPACing", word("LINear", "LOGarithmic"), "LIN")
    stairs = ChannelSetting(SOURCE + "SWEep:STAir", word("SINGle", "DOUBle"), "SING")
    ranging = ChannelSetting(SOURCE + "SWEep:RANGing", word("BEST", "AUTO", "FIXed"), "BEST")
    pulse_width = Level(SOURCE + "PULSe:WIDTh", Numbers("S", 5e-5, 1e5, 5e-5))
    pulse_delay = Level(SOURCE + "PULSe:DELay", Numbers("S", 0.0, 1e5, 0.0))
    waits = ChannelSetting(SOURCE + "WAIT[:STATe]", boolean, True)
    waits_automatically = ChannelSetting(SOURCE + "WAIT:AUTO", boolean, True)
    wait_gain = Level(SOURCE + "WAIT:GAIN", Numbers("", 0.0, 100.0, 1.0))
    wait_offset = Level(SOURCE + "WAIT:OFFSet", Numbers("S", 0.0, 1.0, 0.0))

    def _no_sweeps(self) -> None:
        self.lists: dict[str, list[list[float]]] = {q: [[0.0], [0.0]] for q in QUANTITIES}
        self.spans: dict[str, list[Span]] = {q: [Span(), Span()] for q in QUANTITIES}
        self.held: list[tuple[str, float] | None] = [None, None]
        """Quantity and level that a trigger has put there, by channel."""

    def even_steps(self: Any, index: int) -> None:
        """Points or span have changed, and the step follows."""
        between = self.points[index] - 1
        for spans in self.spans.values():
            span = spans[index]
            span.step = (span.stop - span.start) / between if between else 0.0

    def set_step(self: Any, span: Span, index: int, step: float) -> None:
        """The span stays, points are rounded down. Raises ScpiError -221 for the wrong sign."""
        width = span.stop - span.start
        if step * width < 0:
            raise ScpiError(-221, "step and span have different signs")
        points = math.floor(width / step + NEARLY) + 1 if step else 1
        if points > LONGEST_LIST:
            raise ScpiError(-222, f"{points} points")
        self.points = exchanged(self.points, index, points)
        self.even_steps(index)
        span.step = step if points > 1 else 0.0

    def source_ranges(self: Any, short: str) -> tuple[float, ...]:
        """Ranges of VOLT or CURR, the smallest first."""
        return VOLTAGE_RANGES if short == "VOLT" else tuple(self.ratings.current_ranges)

    def triggered(self, short: str, index: int) -> float:
        """The level that a trigger brings in fixed mode."""
        level = getattr(self, f"triggered_{short}")[index]
        return float(getattr(self, f"level_{short}")[index] if level is None else level)

    def levels(self: Any, index: int) -> list[float]:
        """What triggers bring, one after the other. Raises ScpiError where it is out of reach."""
        short = self.mode[index]
        stepping = self.settings[f"stepping_{short}"][index]
        if stepping == "LIST":
            found = list(self.lists[short][index])
        elif stepping == "SWE":
            found = self._staircase(short, index)
        else:
            found = [self.triggered(short, index)]
        for level in found:
            self.check_level(short, index, level)
        return found

    def _staircase(self: Any, short: str, index: int) -> list[float]:
        span, points = self.spans[short][index], self.points[index]
        first, last, step = span.start, span.stop, span.step
        if self.direction[index] == "DOWN":
            first, last, step = last, first, -step
        if self.spacing[index] == "LIN":
            rising = [first + step * n for n in range(points)]
        elif first * last <= 0:
            raise ScpiError(-221, "a logarithmic sweep does not reach 0")
        else:
            rising = [first * (last / first) ** (n / max(1, points - 1)) for n in range(points)]
        return rising + rising[::-1] if self.stairs[index] == "DOUB" else rising

    def check_level(self: Any, short: str, index: int, level: float) -> None:
        """Raise ScpiError -221 for a level that range, rating or compliance do not go with."""
        fixed = not self.settings[f"auto_range_{short}"][index]
        if fixed and abs(level) > self.settings[f"range_{short}"][index] * SOURCE_HEADROOM * (
            1 + NEARLY
        ):
            raise ScpiError(-221, "the range is fixed")
        limit = self.settings[f"limit_{'CURR' if short == 'VOLT' else 'VOLT'}"][index]
        volts, amperes = (level, limit) if short == "VOLT" else (limit, level)
        width = self.pulse_width[index] if self.shape[index] == "PULS" else None
        if not within_reach(volts, amperes, width):
            raise ScpiError(-221, f"{volts:g} V with {amperes:g} A")
