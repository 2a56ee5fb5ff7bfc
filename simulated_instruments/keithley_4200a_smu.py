"""The SMUs of a 4200A in KXCI's user mode: ``DV``, ``DI``, ``TV``, ``TI``, ``DS``, ``MP``, ``IT``.

SMU 1 comes out through the first RPM (`Rpm`); the others have nothing at their terminals. Limits
after the KXCI programming manual (4200A-KXCI-907-01) as public programs quote it; how a range that
is too small for its value is treated (it is widened) is ours.
"""

from collections.abc import Iterator

from crossbar.units import Amperes, Seconds, Volts
from simulated_instruments.keithley_4200a_syntax import (
    Arguments,
    Handler,
    KxciError,
    counted,
    real,
    whole,
)
from simulated_instruments.probe_station import ProbeStation
from simulated_instruments.scpi_smu import Reading, ScpiSmuChannel
from simulated_instruments.smu_terminals import OpenTerminals, RoutedCell, Terminals

SMUS = 4
"""4200-SMUs, without preamplifiers."""
MAX_VOLTAGE: Volts = 210.0
MAX_CURRENT: Amperes = 0.105
SMALLEST_COMPLIANCE: Amperes = 1e-7
"""Without a preamplifier; KXCI raises a smaller one to this by itself."""
SMALLEST_VOLTAGE_COMPLIANCE: Volts = 20e-3
"""Ours."""
VOLTAGE_RANGES = 5
CURRENT_RANGES = 13
LINE_CYCLE: Seconds = 20e-3
INTEGRATION = {1: 0.1 * LINE_CYCLE, 2: LINE_CYCLE, 3: 10 * LINE_CYCLE}
"""``IT1``, ``IT2``, ``IT3``: short, normal, long."""
TO_PMU, TO_SMU = 0, 2
"""``:PMU:RPM:CONFIGURE``: 0 the pulse card, 1 CV two-wire, 2 the SMU, 3 CV four-wire."""


class Rpm:
    """A 4225-RPM: the switch at the needle between the pulse card, the SMU and the CV unit."""

    def __init__(self) -> None:
        self.mode = TO_PMU
        self.hot_switches = 0
        """How often it was switched while a source behind it was not at 0 V: wears the relays."""


class BehindRpm:
    """The cell, as long as the RPM is switched to the SMU; the port `Terminals`."""

    def __init__(self, station: ProbeStation, rpm: Rpm) -> None:
        self._cell = RoutedCell(station)
        self._rpm = rpm

    def current(self, voltage: Volts) -> Amperes:
        """See `Terminals`."""
        return self._cell.current(voltage) if self._rpm.mode == TO_SMU else 0.0

    def hold(self, voltage: Volts, duration: Seconds, current_limit: Amperes) -> None:
        """See `Terminals`."""
        if self._rpm.mode == TO_SMU:
            self._cell.hold(voltage, duration, current_limit)


