"""The SPGU modules (B1525A) of a B1500A, and the selector that leads SMU or SPGU to the needles.

The first channel of the first SPGU is wired to the cell, behind 50 Ohm. Commands and settings after
PyMeasure; ranges of widths and edges, and what a wrongly set output does until somebody notices,
are ours. Arbitrary waveforms (``SIM 1``, ``ALW``, ``ALS``) can be chosen, but not sent.
"""

from dataclasses import dataclass, field

from crossbar.units import Amperes, Ohms, Seconds, Volts
from simulated_instruments.flex_grammar import (
    CHANNEL,
    MODE,
    NOT_HERE,
    SWITCH_OPEN,
    VALUE,
    FlexError,
    flex,
    learned,
    plain,
    real,
    whole,
)
from simulated_instruments.probe_station import ProbeStation
from simulated_instruments.smu_terminals import RoutedCell

SOURCE_IMPEDANCE: Ohms = 50.0
MAX_LEVEL: Volts = 40.0
"""Largest magnitude of a level, open circuit."""
LOAD: Ohms = 50.0
"""What levels refer to until ``SER`` says otherwise."""
REACTION_TIME: Seconds = 1e-3
"""How long an output that is wrongly set acts on the cell before anybody switches it off. Ours."""
MAX_BURST = 2000
"""Most pulses that one start sends here; the instrument counts to 1 000 000."""
FREE_RUN, COUNT, DURATION = 0, 1, 2
PULSES, ARBITRARY = 0, 1
TOLERANCE = 1e-3
EPSILON = 1e-12
TO_SMU, TO_PULSES, CONTROLS_SELECTOR = 1, 2, 1


class Selector:
    """A 16440A: leads the SMU, the SPGU or nothing to the needles; without one, both are there."""

    def __init__(self, installed: bool) -> None:
        self.installed = installed
        self.reset()

    def reset(self) -> None:
        """All ports open, the digital lines not in its service."""
        self.control = 0
        self.ports = [0, 0, 0, 0]

    def leads(self, where: int) -> bool:
        """Whether the first port leads there."""
        return not self.installed or self.ports[0] == where

    @flex("ERMOD", 1, 2)
    def _set_control(self, mode: str, remote: str = "0") -> None:
        whole(remote, 0, 1)
        self.control = whole(mode, 0, 63)

    @flex("ERMOD?")
    def _answer_control(self) -> str:
        return str(self.control)

    @flex("ERSSP", 2)
    def _connect(self, port: str, status: str) -> None:
        place, way = whole(port, 0, 3), whole(status, 0, 3)
        if self.installed and self.control != CONTROLS_SELECTOR:
            raise FlexError(MODE, "ERMOD")
        self.ports[place] = way

    @flex("ERSSP?", 1)
    def _answer_port(self, port: str) -> str:
        return str(self.ports[whole(port, 0, 3)])


class BehindSelector(RoutedCell):
    """The cell, as long as the selector leads the SMU to it; the port `Terminals`."""

    def __init__(self, station: ProbeStation, selector: Selector) -> None:
        super().__init__(station)
        self._selector = selector

    def current(self, voltage: Volts) -> Amperes:
        """See `Terminals`."""
        return super().current(voltage) if self._selector.leads(TO_SMU) else 0.0

    def hold(self, voltage: Volts, duration: Seconds, current_limit: Amperes) -> None:
        """See `Terminals`."""
        if self._selector.leads(TO_SMU):
            super().hold(voltage, duration, current_limit)


@dataclass(slots=True)
class PulseChannel:
    """The settings of one output."""

    on: bool = False
    mode: int = 1
    """0 a constant level, 1 and 2 the pulses of a source, 3 both added."""
    load: Ohms = LOAD
    levels: dict[int, tuple[Volts, Volts]] = field(
        default_factory=lambda: dict.fromkeys((0, 1, 2), (0.0, 0.0))
    )
    """Base and peak, by source."""
    times: dict[int, tuple[Seconds, Seconds, Seconds, Seconds]] = field(
        default_factory=lambda: dict.fromkeys((1, 2), (0.0, 100e-9, 20e-9, 20e-9))
    )
    """Delay, width, leading and trailing edge, by source."""
    switch: tuple[int, int] = (0, 0)

    def open_circuit(self, programmed: Volts) -> Volts:
        """Programmed volts are those across the load, behind 50 Ohm."""
        return programmed * (self.load + SOURCE_IMPEDANCE) / self.load

    @property
    def idle(self) -> Volts:
        """The level between pulses."""
        return self.levels[self.mode if self.mode < 3 else 1][0]


