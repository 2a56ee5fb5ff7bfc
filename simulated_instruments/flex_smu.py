"""The SMU modules of a B1500A: their ranges, their switches, and spot commands (``DV``, ``TI``).

The first SMU is wired to the cell, the others have nothing at their terminals. Ranges after
PyMeasure's tables, limits of current over voltage after the data sheet from memory. The interlock
is open: more than 42 V is refused.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from crossbar.units import Amperes, Seconds, Volts
from simulated_instruments.clock import VirtualClock
from simulated_instruments.flex_grammar import (
    CHANNEL,
    COMPLIANCE,
    INTERLOCK,
    NOT_HERE,
    RANGE,
    SWITCH_OPEN,
    VALUE,
    FlexError,
    learned,
    one_of,
    real,
    whole,
)
from simulated_instruments.scpi_smu import Reading, ScpiSmuChannel
from simulated_instruments.smu_terminals import Terminals

INTERLOCK_VOLTAGE: Volts = 42.0
SMALLEST_COMPLIANCE: Amperes = 1e-12
DEFAULT_COMPLIANCE: Amperes = 100e-6
"""After ``CN``."""
VOLTAGE_RANGES = {
    0.2: (2,), 0.5: (5,), 2.0: (11, 20), 5.0: (50,), 20.0: (12, 200), 40.0: (13, 400),
    100.0: (14, 1000), 200.0: (15, 2000),
}  # fmt: skip
"""Volts, and the numbers that mean them."""
RANGE_VOLTS = {number: volts for volts, numbers in VOLTAGE_RANGES.items() for number in numbers}
RANGE_MARGIN = 1.15
"""A range measures this much more than its name says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmuRatings:
    """What a model can do."""

    voltages: tuple[Volts, ...]
    """Voltage ranges."""
    currents: range
    """Numbers of the current ranges: n stands for 10^(n-20) A."""
    strongest: tuple[tuple[Volts, Amperes], ...]
    """Up to each voltage so much current."""

    def most_current(self, volts: Volts) -> Amperes:
        """At a voltage. Raises FlexError beyond the last."""
        for limit, amperes in self.strongest:
            if abs(volts) <= limit:
                return amperes
        raise FlexError(VALUE)

    def most_voltage(self, amperes: Amperes) -> Volts:
        """At a current. Raises FlexError beyond the largest."""
        able = [volts for volts, most in self.strongest if abs(amperes) <= most]
        if not able:
            raise FlexError(VALUE)
        return max(able)


MEDIUM_POWER = ((20.0, 0.1), (40.0, 0.05), (100.0, 0.02))
HIGH_POWER = ((20.0, 1.0), (40.0, 0.5), (100.0, 0.125), (200.0, 0.05))
RATINGS = {
    "B1517A": SmuRatings(
        voltages=(0.5, 2.0, 5.0, 20.0, 40.0, 100.0), currents=range(9, 20), strongest=MEDIUM_POWER
    ),
    "B1511A": SmuRatings(
        voltages=(0.5, 2.0, 5.0, 20.0, 40.0, 100.0), currents=range(11, 20), strongest=MEDIUM_POWER
    ),
    "B1511B": SmuRatings(
        voltages=(0.5, 2.0, 5.0, 20.0, 40.0, 100.0), currents=range(11, 20), strongest=MEDIUM_POWER
    ),
    "B1510A": SmuRatings(
        voltages=(2.0, 20.0, 40.0, 100.0, 200.0), currents=range(11, 21), strongest=HIGH_POWER
    ),
}


