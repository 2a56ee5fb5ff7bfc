"""One SMU channel: its source, its limits, its measurements, and what they do to the cell.

A level that the source holds while the clock advances is a pulse for the cell, however slow; the
cell gets it when the level changes, at a measurement, before a trigger leaves, and when the output
goes off. Left out: settling times, autozero conversions, filters and the interlock.
"""

import math
from dataclasses import dataclass

from crossbar.units import Amperes, Seconds, Volts
from simulated_instruments.clock import VirtualClock
from simulated_instruments.smu_ratings import SmuRatings
from simulated_instruments.smu_settings import (
    DCVOLTS,
    REL_SETTINGS,
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
VOLTAGE_LIMITED, CURRENT_LIMITED, READING_OVERFLOW, BUFFER_AVAILABLE = 0x01, 0x02, 0x80, 0x100
STATUS_FOUR_WIRE, STATUS_RELATIVE, STATUS_COMPLIANCE = 0x10, 0x20, 0x40
LEVELS = {"levelv": "v", "leveli": "i"}
POLARITY_CHANGE: Seconds = 100e-6
"""A sweep's step to a negative level loses this much at a bias of exactly 0, which counts as
positive; a bias of -1e-18 does not (reference manual)."""
SWEEP_LIMIT_SHARE = 0.1
"""In a sweep the limit's range is that of the larger limit, and no limit below this share of the
range is enforced."""
FIXED_IN_SWEEP = {"func", "rangev", "rangei", "autorangev", "autorangei"}
OPERATION_RUNS = 5042
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
        self.offsets = Settings(REL_SETTINGS, errors)
        """``measure.rel``."""
        self.wiring = Settings({"sense": choice(0, 0, 1, 3)}, errors)
        self.buffers = (ReadingBuffer(errors), ReadingBuffer(errors))
        self._point: OperatingPoint | None = None
        self._noted = 0
        """Condition bits of the last measurement."""
        self._settled_at = clock.now
        self._sweeping = False
        self._sweep_level: float | None = None
        """What a sweep sources instead of the level (the bias)."""
        self._sweep_limits = {"i": 0.0, "v": 0.0}
        """Limits of the sweep; 0 is LIMIT_AUTO, the normal limit."""

    def reset(self) -> None:
        """Output off, everything back to its default. The buffers keep their readings."""
        self.end_sweep(hold=False)
        for settings in (self.source, self.measuring, self.offsets, self.wiring):
            settings.reset()
        self._point = None
        self._noted = 0

    def settle(self) -> None:
        """Let the cell feel what the source held since the last call."""
        held = self.clock.now - self._settled_at
        if held <= 0:
            return
        self._settled_at = self.clock.now
        if self.source["output"] and self._level():
            if self.source["func"] == DCVOLTS:
                voltage = self._level()
                self.terminals.hold(voltage, held, self._current_limit(voltage))
            else:
                self.terminals.hold(self._operate().voltage, held, abs(self._level()))

    def set_source(self, name: str, value: float) -> None:
        """Set an attribute of ``source``; what was sourced until now takes effect first."""
        if self._sweeping and name in FIXED_IN_SWEEP:
            self.errors.report(OPERATION_RUNS)
            return
        self.settle()
        self._point = None
        if name in ("rangev", "rangei"):
            self._set_range(self.source, name, value)
        else:
            self.source.set(name, value)
        if name == "output" and self.source["output"] == 2:  # HIGH_Z reads back as off
            self.source.values["output"] = 0.0
        if not self._sweeping and (name in LEVELS or name == "func" or not self.source["output"]):
            self._leave_sweep_level()  # what a finished sweep left on the output
        if (name in LEVELS or name == "output") and self.source["delay"] > 0:
            self.clock.advance(self.source["delay"])

    @property
    def sweeping(self) -> bool:
        """Whether a trigger model has it."""
        return self._sweeping

    def begin_sweep(self, limit_current: Amperes, limit_voltage: Volts) -> None:
        """A trigger model leaves idle; limits of 0 keep the normal ones."""
        self.settle()
        self._sweeping = True
        self._sweep_limits = {"i": limit_current, "v": limit_voltage}

    def sweep_to(self, level: float | None) -> None:
        """Source a sweep's level, or None for the bias; in range by `TriggerModel`'s checks."""
        self.settle()
        self._point = None
        if level is None:
            self._leave_sweep_level()
            return
        turns_negative = level < 0 and self._level() == 0
        self._sweep_level = level
        if turns_negative:
            self._settled_at = self.clock.now + POLARITY_CHANGE
        if self.source["delay"] > 0:
            self.clock.advance(self.source["delay"])

    def end_sweep(self, *, hold: bool) -> None:
        """Back to the normal limits and to the bias, unless the last level is to be held."""
        self.settle()
        self._point = None
        self._sweeping = False
        self._sweep_limits = {"i": 0.0, "v": 0.0}
        if not hold:
            self._leave_sweep_level()

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
        point = self._present_point()
        self._note(point, self._noted & READING_OVERFLOW)
        return point.in_compliance

    def condition(self) -> int:
        """``status.measurement.instrument.smuX.condition``: what the last measurement, or reading
        of the compliance, found; and whether a dedicated buffer holds readings.
        """
        return self._noted | (BUFFER_AVAILABLE if any(b.values for b in self.buffers) else 0)

    def _note(self, point: OperatingPoint, overflow: int) -> None:
        limit = CURRENT_LIMITED if self.source["func"] == DCVOLTS else VOLTAGE_LIMITED
        self._noted = overflow | (limit if point.in_compliance else 0)

    def measure(
        self,
        quantities: str,
        buffers: tuple[ReadingBuffer | None, ...] = (),
        *,
        begin: bool = True,
    ) -> tuple[float, ...]:
        """Measure "i", "v", "r", "p" or several at once, and return the last reading of each.

        With a buffer, ``measure.count`` readings are made and stored; without one, one. A sweep's
        points do not ``begin`` their buffers anew.
        """
        kept = [buffer for buffer in buffers if buffer is not None]
        for filled in kept if begin else ():
            filled.begin()
        last: tuple[float, ...] = ()
        started = self.clock.now
        for number in range(int(self.measuring["count"]) if kept else 1):
            due = started + number * self.measuring["interval"]
            self.clock.advance(max(0.0, due - self.clock.now))
            self.settle()
            self._wait_for_reading()
            point = self._point = self._operate()
            last = tuple(self._reading(quantity, point) for quantity in quantities)
            self._note(point, READING_OVERFLOW if OVERFLOW in map(abs, last) else 0)
            for quantity, buffer, value in zip(quantities, buffers, last, strict=False):
                if buffer is not None:
                    status = self._status(point, quantity)
                    buffer.append(value, self.clock.now, status, self._level())
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
            return self._force_current(self._level())
        voltage = self._level()
        current, limit = self.terminals.current(voltage), self._current_limit(voltage)
        if abs(current) <= limit:
            return OperatingPoint(voltage, current, False)
        clamped = math.copysign(limit, current)
        return OperatingPoint(voltage * limit / abs(current), clamped, True)

    def _force_current(self, level: Amperes) -> OperatingPoint:
        """The voltage at which the cell draws the level: it conducts more at a higher voltage, so
        scaling by the ratio converges. An open circuit ends at the voltage limit.
        """
        limit = math.copysign(self._limit("v"), level)
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
        value = self._measured(quantity, point)
        relative = self.offsets[f"enable{quantity}"] and abs(value) < OVERFLOW
        return value - self.offsets[f"level{quantity}"] if relative else value

    def _measured(self, quantity: str, point: OperatingPoint) -> float:
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

    def _status(self, point: OperatingPoint, quantity: str) -> int:
        return (
            (STATUS_FOUR_WIRE if self.wiring["sense"] else 0)
            | (STATUS_RELATIVE if self.offsets[f"enable{quantity}"] else 0)
            | (STATUS_COMPLIANCE if point.in_compliance else 0)
        )

    def _level(self) -> float:
        if self._sweep_level is not None:
            return self._sweep_level
        return self.source["levelv" if self.source["func"] == DCVOLTS else "leveli"]

    def _leave_sweep_level(self) -> None:
        self._sweep_level = None
        self._settled_at = min(self._settled_at, self.clock.now)

    def _limit(self, quantity: str) -> float:
        """The limit that holds now: a sweep may bring its own, and coarsens the normal one."""
        normal, swept = self.source[f"limit{quantity}"], self._sweep_limits[quantity]
        if not swept:
            return normal
        if self._sweep_level is not None:
            normal, swept = swept, normal
        full_scale = fitting_range(self._ranges(quantity), max(normal, swept))
        return max(normal, SWEEP_LIMIT_SHARE * full_scale)

    def _current_limit(self, voltage: Volts) -> Amperes:
        power = self.source["limitp"]
        limit = self._limit("i")
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
        ranges = self._ranges(name[-1])
        if settings is self.measuring and name == "rangei":
            ranges = self.ratings.measured_current_ranges
        settings.values[name] = fitting_range(ranges, value)
        settings.values[f"auto{name}"] = 0.0
