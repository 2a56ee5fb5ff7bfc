"""One channel of an SCPI source-measure unit: its operating point, and what it does to the cell.

The command sets differ from maker to maker; this is what lies behind them. A level that is held
while the clock advances is a pulse for the cell, and the limit of the other quantity clamps.
"""

import math
from dataclasses import dataclass
from typing import Any

from crossbar.units import Amperes, Seconds, Volts
from simulated_instruments.clock import VirtualClock
from simulated_instruments.scpi import ScpiInstrument, Setting, command
from simulated_instruments.scpi_grammar import Parameter, ScpiError, real
from simulated_instruments.smu_terminals import Terminals

READING_OVERHEAD: Seconds = 1e-4
"""On top of the integration time. Ours."""
MAX_SOURCE_STEPS = 20
"""Steps of the search for the voltage that drives a sourced current through a cell."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Where the source and the cell met."""

    voltage: Volts
    current: Amperes
    in_compliance: bool
    time: Seconds
    sourced: float


class ScpiSmuChannel:
    """Source, limits and measurement of one channel."""

    def __init__(self, terminals: Terminals, clock: VirtualClock, current_limit: Amperes) -> None:
        self.terminals = terminals
        self.clock = clock
        self.default_current_limit = current_limit
        self.last: Reading | None = None
        """The reading at the present level; None once something was changed."""
        self._settled_at = clock.now
        self._defaults()

    def reset(self) -> None:
        """Output off, levels 0, limits as after power-on."""
        self.settle()
        self._defaults()

    def _defaults(self) -> None:
        self.output = False
        self.sources_voltage = True
        self.level_volts: Volts = 0.0
        self.level_amperes: Amperes = 0.0
        self.limit_amperes = self.default_current_limit
        self.limit_volts: Volts = 2.0
        self.last = None

    @property
    def level(self) -> float:
        """The level of the quantity that is sourced."""
        return self.level_volts if self.sources_voltage else self.level_amperes

    def set(self, **values: float | bool) -> None:
        """Change attributes; what was sourced until now takes effect on the cell first."""
        self.settle()
        for name, value in values.items():
            setattr(self, name, value)
        self.last = None

    def settle(self) -> None:
        """Let the cell feel what the source held since the last call."""
        held, self._settled_at = self.clock.now - self._settled_at, self.clock.now
        if held > 0 and self.output and self.level:
            if self.sources_voltage:
                self.terminals.hold(self.level_volts, held, self.limit_amperes)
            else:
                self.terminals.hold(self._operate().voltage, held, abs(self.level_amperes))

    def measure(self, integration: Seconds) -> Reading:
        """One reading; the level is held meanwhile."""
        self.clock.advance(integration + READING_OVERHEAD)
        self.settle()
        self.last = self._operate()
        return self.last

    def in_compliance(self) -> bool:
        """Whether the source is clamped at this moment."""
        self.settle()
        self.last = self.last or self._operate()
        return self.last.in_compliance

    def _operate(self) -> Reading:
        if not self.output:
            return self._reading(0.0, 0.0, False)
        if not self.sources_voltage:
            return self._force_current()
        voltage = self.level_volts
        current = self.terminals.current(voltage)
        if abs(current) <= self.limit_amperes:
            return self._reading(voltage, current, False)
        clamped = math.copysign(self.limit_amperes, current)
        return self._reading(voltage * self.limit_amperes / abs(current), clamped, True)

    def _force_current(self) -> Reading:
        """Scaling by the ratio converges, since a cell conducts more at a higher voltage."""
        level = self.level_amperes
        if level == 0:
            return self._reading(0.0, 0.0, False)
        limit = math.copysign(self.limit_volts, level)
        voltage = math.copysign(min(abs(limit), 0.1), level)
        for _ in range(MAX_SOURCE_STEPS):
            current = self.terminals.current(voltage)
            if abs(current) * abs(limit) <= abs(level) * abs(voltage):
                return self._reading(limit, self.terminals.current(limit), True)
            step = level / current
            voltage *= step
            if abs(step - 1) < 0.02:  # within a few times the noise of a reading
                break
        return self._reading(voltage, level, False)

    def _reading(self, voltage: Volts, current: Amperes, in_compliance: bool) -> Reading:
        return Reading(voltage, current, in_compliance, self.clock.now, self.level)


class ChannelSetting(Setting):
    """A setting that each of ``count`` channels has; its header begins with their number."""

    def __init__(
        self, declaration: str, parameter: Parameter, default: object, *, count: int = 2
    ) -> None:
        super().__init__(declaration, parameter, (default,) * count)
        self.scpi_commands = (
            command(declaration, (parameter,), self._change_one),
            command(declaration + "?", (), self._answer_one),
        )

    def _change_one(self, instrument: ScpiInstrument, channel: int, value: object) -> None:
        instrument.check_channel(channel)  # type: ignore[attr-defined]
        before = instrument.settings[self.name]
        values = list(before)
        values[channel - 1] = value
        instrument.settings[self.name] = tuple(values)
        try:
            instrument.check_settings()
        except ScpiError:
            instrument.settings[self.name] = before
            raise
        instrument.settings_changed()

    def _answer_one(self, instrument: ScpiInstrument, channel: int) -> str:
        instrument.check_channel(channel)  # type: ignore[attr-defined]
        value: Any = instrument.settings[self.name][channel - 1]
        if isinstance(value, bool):
            return "1" if value else "0"
        return real(value) if isinstance(value, float) else str(value)