class SmuModule:
    """One SMU: source, ranges, and switches."""

    def __init__(self, channel: int, model: str, terminals: Terminals, clock: VirtualClock) -> None:
        self.channel = channel
        self.ratings = RATINGS[model]
        self.source = ScpiSmuChannel(terminals, clock, DEFAULT_COMPLIANCE)
        self.reset()

    def reset(self) -> None:
        """Switch open, ranges automatic."""
        self.source.reset()
        self.range, self.compliance_range, self.polarity = 0, 0, 0
        self.current_range = self.voltage_range = 0
        self.filtered = self.series_resistor = False
        self.ranging: tuple[int, int] = (1, 50)
        self.operation = 0
        self.converter = 0
        self._kept: dict[str, float | bool] | None = None

    @property
    def on(self) -> bool:
        """Whether the output switch is closed."""
        return self.source.output

    def close(self) -> None:
        """``CN``: 0 V and 100 uA; a switch that is closed stays as it is."""
        if not self.on:
            self.force_nothing()
            self.source.set(output=True)

    def open(self) -> None:
        """``CL``."""
        self.source.set(output=False, level_volts=0.0, level_amperes=0.0, sources_voltage=True)
        self._kept = None

    def force_nothing(self) -> None:
        """``IN``: 0 V, 100 uA."""
        self.range = self.compliance_range = self.polarity = 0
        self.source.set(sources_voltage=True, level_volts=0.0, limit_amperes=DEFAULT_COMPLIANCE)

    def to_zero(self) -> None:
        """``DZ``: 0 V, and the settings kept for ``RZ``."""
        if self._kept is None:
            names = ("sources_voltage", "level_volts", "level_amperes")
            self._kept = {name: getattr(self.source, name) for name in names}
        self.source.set(sources_voltage=True, level_volts=0.0, level_amperes=0.0)

    def back_from_zero(self) -> None:
        """``RZ``."""
        if self._kept is not None:
            self.source.set(**self._kept)
            self._kept = None

    def require_on(self) -> None:
        """Raise FlexError while the output switch is open."""
        if not self.on:
            raise FlexError(SWITCH_OPEN)

    def source_range(self, text: str, *, volts: bool) -> int:
        """The number of an output range. Raises FlexError."""
        allowed = self._voltage_numbers if volts else list(self.ratings.currents)
        return one_of(text, [0, *allowed], RANGE)

    def measure_range(self, text: str, *, volts: bool) -> int:
        """The number of a measurement range; negative is fixed. Raises FlexError."""
        number = whole(text, -(10**5), 10**5, RANGE)
        allowed = self._voltage_numbers if volts else list(self.ratings.currents)
        return one_of(str(abs(number)), [0, *allowed], RANGE) * (-1 if number < 0 else 1)

    @property
    def _voltage_numbers(self) -> list[int]:
        return [n for volts in self.ratings.voltages for n in VOLTAGE_RANGES[volts]]

    def volts(self, text: str) -> Volts:
        """A voltage that the module forces. Raises FlexError."""
        most = self.ratings.strongest[-1][0]
        value = real(text, -most, most)
        if abs(value) > INTERLOCK_VOLTAGE:
            raise FlexError(INTERLOCK)
        return value

    def amperes(self, text: str) -> Amperes:
        """A current that the module forces. Raises FlexError."""
        most = self.ratings.strongest[0][1]
        return real(text, -most, most)

    def current_compliance(self, text: str | None, volts: Volts) -> Amperes:
        """A current limit for this voltage; the present one where none is given."""
        most = self.ratings.most_current(volts)
        if not text:
            if self.source.limit_amperes > most:
                raise FlexError(COMPLIANCE)
            return self.source.limit_amperes
        value = abs(real(text, -most, most, COMPLIANCE))
        if value < SMALLEST_COMPLIANCE:
            raise FlexError(COMPLIANCE)
        return value

    def voltage_compliance(self, text: str | None, amperes: Amperes) -> Volts:
        """A voltage limit for this current; the present one where none is given."""
        most = min(self.ratings.most_voltage(amperes), INTERLOCK_VOLTAGE)
        return abs(real(text, -most, most, COMPLIANCE)) if text else self.source.limit_volts

    def force_volts(self, volts: Volts, limit: Amperes) -> None:
        """Source a voltage within a current limit."""
        self._kept = None
        self.source.set(sources_voltage=True, level_volts=volts, limit_amperes=limit)

    def force_amperes(self, amperes: Amperes, limit: Volts) -> None:
        """Source a current within a voltage limit."""
        self._kept = None
        self.source.set(sources_voltage=False, level_amperes=amperes, limit_volts=limit)

    def read(self, integration: Seconds) -> Reading:
        """One reading."""
        return self.source.measure(integration)

    def overflows(self, reading: Reading, number: int, *, volts: bool) -> bool:
        """Whether a reading is beyond a fixed range; ranges that follow by themselves never are."""
        if number >= 0:
            return False
        if volts:
            return abs(reading.voltage) > RANGE_VOLTS[-number] * RANGE_MARGIN
        return abs(reading.current) > 10.0 ** (-number - 20) * RANGE_MARGIN

    def learn(self) -> str:
        """What ``*LRN? slot`` answers."""
        source = self.source
        if not self.on:
            return f"CL{self.channel}"
        if source.sources_voltage:
            level, limit, name = source.level_volts, source.limit_amperes, "DV"
        else:
            level, limit, name = source.level_amperes, source.limit_volts, "DI"
        head = (self.channel, self.range, level, limit)
        return learned(name, *head, self.polarity, self.compliance_range)

    def state(self) -> str:
        """Two digits of ``LOP?``; what they mean is not confirmed."""
        if not self.on:
            return "00"
        if self.source.in_compliance():
            return "11"
        if self.source.sources_voltage:
            return "01"
        return "02" if self.source.level_amperes >= 0 else "03"


class SmuRack:
    """All SMUs of a mainframe, by slot."""

    def __init__(self, modules: dict[int, SmuModule]) -> None:
        self.modules = modules

    def __iter__(self) -> Iterator[SmuModule]:
        return iter(self.modules.values())

    def module(self, text: str) -> SmuModule:
        """The SMU of a channel number; ``101`` is slot 1, too. Raises FlexError."""
        number = whole(text, 1, 1002, CHANNEL)
        slot = number if number <= 10 else number // 100
        if slot not in self.modules or number not in (slot, 100 * slot + 1):
            raise FlexError(NOT_HERE if 1 <= slot <= 10 else CHANNEL)
        return self.modules[slot]

    def status(self, module: SmuModule, reading: Reading) -> str:
        """N, C or T of a reading."""
        if reading.in_compliance:
            return "C"
        others = (m for m in self if m is not module and m.on)
        return "T" if any(other.source.in_compliance() for other in others) else "N"

    def settle(self) -> None:
        """Let the cell feel what has been held until now."""
        for module in self:
            module.source.settle()
