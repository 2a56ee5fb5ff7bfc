"""One SMU channel: its source, its limits, its measurements, and what they do to the cell.

A level that the source holds while the clock advances is a pulse for the cell, however slow; the
cell gets it when the level changes, at a measurement, before a trigger leaves, and when the output
goes off. Left out: settling times, autozero conversions, filters, the interlock, the trigger model
(`SmuChannel.measure` is what a sweep would call), and the quirk that a negative pulse from a bias
of exactly 0 V is 100 µs short on the real instrument.
"""

import math
from dataclasses import dataclass

from crossbar.units import Amperes, Seconds, Volts
from simulated_instruments.clock import VirtualClock
from simulated_instruments.smu_ratings import SmuRatings
from simulated_instruments.smu_settings import (
    DCVOLTS,
    fitting_range,
    measure_settings,
    source_settings,
)
from simulated_instruments.smu_terminals import Terminals
from simulated_instruments.tsp_buffers import ReadingBuffer
from simulated_instruments.tsp_errors import ErrorQueue
from simulated_instruments.tsp_settings import Settings, choice

OVERFLOW = 9.91e37
READING_OVERHEAD: Seconds = 1e-4
"""On top of the integration time: 7,000 source-measure points a second at 0.001 NPLC."""
OVERRANGE = 1.02
"""Readings reach 102 % of their range."""
TOO_BIG_FOR_RANGE = 5005
VOLTAGE_LIMITED, CURRENT_LIMITED = 0x01, 0x02
STATUS_FOUR_WIRE, STATUS_COMPLIANCE = 0x10, 0x40
LEVELS = {"levelv": "v", "leveli": "i"}
MAX_SOURCE_STEPS = 20
"""Steps of the search for the voltage that drives a sourced current through a cell."""


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """Where the source and the cell meet."""

    voltage: Volts
    current: Amperes
    in_compliance: bool


SWITCHED_OFF = OperatingPoint(0.0, 0.0, False)