class PulseUnits:
    """All SPGUs of a mainframe: they run together."""

    def __init__(
        self,
        slots: list[int],
        station: ProbeStation,
        selector: Selector,
        *,
        wired: int | None = None,
    ) -> None:
        """``wired`` is the output that leads to the cell, such as 401; None for the first one."""
        self.station = station
        self.selector = selector
        self.numbers = [100 * slot + output for slot in slots for output in (1, 2)]
        self.wired = wired if wired is not None else next(iter(self.numbers), None)
        self.reset()

    def reset(self) -> None:
        """Outputs open, 0 V, pulses once and again until stopped."""
        self.channels = {number: PulseChannel() for number in self.numbers}
        self.operation = PULSES
        self.run: tuple[int, float] = (FREE_RUN, 0)
        self.period: Seconds = 1e-6
        self.running = False

    def channel(self, text: str) -> PulseChannel:
        """An output by its number, ``401``. Raises FlexError."""
        number = whole(text, 1, 1002, CHANNEL)
        number = number if number > 10 else 100 * number + 1
        if number not in self.channels:
            raise FlexError(NOT_HERE)
        return self.channels[number]

    def open(self, channel: PulseChannel) -> None:
        """``CL``."""
        channel.on = False
        if not any(other.on for other in self.channels.values()):
            self.running = False

    def _wired(self) -> PulseChannel | None:
        """The output that leads to the cell, if it is on and nothing stands between."""
        channel = None if self.wired is None else self.channels.get(self.wired)
        return channel if channel and channel.on and self.selector.leads(TO_PULSES) else None

    def _drive(self, channel: PulseChannel, programmed: Volts, width: Seconds) -> None:
        volts = channel.open_circuit(programmed)
        if channel is self._wired():
            self.station.pulse(self.station.pulsed_cell, volts, width, SOURCE_IMPEDANCE)
        else:
            self.station.clock.advance(width)

    def _check(self, channel: PulseChannel) -> None:
        """Levels and times must fit together. Raises FlexError."""
        for base, peak in channel.levels.values():
            if max(abs(base), abs(peak)) > MAX_LEVEL or (
                channel.open_circuit(max(abs(base), abs(peak))) > MAX_LEVEL * (1 + TOLERANCE)
            ):
                raise FlexError(VALUE, "level")
        for delay, width, leading, trailing in channel.times.values():
            if width < (leading + trailing) / 2 - EPSILON:
                raise FlexError(VALUE, "edges are too slow for the width")
            if delay + width + trailing > self.period + EPSILON:
                raise FlexError(VALUE, "period is too short")

    @flex("SIM", 1)
    def _set_operation(self, mode: str) -> None:
        self.operation = whole(mode, 0, 1)
        self.running = False

    @flex("SIM?")
    def _answer_operation(self) -> str:
        return str(self.operation)

    @flex("SPRM", 1, 2)
    def _set_run(self, mode: str, condition: str = "") -> None:
        chosen = whole(mode, 0, 2)
        if (chosen == FREE_RUN) == bool(condition):
            raise FlexError(VALUE)
        if chosen == FREE_RUN:
            self.run = (chosen, 0)
        elif chosen == COUNT:
            self.run = (chosen, whole(condition, 1, 1_000_000))
        else:
            self.run = (chosen, real(condition, 1e-6, 31_556_926.0))

    @flex("SPRM?")
    def _answer_run(self) -> str:
        return learned("", *self.run)

    @flex("SPPER", 1)
    def _set_period(self, seconds: str) -> None:
        self.period = real(seconds, 20e-9, 10.0)

    @flex("SPPER?")
    def _answer_period(self) -> str:
        return plain(self.period)

    @flex("SPM", 2)
    def _set_mode(self, channel: str, mode: str) -> None:
        self.channel(channel).mode = whole(mode, 0, 3)

    @flex("SPM?", 1)
    def _answer_mode(self, channel: str) -> str:
        return str(self.channel(channel).mode)

    @flex("SPV", 3, 4)
    def _set_levels(self, channel: str, source: str, base: str, peak: str = "0") -> None:
        chosen, number = self.channel(channel), whole(source, 0, 2)
        low, high = (real(text, -MAX_LEVEL, MAX_LEVEL) for text in (base, peak))
        chosen.levels[number] = (low, high)

    @flex("SPV?", 2)
    def _answer_levels(self, channel: str, source: str) -> str:
        return learned("", *self.channel(channel).levels[whole(source, 0, 2)])

    @flex("SPT", 4, 6)
    def _set_times(self, channel: str, source: str, delay: str, *rest: str) -> None:
        chosen, number = self.channel(channel), whole(source, 1, 2)
        width = real(rest[0], 10e-9, 9.99)
        leading = real(rest[1], 8e-9, 0.4) if len(rest) > 1 else 20e-9
        trailing = real(rest[2], 8e-9, 0.4) if len(rest) > 2 else leading
        chosen.times[number] = (real(delay, 0.0, 9.99), width, leading, trailing)

    @flex("SPT?", 2)
    def _answer_times(self, channel: str, source: str) -> str:
        return learned("", *self.channel(channel).times[whole(source, 1, 2)])

    @flex("SER", 2)
    def _set_load(self, channel: str, ohms: str) -> None:
        self.channel(channel).load = real(ohms, 0.1, 1e6)

    @flex("SER?", 1)
    def _answer_load(self, channel: str) -> str:
        return plain(self.channel(channel).load)

    @flex("ODSW", 2, 5)
    def _set_switch(self, channel: str, state: str, normal: str = "0", *times: str) -> None:
        chosen = self.channel(channel)
        for text in times:
            real(text, 0.0, 9.99)
        chosen.switch = (whole(state, 0, 1), whole(normal, 0, 1))

    @flex("ODSW?", 1)
    def _answer_switch(self, channel: str) -> str:
        return learned("", *self.channel(channel).switch)

    @flex("SPUPD", 1, 10)
    def _update(self, *channels: str) -> None:
        """Go to the base level with what has been set."""
        chosen = [self.channel(text) for text in channels]
        for channel in chosen:
            self._check(channel)
        for channel in chosen:
            if channel.on and abs(channel.idle) > EPSILON:
                self._drive(channel, channel.idle, REACTION_TIME)

    @flex("SRP")
    def _start(self) -> None:
        """Send what was set, and return when it is over; free running goes on until ``SPP``."""
        active = [channel for channel in self.channels.values() if channel.on]
        if not active:
            raise FlexError(SWITCH_OPEN)
        if self.operation != PULSES:
            raise FlexError(MODE, "ALWG is not emulated")
        for channel in active:
            self._check(channel)
        mode, condition = self.run
        count = int(condition if mode == COUNT else condition / self.period + EPSILON)
        if count > MAX_BURST:
            raise FlexError(VALUE, f"more than {MAX_BURST} pulses are not emulated")
        self.running = mode == FREE_RUN
        channel = self._wired() or active[0]
        if self.running:
            for volts in {channel.idle, *self._peaks(channel)}:
                if abs(volts) > EPSILON:
                    self._drive(channel, volts, REACTION_TIME)
            return
        for _ in range(count):
            self._send_pulse(channel)

    def _peaks(self, channel: PulseChannel) -> list[Volts]:
        sources = {1: (1,), 2: (2,), 3: (1, 2)}.get(channel.mode, ())
        return [channel.levels[source][1] for source in sources]

    def _send_pulse(self, channel: PulseChannel) -> None:
        """One period of one output; of a 3-level pulse, one source after the other (ours)."""
        spent = 0.0
        for source in {1: (1,), 2: (2,), 3: (1, 2)}.get(channel.mode, ()):
            width = channel.times[source][1]
            self._drive(channel, channel.levels[source][1], width)
            spent += width
        rest = max(self.period - spent, 0.0)
        if abs(channel.idle) > EPSILON:
            self._drive(channel, channel.idle, rest)
        else:
            self.station.clock.advance(rest)

    @flex("SPP")
    def _stop(self) -> None:
        self.running = False

    @flex("SPST?")
    def _answer_running(self) -> str:
        return str(int(self.running))

    def learn(self, slot: int) -> str:
        """What ``*LRN? slot`` answers; its form is ours."""
        lines = []
        for number in (100 * slot + 1, 100 * slot + 2):
            channel = self.channels[number]
            lines.append(("CN" if channel.on else "CL") + str(number))
            lines.append(learned("SPM", number, channel.mode))
            lines.append(learned("SER", number, channel.load))
        return ";".join(lines)