class KxciSmus:
    """All SMUs of the mainframe."""

    def __init__(self, station: ProbeStation, rpm: Rpm, *, wired: int) -> None:
        """``wired`` is the SMU that is connected to this RPM."""
        terminals: dict[int, Terminals] = {
            number: BehindRpm(station, rpm) if number == wired else OpenTerminals()
            for number in range(1, SMUS + 1)
        }
        self.channels = {
            number: ScpiSmuChannel(wires, station.clock, MAX_CURRENT)
            for number, wires in terminals.items()
        }
        self.reset()

    def reset(self) -> None:
        """Off, at 0 V, normal integration time."""
        for channel in self.channels.values():
            channel.reset()
        self.integration = INTEGRATION[2]
        self.digits = 5
        self.voltage_sources: dict[int, int] = {}
        """SMUs by the number of the voltage source that ``MP`` made of them."""

    @property
    def handlers(self) -> dict[str, Handler]:
        """The commands of user mode."""
        return {
            "DV": self._force_voltage,
            "DI": self._force_current,
            "TV": lambda arguments: self._measure(arguments, "V"),
            "TI": lambda arguments: self._measure(arguments, "I"),
            "DS": self._set_source,
            "MP": self._map,
            "IT": self.set_integration,
            "RS": self.set_digits,
            "RG": self.set_lowest_range,
            "EC": lambda arguments: self._ignore(whole(counted(arguments, 1)[0], 0, 1)),
        }

    def channel(self, text: str) -> ScpiSmuChannel:
        """The SMU of a number. Raises KxciError."""
        return self.channels[whole(text, 1, SMUS)]

    def settle(self) -> None:
        """Let the cell feel what has been held until now."""
        for channel in self.channels.values():
            channel.settle()

    def energized(self) -> bool:
        """Whether the SMU behind the RPM is on and not at 0 V."""
        channel = self.channels[1]
        return channel.output and channel.level != 0

    def off(self, channel: ScpiSmuChannel) -> None:
        """0 V and disconnected."""
        channel.set(output=False, sources_voltage=True, level_volts=0.0, level_amperes=0.0)

    def source_voltage(self, channel: ScpiSmuChannel, volts: Volts, compliance: Amperes) -> None:
        """Force a voltage, with a current limit; a limit that is too small is raised."""
        limit = max(abs(compliance), SMALLEST_COMPLIANCE)
        channel.set(sources_voltage=True, level_volts=volts, limit_amperes=limit, output=True)

    def source_current(self, channel: ScpiSmuChannel, amperes: Amperes, compliance: Volts) -> None:
        """Force a current, with a voltage limit."""
        limit = max(abs(compliance), SMALLEST_VOLTAGE_COMPLIANCE)
        channel.set(sources_voltage=False, level_amperes=amperes, limit_volts=limit, output=True)

    def set_integration(self, arguments: Arguments) -> None:
        """``IT1|2|3`` or ``IT4,delay,filter,plc``."""
        setting = whole(counted(arguments, 1, 4)[0], 1, 4)
        if setting < 4:
            counted(arguments, 1)
            self.integration = INTEGRATION[setting]
            return
        _, delay, filtering, cycles = counted(arguments, 4)
        real(delay, 0, 100)
        real(filtering, 0, 100)
        self.integration = LINE_CYCLE * real(cycles, 0.01, 10)

    def set_digits(self, arguments: Arguments) -> None:
        """``RS 3`` to ``RS 7``: digits of a reading."""
        self.digits = whole(counted(arguments, 1)[0], 3, 7)

    def set_lowest_range(self, arguments: Arguments) -> None:
        """``RG ch,amperes``: readings here have no ranges, so only the arguments are checked."""
        number, amperes = counted(arguments, 2)
        self.channel(number)
        real(amperes, -MAX_CURRENT, MAX_CURRENT)

    def status_of(self, number: int, reading: Reading) -> str:
        """C: this channel in compliance; T: another one; N: normal."""
        if reading.in_compliance:
            return "C"
        others = (c for n, c in self.channels.items() if n != number and c.output)
        return "T" if any(channel.in_compliance() for channel in others) else "N"

    def text(self, value: float) -> str:
        """A number as readings have it: ``+1.2346E-06``."""
        return f"{value:+.{self.digits - 1}E}"

    def _force_voltage(self, arguments: Arguments) -> None:
        channel = self.channel(counted(arguments, 1, 4)[0])
        if len(arguments) == 1:
            self.off(channel)
            return
        _, span, volts, compliance = counted(arguments, 4)
        whole(span, 0, VOLTAGE_RANGES)
        level = real(volts, -MAX_VOLTAGE, MAX_VOLTAGE)
        self.source_voltage(channel, level, real(compliance, -MAX_CURRENT, MAX_CURRENT))

    def _force_current(self, arguments: Arguments) -> None:
        channel = self.channel(counted(arguments, 1, 4)[0])
        if len(arguments) == 1:
            self.off(channel)
            return
        _, span, amperes, compliance = counted(arguments, 4)
        whole(span, 0, CURRENT_RANGES)
        level = real(amperes, -MAX_CURRENT, MAX_CURRENT)
        self.source_current(channel, level, real(compliance, -MAX_VOLTAGE, MAX_VOLTAGE))

    def _measure(self, arguments: Arguments, quantity: str) -> str:
        number = whole(counted(arguments, 1)[0], 1, SMUS)
        reading = self.channels[number].measure(self.integration)
        value = reading.voltage if quantity == "V" else reading.current
        letter = "ABCD"[number - 1]
        return f"{self.status_of(number, reading)}{letter}{quantity}{self.text(value)}"

    def _map(self, arguments: Arguments) -> None:
        """``MP 2,VS2``: SMU 2 becomes a voltage source; ``MP 2,SMU2`` undoes it."""
        number, what = counted(arguments, 2)
        channel = whole(number, 1, SMUS)
        kind, index = what.upper().rstrip("0123456789"), what[-1:]
        if kind not in ("VS", "VM", "SMU"):
            raise KxciError(f"{what[:20]!r} is no VS, VM or SMU")
        place = whole(index, 1, 8)
        kept = {source: smu for source, smu in self.voltage_sources.items() if smu != channel}
        self.voltage_sources = {**kept, place: channel} if kind == "VS" else kept

    def _set_source(self, arguments: Arguments) -> None:
        number = whole(counted(arguments, 1, 2)[0], 1, 8)
        if number not in self.voltage_sources:
            raise KxciError(f"VS{number} is not mapped")
        channel = self.channels[self.voltage_sources[number]]
        if len(arguments) == 1:
            self.off(channel)
        else:
            volts = real(arguments[1], -MAX_VOLTAGE, MAX_VOLTAGE)
            self.source_voltage(channel, volts, MAX_CURRENT)

    @staticmethod
    def _ignore(_: object) -> None:
        """Checked, and of no effect here."""

    def __iter__(self) -> Iterator[tuple[int, ScpiSmuChannel]]:
        return iter(self.channels.items())