class SmuChannel:
    """``smua`` or ``smub``, without its TSP names."""

    def __init__(
        self,
        *,
        ratings: SmuRatings,
        terminals: Terminals,
        clock: VirtualClock,
        errors: ErrorQueue,
        line_frequency: float,
    ) -> None:
        self.ratings = ratings
        self.terminals = terminals
        self.clock = clock
        self.errors = errors
        self.line_frequency = line_frequency
        self.source = Settings(source_settings(ratings), errors, accept=self._fits_range)
        self.measuring = Settings(measure_settings(ratings), errors)
        self.wiring = Settings({"sense": choice(0, 0, 1, 3)}, errors)
        self.buffers = (ReadingBuffer(errors), ReadingBuffer(errors))
        self._point: OperatingPoint | None = None
        self._settled_at = clock.now

    def reset(self) -> None:
        """Output off, everything back to its default. The buffers keep their readings."""
        self.settle()
        for settings in (self.source, self.measuring, self.wiring):
            settings.reset()
        self._point = None

    def settle(self) -> None:
        """Let the cell feel what the source held since the last call."""
        held, self._settled_at = self.clock.now - self._settled_at, self.clock.now
        if held > 0 and self.source["output"] and self._level():
            if self.source["func"] == DCVOLTS:
                voltage = self.source["levelv"]
                self.terminals.hold(voltage, held, self._current_limit(voltage))
            else:
                self.terminals.hold(self._operate().voltage, held, abs(self.source["leveli"]))

    def set_source(self, name: str, value: float) -> None:
        """Set an attribute of ``source``; what was sourced until now takes effect first."""
        self.settle()
        self._point = None
        if name in ("rangev", "rangei"):
            self._set_range(self.source, name, value)
        else:
            self.source.set(name, value)
        if name == "output" and self.source["output"] == 2:  # HIGH_Z reads back as off
            self.source.values["output"] = 0.0
        if (name in LEVELS or name == "output") and self.source["delay"] > 0:
            self.clock.advance(self.source["delay"])

    def set_measuring(self, name: str, value: float) -> None:
        """Set an attribute of ``measure``."""
        if name in ("rangev", "rangei"):
            self._set_range(self.measuring, name, value)
        else:
            self.measuring.set(name, value)

    def source_range(self, quantity: str) -> float:
        """``source.rangev`` or ``rangei``: full scale, chosen by the level under autorange."""
        if not self.source[f"autorange{quantity}"]:
            return self.source[f"range{quantity}"]
        return fitting_range(self._ranges(quantity), self.source[f"level{quantity}"])

    def in_compliance(self) -> bool:
        """``source.compliance``: whether the source is clamped, at this moment."""
        return self._present_point().in_compliance

    def condition(self) -> int:
        """``status.measurement.instrument.smuX.condition``: bit 0 volts, bit 1 current limited."""
        if not self.in_compliance():
            return 0
        return CURRENT_LIMITED if self.source["func"] == DCVOLTS else VOLTAGE_LIMITED

    def measure(
        self, quantities: str, buffers: tuple[ReadingBuffer | None, ...] = ()
    ) -> tuple[float, ...]:
        """Measure "i", "v", "r", "p" or several at once, and return the last reading of each.

        With a buffer, ``measure.count`` readings are made and stored; without one, one.
        """
        kept = [buffer for buffer in buffers if buffer is not None]
        for filled in kept:
            filled.begin()
        last: tuple[float, ...] = ()
        for _ in range(int(self.measuring["count"]) if kept else 1):
            self.settle()
            self._wait_for_reading()
            point = self._point = self._operate()
            last = tuple(self._reading(quantity, point) for quantity in quantities)
            for buffer, value in zip(buffers, last, strict=False):
                if buffer is not None:
                    buffer.append(value, self.clock.now, self._status(point), self._level())
        return last

    def _wait_for_reading(self) -> None:
        """Delay, integration and overhead; DELAY_AUTO (-1) counts as none."""
        integration = self.measuring["nplc"] / self.line_frequency
        self.clock.advance(max(0.0, self.measuring["delay"]) + integration + READING_OVERHEAD)

    def _operate(self) -> OperatingPoint:
        """Source, cell and limit, with the noise of one reading."""
        if not self.source["output"]:
            return SWITCHED_OFF
        if self.source["func"] != DCVOLTS:
            return self._force_current(self.source["leveli"])
        voltage = self.source["levelv"]
        current, limit = self.terminals.current(voltage), self._current_limit(voltage)
        if abs(current) <= limit:
            return OperatingPoint(voltage, current, False)
        clamped = math.copysign(limit, current)
        return OperatingPoint(voltage * limit / abs(current), clamped, True)

    def _force_current(self, level: Amperes) -> OperatingPoint:
        """The voltage at which the cell draws the level: it conducts more at a higher voltage, so
        scaling by the ratio converges. An open circuit ends at the voltage limit.
        """
        limit = math.copysign(self.source["limitv"], level)
        if level == 0:
            return SWITCHED_OFF
        voltage = math.copysign(min(abs(limit), 0.1), level)
        for _ in range(MAX_SOURCE_STEPS):
            current = self.terminals.current(voltage)
            if abs(current) * abs(limit) <= abs(level) * abs(voltage):
                return OperatingPoint(limit, self.terminals.current(limit), True)
            step = level / current
            voltage *= step
            if abs(step - 1) < 0.02:  # within a few times the noise of a reading
                break
        return OperatingPoint(voltage, level, False)

    def _reading(self, quantity: str, point: OperatingPoint) -> float:
        if quantity == "r":
            return point.voltage / point.current if point.current else OVERFLOW
        if quantity == "p":
            return point.voltage * point.current
        value = point.current if quantity == "i" else point.voltage
        full_scale = self.measuring[f"range{quantity}"]
        if not self.measuring[f"autorange{quantity}"] and abs(value) > OVERRANGE * full_scale:
            return math.copysign(OVERFLOW, value)
        return value

    def _present_point(self) -> OperatingPoint:
        if self._point is None:
            self.settle()
            self._point = self._operate()
        return self._point

    def _status(self, point: OperatingPoint) -> int:
        four_wire = STATUS_FOUR_WIRE if self.wiring["sense"] else 0
        return four_wire | (STATUS_COMPLIANCE if point.in_compliance else 0)

    def _level(self) -> float:
        return self.source["levelv" if self.source["func"] == DCVOLTS else "leveli"]

    def _current_limit(self, voltage: Volts) -> Amperes:
        power = self.source["limitp"]
        limit = self.source["limiti"]
        return min(limit, power / abs(voltage)) if power and voltage else limit

    def _ranges(self, quantity: str) -> tuple[float, ...]:
        return self.ratings.voltage_ranges if quantity == "v" else self.ratings.current_ranges

    def _fits_range(self, name: str, value: float) -> int:
        """A level may reach 101 % of a range that was set by hand."""
        quantity = LEVELS.get(name)
        if quantity is None or self.source[f"autorange{quantity}"]:
            return 0
        return TOO_BIG_FOR_RANGE if abs(value) > 1.01 * self.source[f"range{quantity}"] else 0

    def _set_range(self, settings: Settings, name: str, value: float) -> None:
        """The smallest range that holds the value; this ends autoranging."""
        if code := settings.table[name].complaint(value):
            self.errors.report(code)
            return
        settings.values[name] = fitting_range(self._ranges(name[-1]), value)
        settings.values[f"auto{name}"] = 0.0
