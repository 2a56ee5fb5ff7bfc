"""The sweeps of an emulated Keithley 2450: SOURce:SWEep loads one, INITiate runs it.

After the reference manual 2450-901-01, pages 6-81 to 6-90. Not confirmed: that the sweep's own
trigger model switches the output on before the first point and off after the last, and the number
of the error of ``INIT`` without a sweep. Ours: a sweep runs when it is initiated, one with count 0
(for ever) once; automatic delays take no time; source ranges do not matter.
"""

import math
from typing import Any

from simulated_instruments.keithley_2450_buffers import DEFAULT_BUFFERS
from simulated_instruments.keithley_sourcemeter import MAX_READINGS, SOURCE, quoted
from simulated_instruments.scpi import scpi
from simulated_instruments.scpi_grammar import ScpiError, boolean, integer, number, word

LONGEST_LIST = 100
AUTOMATIC = -1.0
VOLTS, AMPERES = number("V", -210.0, 210.0), number("A", -1.05, 1.05)
POINTS = integer(2, 1_000_000)
HOW = (
    number("S", AUTOMATIC, 1e4),
    integer(0, 268_435_455),
    word("AUTO", "BEST", "FIXed"),
    boolean,
    boolean,
    quoted,
)
"""Delay, count, range, whether a limit ends it, there and back, buffer."""
DEFAULTS = (AUTOMATIC, 1, "BEST", True, False, DEFAULT_BUFFERS[0])
LIST_HOW = (HOW[0], HOW[1], HOW[3], HOW[5])


class Sweeps:
    """Loads sweeps into an instrument that is `SourceMeter` and `Traces` too."""

    def _no_sweep(self) -> None:
        self.sweep: list[float] = []
        self.sweep_source = "VOLT"
        self.sweep_delay, self.sweep_aborts, self.sweep_buffer = 0.0, True, DEFAULT_BUFFERS[0]
        self.lists: dict[str, list[float]] = {"VOLT": [], "CURR": []}

    def _load(self: Any, source: str, levels: list[float], given: tuple[Any, ...]) -> None:
        delay, count, _, aborts, dual, name = given + DEFAULTS[len(given) :]
        self.buffer(name)
        self.check_count(len(levels) * (2 if dual else 1) * max(1, count))
        for level in levels:
            self.check_power(source, level)
        self.sweep = (levels + levels[::-1] if dual else levels) * max(1, count)
        self.sweep_source = source
        self.sweep_delay = max(0.0, delay)
        self.sweep_aborts, self.sweep_buffer = aborts, name

    def _linear(self, source: str, first: float, last: float, points: int, *how: Any) -> None:
        step = (last - first) / (points - 1)
        self._load(source, [first + n * step for n in range(_bounded(points))], how)

    def _step(self, source: str, first: float, last: float, step: float, *how: Any) -> None:
        if step == 0 or (last - first) / step < 0:
            raise ScpiError(-222, "the step leads away")
        points = math.floor((last - first) / step + 1e-9) + 1
        self._load(source, [first + n * step for n in range(_bounded(points))], how)

    def _logarithmic(self, source: str, first: float, last: float, points: int, *how: Any) -> None:
        if first * last <= 0:
            raise ScpiError(-222, "both ends of one sign")
        ratio = (last / first) ** (1 / (points - 1))
        self._load(source, [first * ratio**n for n in range(_bounded(points))], how)

    def _listed(self, source: str, start: int, *how: Any) -> None:
        if not 1 <= start <= len(self.lists[source]):
            raise ScpiError(-222, "the list is shorter")
        delay, count, aborts, name = how + (AUTOMATIC, 1, True, DEFAULT_BUFFERS[0])[len(how) :]
        levels = self.lists[source][start - 1 :]
        self._load(source, levels, (delay, count, "BEST", aborts, False, name))

    @scpi(SOURCE + "SWEep:VOLTage:LINear", VOLTS, VOLTS, POINTS, *HOW, required=3)
    def _linear_volts(self, *arguments: Any) -> None:
        self._linear("VOLT", *arguments)

    @scpi(SOURCE + "SWEep:CURRent:LINear", AMPERES, AMPERES, POINTS, *HOW, required=3)
    def _linear_amperes(self, *arguments: Any) -> None:
        self._linear("CURR", *arguments)

    @scpi(SOURCE + "SWEep:VOLTage:LINear:STEP", VOLTS, VOLTS, VOLTS, *HOW, required=3)
    def _step_volts(self, *arguments: Any) -> None:
        self._step("VOLT", *arguments)

    @scpi(SOURCE + "SWEep:CURRent:LINear:STEP", AMPERES, AMPERES, AMPERES, *HOW, required=3)
    def _step_amperes(self, *arguments: Any) -> None:
        self._step("CURR", *arguments)

    @scpi(SOURCE + "SWEep:VOLTage:LOG", VOLTS, VOLTS, POINTS, *HOW, required=3)
    def _logarithmic_volts(self, *arguments: Any) -> None:
        self._logarithmic("VOLT", *arguments)

    @scpi(SOURCE + "SWEep:CURRent:LOG", AMPERES, AMPERES, POINTS, *HOW, required=3)
    def _logarithmic_amperes(self, *arguments: Any) -> None:
        self._logarithmic("CURR", *arguments)

    @scpi(SOURCE + "LIST:VOLTage", *(VOLTS,) * LONGEST_LIST, required=1)
    def _list_volts(self, *levels: float) -> None:
        self.lists["VOLT"] = list(levels)

    @scpi(SOURCE + "LIST:CURRent", *(AMPERES,) * LONGEST_LIST, required=1)
    def _list_amperes(self, *levels: float) -> None:
        self.lists["CURR"] = list(levels)

    @scpi(SOURCE + "SWEep:VOLTage:LIST", integer(1, LONGEST_LIST), *LIST_HOW, required=1)
    def _listed_volts(self, *arguments: Any) -> None:
        self._listed("VOLT", *arguments)

    @scpi(SOURCE + "SWEep:CURRent:LIST", integer(1, LONGEST_LIST), *LIST_HOW, required=1)
    def _listed_amperes(self, *arguments: Any) -> None:
        self._listed("CURR", *arguments)

    @scpi("ABORt")
    def _abort(self) -> None:
        """A sweep is over as soon as it began."""

    @scpi("INITiate[:IMMediate]")
    def _initiate(self: Any) -> None:
        if not self.sweep:
            raise ScpiError(-200, "no trigger model")
        if self.sweep_source != self.source:
            raise ScpiError(-221, "the sweep is of the other source function")
        for level in self.sweep:
            self.check_power(self.source, level)  # the limit may be another than at loading
        buffer = self.buffer(self.sweep_buffer)
        attribute = "level_volts" if self.source == "VOLT" else "level_amperes"
        self.output = True
        self.settings_changed()
        for level in self.sweep:
            self.channel.set(**{attribute: level})
            self.station.clock.advance(self.sweep_delay + self.settings[f"delay_{self.source}"])
            point = self.point()
            buffer.append(point)
            if point.reading.in_compliance and self.sweep_aborts:
                break
        self.output = False
        self.settings_changed()


def _bounded(points: int) -> int:
    """As many, unless that would be too many for one message."""
    if points > MAX_READINGS:
        raise ScpiError(-221, f"more than {MAX_READINGS} readings")
    return points
