"""KXCI's system mode: pages for channels (``DE``), sources (``SS``), measurements (``SM``), runs
(``MD``), and ``DO`` and ``RD``, which give the data.

As far as Keithley's published SMU examples use it. The order of ``VP``'s numbers (start, step,
steps, compliance) is the 4145's; that sources go off when a run is over is ours.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np

from crossbar.units import Seconds
from simulated_instruments.clock import VirtualClock
from simulated_instruments.keithley_4200a_smu import MAX_CURRENT, MAX_VOLTAGE, SMUS, KxciSmus
from simulated_instruments.keithley_4200a_syntax import (
    Arguments,
    Handler,
    KxciError,
    counted,
    name,
    real,
    whole,
)

VOLTAGE_SOURCE, CURRENT_SOURCE, COMMON = 1, 2, 3
VAR1, VAR2, CONSTANT, VAR1_PRIME = 1, 2, 3, 4
"""``VAR1'`` follows VAR1, by a ratio and an offset."""
LONGEST_HOLD: Seconds = 655.3
LONGEST_DELAY: Seconds = 6.553
MAX_POINTS = 4096
MAX_STEPS = 32
"""Steps of ``VP`` and ``IP``."""
POINTS_PER_DECADE = {2: 10, 3: 25, 4: 50}
POLL_TIME: Seconds = 1.0
POLL_POINTS = 100
"""How far a run gets between two polls of ``SP``. Ours."""
LIMITS = {"V": (MAX_VOLTAGE, MAX_CURRENT), "I": (MAX_CURRENT, MAX_VOLTAGE)}
"""Largest level and largest compliance by what is sourced."""


@dataclass
class Definition:
    """A channel on the ``DE`` page."""

    voltage_name: str
    current_name: str
    mode: int
    function: int


class SystemMode:
    """Definitions, source set-ups, and what a run measured."""

    def __init__(
        self, smus: KxciSmus, route: Callable[[Arguments], None], clock: VirtualClock
    ) -> None:
        self.smus = smus
        self.clock = clock
        self._route = route
        self.reset()

    def reset(self) -> None:
        """No channel defined, no data."""
        self.definitions: dict[int, Definition] = {}
        self.var1: tuple[np.ndarray, float] | None = None
        self.var2: tuple[np.ndarray, float] | None = None
        self.lists: dict[int, tuple[np.ndarray, float]] = {}
        self.constants: dict[int, tuple[float, float]] = {}
        self.ratios: dict[int, float] = {}
        self.offsets: dict[int, float] = {}
        self.hold = self.delay = 0.0
        self.readings = 1
        self.listed: tuple[str, ...] = ()
        self._run: Iterator[None] | None = None
        self.clear()

    def clear(self) -> None:
        """Forget the data."""
        self.data: dict[str, list[tuple[str, float]]] = {}
        self.ready = False

    @property
    def running(self) -> bool:
        """Whether a run is under way."""
        return self._run is not None

    @property
    def handlers(self) -> dict[str, dict[str, Handler]]:
        """The commands of each page."""
        ignored: Handler = lambda arguments: None  # noqa: E731
        return {
            "DE": {"CH": self._define},
            "SS": {
                "VR": lambda arguments: self._sweep("V", arguments),
                "IR": lambda arguments: self._sweep("I", arguments),
                "VP": lambda arguments: self._steps("V", arguments),
                "IP": lambda arguments: self._steps("I", arguments),
                "VC": lambda arguments: self._constant("V", arguments),
                "IC": lambda arguments: self._constant("I", arguments),
                "VL": lambda arguments: self._list("V", arguments),
                "IL": lambda arguments: self._list("I", arguments),
                "RT": lambda arguments: self._follow(self.ratios, 10.0, arguments),
                "FS": lambda arguments: self._follow(self.offsets, MAX_VOLTAGE, arguments),
                "HT": self._set_hold,
                "DT": self._set_delay,
                "ST": self._set_standby,
                "RP": self._route,
                "IT": self.smus.set_integration,
                "RS": self.smus.set_digits,
                "RG": self.smus.set_lowest_range,
            },
            # How data are shown on the mainframe's own screen changes nothing here.
            "SM": {
                "DM": lambda a: self._check(whole(counted(a, 1)[0], 1, 2)),
                "LI": self._set_listed,
                "NR": self._set_readings,
                "SR": self.smus.set_lowest_range,
                "XN": ignored,
                "XT": ignored,
                "YA": ignored,
                "YB": ignored,
            },
            "MD": {"ME": self._measure, "LI": self._set_listed},
        }

    @staticmethod
    def _check(_: object) -> None:
        """A value that only had to be in its range."""

    def _define(self, arguments: Arguments) -> None:
        """``CH1,'V1','I1',mode,function``; ``CH1`` alone takes the channel out."""
        number = whole(counted(arguments, 1, 5)[0], 1, SMUS)
        if len(arguments) == 1:
            self.definitions.pop(number, None)
            return
        _, voltage, current, mode, function = counted(arguments, 5)
        taken = {
            used
            for other, d in self.definitions.items()
            if other != number
            for used in (d.voltage_name, d.current_name)
        }
        names = name(voltage), name(current)
        if names[0] == names[1] or taken & set(names):
            raise KxciError("a name is used twice")
        self.definitions[number] = Definition(
            *names, whole(mode, VOLTAGE_SOURCE, COMMON), whole(function, VAR1, VAR1_PRIME)
        )

    def _sweep(self, kind: str, arguments: Arguments) -> None:
        """``VR1,start,stop,step,compliance``, or ``VR2`` to ``VR4`` for logarithmic sweeps.

        The compliance may be left out, as in a published example; the largest is then taken (ours).
        """
        spacing = whole(counted(arguments, 3, 5)[0], 1, 4)
        level, compliance = LIMITS[kind]
        start, stop = (real(text, -level, level) for text in arguments[1:3])
        last = 4 if spacing == 1 else 3
        counted(arguments, last, last + 1)
        given = len(arguments) > last
        limit = real(arguments[last], -compliance, compliance) if given else compliance
        if spacing == 1:
            step = abs(real(arguments[3], -2 * level, 2 * level))
            if step == 0 or abs(stop - start) / step > MAX_POINTS - 1:
                raise KxciError(f"a sweep has at most {MAX_POINTS} points")
            count = int(abs(stop - start) / step + 1e-6) + 1
            values = start + np.sign(stop - start) * step * np.arange(count)
        else:
            if start * stop <= 0:
                raise KxciError("a logarithmic sweep does not pass through 0")
            decades = np.log10(stop / start)
            count = int(abs(decades) * POINTS_PER_DECADE[spacing] + 1e-6) + 1
            places = np.arange(count) / POINTS_PER_DECADE[spacing]
            values = start * 10.0 ** (np.sign(decades) * places)
        self.var1 = values, limit

    def _steps(self, kind: str, arguments: Arguments) -> None:
        """``VP start,step,steps,compliance``."""
        level, compliance = LIMITS[kind]
        start, step, steps, limit = counted(arguments, 4)
        count = whole(steps, 1, MAX_STEPS)
        values = real(start, -level, level) + real(step, -level, level) * np.arange(count)
        if np.abs(values).max() > level:
            raise KxciError("a step is beyond the source's range")
        self.var2 = values, real(limit, -compliance, compliance)

    def _constant(self, kind: str, arguments: Arguments) -> None:
        """``VC1,value,compliance``."""
        level, compliance = LIMITS[kind]
        number, value, limit = counted(arguments, 3)
        self.constants[whole(number, 1, SMUS)] = (
            real(value, -level, level),
            real(limit, -compliance, compliance),
        )

    def _list(self, kind: str, arguments: Arguments) -> None:
        """``VL1,master,compliance,v1,v2,...``."""
        if not 4 <= len(arguments) <= 3 + MAX_POINTS:
            raise KxciError(f"a list has 1 to {MAX_POINTS} points")
        level, compliance = LIMITS[kind]
        number = whole(arguments[0], 1, SMUS)
        whole(arguments[1], 0, 1)
        values = np.array([real(text, -level, level) for text in arguments[3:]])
        self.lists[number] = values, real(arguments[2], -compliance, compliance)

    def _set_hold(self, arguments: Arguments) -> None:
        self.hold = real(counted(arguments, 1)[0], 0.0, LONGEST_HOLD)

    def _set_delay(self, arguments: Arguments) -> None:
        self.delay = real(counted(arguments, 1)[0], 0.0, LONGEST_DELAY)

    def _set_standby(self, arguments: Arguments) -> None:
        """``ST1,1``: off after the run, which holds here for every channel."""
        number, state = counted(arguments, 2)
        whole(number, 1, SMUS)
        whole(state, 0, 1)

    def _set_listed(self, arguments: Arguments) -> None:
        """``LI 'I1','V1'``: what is kept, in addition to what was listed before."""
        self.listed += tuple(name(text) for text in counted(arguments, 1, 3 * SMUS))

    def _set_readings(self, arguments: Arguments) -> None:
        """``NR 500``: how often to read where nothing is swept."""
        self.readings = whole(counted(arguments, 1)[0], 1, MAX_POINTS)

    def _follow(self, stored: dict[int, float], largest: float, arguments: Arguments) -> None:
        """``RT ratio,ch`` and ``FS offset,ch``; without a channel for all."""
        value = real(counted(arguments, 1, 2)[0], -largest, largest)
        chosen = [whole(arguments[1], 1, SMUS)] if len(arguments) == 2 else range(1, SMUS + 1)
        stored.update(dict.fromkeys(chosen, value))

    def _measure(self, arguments: Arguments) -> None:
        """``ME1`` run anew, ``ME2`` repeat, ``ME3`` append, ``ME4`` stop."""
        kind = whole(counted(arguments, 1)[0], 1, 4)
        if kind == 4:
            self._run = None
            self._off()
            return
        if self.running:
            raise KxciError("a test is running")
        points = self._points()
        if kind != 3:
            self.clear()
        self.ready = False
        self._run = self._points_measured(points)

    def go_on(self) -> None:
        """Let time pass for a run, as much as a client waits between polls."""
        until = self.clock.now + POLL_TIME
        for _ in range(POLL_POINTS):
            if self._run is None or self.clock.now >= until:
                return
            if next(self._run, self) is self:
                self._run = None
                self.ready = True
                self._off()

    def _off(self) -> None:
        for _, channel in self.smus:
            self.smus.off(channel)

    def _points(self) -> list[dict[int, tuple[float, float]]]:
        """Level and compliance by channel, point after point. Raises KxciError."""
        if not self.definitions:
            raise KxciError("no channel is defined")
        steps = self._values(VAR2, self.var2)
        lists = {n: v for n, v in self.lists.items() if n in self.definitions}
        inner = next(iter(lists.values()), None) or self._values(VAR1, self.var1)
        points = []
        for step in steps[0]:
            for place, value in enumerate(inner[0]):
                point = {}
                for number, definition in self.definitions.items():
                    if number in lists:
                        values, limit = lists[number]
                        point[number] = float(values[min(place, len(values) - 1)]), limit
                    elif definition.function == VAR1:
                        point[number] = float(value), inner[1]
                    elif definition.function == VAR1_PRIME:
                        point[number] = self._primed(number, float(value)), inner[1]
                    elif definition.function == VAR2:
                        point[number] = float(step), steps[1]
                    else:
                        point[number] = self.constants.get(number, (0.0, MAX_CURRENT))
                points.append(point)
        return points

    def _primed(self, number: int, value: float) -> float:
        followed = self.ratios.get(number, 1.0) * value + self.offsets.get(number, 0.0)
        return min(max(followed, -MAX_VOLTAGE), MAX_VOLTAGE)

    def _values(
        self, function: int, given: tuple[np.ndarray, float] | None
    ) -> tuple[np.ndarray, float]:
        """The values of VAR1 or VAR2; one of no effect where no channel has this function."""
        functions = {d.function for n, d in self.definitions.items() if n not in self.lists}
        if function not in functions:
            return np.zeros(self.readings if function == VAR1 else 1), MAX_CURRENT
        if given is None:
            raise KxciError(f"VAR{function} is not set up")
        return given

    def _points_measured(self, points: list[dict[int, tuple[float, float]]]) -> Iterator[None]:
        """Source and measure point after point; yields after each."""
        started, definitions = self.clock.now, dict(self.definitions)
        for place, point in enumerate(points):
            for number, (level, limit) in point.items():
                channel = self.smus.channels[number]
                if definitions[number].mode == CURRENT_SOURCE:
                    self.smus.source_current(channel, level, limit)
                else:
                    grounded = definitions[number].mode == COMMON
                    self.smus.source_voltage(channel, 0.0 if grounded else level, limit)
            self.clock.advance(self.delay + (self.hold if place == 0 else 0.0))
            for number in point:
                self._store(number, definitions[number], started)
            yield

    def _store(self, number: int, definition: Definition, started: Seconds) -> None:
        reading = self.smus.channels[number].measure(self.smus.integration)
        status = self.smus.status_of(number, reading)
        values = {
            definition.voltage_name: reading.voltage,
            definition.current_name: reading.current,
            f"CH{number}T": reading.time - started,
        }
        for variable, value in values.items():
            if not self.listed or variable in self.listed or variable.startswith("CH"):
                self.data.setdefault(variable, []).append((status, value))

    def get_all(self, arguments: Arguments) -> str:
        """``DO 'I1'``: status and value of every reading, between commas."""
        readings = self._variable(counted(arguments, 1)[0])
        return ",".join(f"{status}{self.smus.text(value)}" for status, value in readings)

    def get_one(self, arguments: Arguments) -> str:
        """``RD 'I1',3``: the third value, or 0 beyond the last."""
        variable, place = counted(arguments, 2)
        readings = self._variable(variable)
        index = whole(place, 1, 10**6)
        return self.smus.text(readings[index - 1][1]) if index <= len(readings) else "0"

    def _variable(self, text: str) -> list[tuple[str, float]]:
        wanted = name(text)
        known = chain.from_iterable(
            (d.voltage_name, d.current_name, f"CH{n}T") for n, d in self.definitions.items()
        )
        if wanted not in self.data and wanted not in set(known):
            raise KxciError(f"there is no variable {wanted}")
        return self.data.get(wanted, [])
