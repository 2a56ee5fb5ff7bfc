"""Triggered measurements of the B1500A: ``MM`` and ``XE``, staircase sweeps, sampling, SMU pulses.

Modes 1 (spot), 2 (staircase sweep), 3 (pulsed spot) and 10 (sampling) are emulated; ``MM`` refuses
the others. Sampling keeps to its linear times; of the logarithmic modes only the setting exists.
"""

from dataclasses import dataclass

from simulated_instruments.flex_data import OVER_RANGE, Datum
from simulated_instruments.flex_grammar import (
    COUNT,
    MODE,
    POLARITY,
    VALUE,
    FlexError,
    flex,
    learned,
    one_of,
    real,
    whole,
)
from simulated_instruments.flex_smu import SmuModule
from simulated_instruments.flex_spot import SpotCommands
from simulated_instruments.scpi_smu import READING_OVERHEAD

SPOT, SWEEP, PULSED_SPOT, SAMPLING = 1, 2, 3, 10
LINEAR_MODES, DOUBLE_MODES = (1, 3), (3, 4)
LONGEST_PULSE = 2.0
MOST_STEPS = 1001
"""Of a sweep; later firmware takes 10001."""
MOST_SAMPLES = 2000
"""Of a sampling measurement, all channels together. Ours; the instrument takes 100001."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What ``WV``, ``WSV``, ``PV`` or ``MV`` (and the currents' twins) set up."""

    volts: bool
    span: int
    start: float
    """Start, base or quiescent level."""
    stop: float
    """Stop, bias or pulse level."""
    limit: float
    mode: int = 1
    steps: int = 1
    power: float | None = None
    """Power compliance, where one was given; it is kept and has no effect here."""

    def levels(self) -> list[float]:
        """Of a staircase, there and (in the double modes) back."""
        there = [self._level(step / max(self.steps - 1, 1)) for step in range(self.steps)]
        return there + there[::-1] if self.mode in DOUBLE_MODES else there

    def _level(self, part: float) -> float:
        if self.mode in LINEAR_MODES:
            return self.start + (self.stop - self.start) * part
        return self.start * (self.stop / self.start) ** part


class Measurements:
    """The measurement that ``XE`` starts."""

    def __init__(self, spot: SpotCommands) -> None:
        self.spot = spot
        self.rack = spot.rack
        self.output = spot.output
        self.reset()

    def reset(self) -> None:
        """As after ``*RST``."""
        self.mode = SPOT
        self.channels: list[int] = []
        self.sweep: tuple[int, Source] | None = None
        self.synchronous: tuple[int, Source] | None = None
        self.pulsed: tuple[int, Source] | None = None
        self.sampled: dict[int, Source] = {}
        self.times = [0.0] * 5
        self.abort, self.post = 1, 1
        self.pulse_times = [0.0, 1e-3, 10e-3]
        self.sampling = (0.0, 0.002, 1000, 0.0)
        self.sampling_mode, self.sampling_abort, self.sampling_post = 1, 1, 1

    @flex("MM", 1, 11)
    def _set_mode(self, mode: str, *channels: str) -> None:
        chosen = one_of(mode, (SPOT, SWEEP, PULSED_SPOT, SAMPLING), MODE)
        modules = [self.rack.module(text).channel for text in channels]
        if len(set(modules)) != len(modules) or (chosen == PULSED_SPOT and len(modules) != 1):
            raise FlexError(COUNT)
        self.mode, self.channels = chosen, modules

    @flex("XE")
    def execute(self) -> None:
        """Run the measurement that was set up."""
        if not self.channels:
            raise FlexError(MODE)
        modules = [self.rack.modules[channel] for channel in self.channels]
        for module in modules:
            module.require_on()
        run = {
            SPOT: self._measure_spot,
            SWEEP: self._measure_sweep,
            PULSED_SPOT: self._measure_pulse,
            SAMPLING: self._measure_samples,
        }[self.mode]
        self.output.send(run(modules))

    def _readings(self, modules: list[SmuModule]) -> list[Datum]:
        """One reading of each module, as its operation mode has it."""
        data = []
        for module in modules:
            reading = self.spot.read(module)
            data += self.output.stamp(module.channel, self.output.time)
            compliance_side = not module.source.sources_voltage
            kinds = {
                0: (compliance_side,),
                1: (False,),
                2: (True,),
                3: (not compliance_side,),
                4: (compliance_side, not compliance_side),
            }[module.operation]
            for volts in kinds:
                span = module.voltage_range if volts else module.current_range
                data.append(self.spot.datum(module, reading, span, volts=volts))
        return data

    def _measure_spot(self, modules: list[SmuModule]) -> list[Datum]:
        return self._readings(modules)

    def _measure_sweep(self, modules: list[SmuModule]) -> list[Datum]:
        if self.sweep is None:
            raise FlexError(MODE)
        channel, source = self.sweep
        sources = [self.sweep] + ([self.synchronous] if self.synchronous else [])
        for number, _ in sources:
            self.rack.modules[number].require_on()
        hold, delay, step_delay, _, measure_delay = self.times
        levels = source.levels()
        data: list[Datum] = []
        step: list[Datum] = []
        aborted = False
        self._wait(hold)
        for index, level in enumerate(levels):
            if aborted:  # what is not measured any more is marked, not left out
                step = [Datum("V", d.channel, d.kind, OVER_RANGE) for d in step]
            else:
                self._drive_sweep(channel, source, level)
                self._wait(delay + measure_delay)
                step = self._readings(modules)
                aborted = self.abort == 2 and any(d.status in "CTV" for d in step)
                self._wait(step_delay)
            data += step + self._source_data(channel, source, level, index == len(levels) - 1)
        self._drive_sweep(channel, source, levels[0] if self.post == 1 or aborted else levels[-1])
        return data

    def _drive_sweep(self, channel: int, source: Source, level: float) -> None:
        """One step, and the same part of the synchronous source's way."""
        self._drive(channel, source, level)
        if self.synchronous is None:
            return
        other_channel, other = self.synchronous
        way = source.stop - source.start
        part = (level - source.start) / way if way else 0.0
        self._drive(other_channel, other, other.start + (other.stop - other.start) * part)

    def _source_data(self, channel: int, source: Source, level: float, last: bool) -> list[Datum]:
        if not self.output.with_source:
            return []
        return [Datum("E" if last else "W", channel, "V" if source.volts else "I", level)]

    def _measure_pulse(self, modules: list[SmuModule]) -> list[Datum]:
        """A pulse by an SMU: base, pulse, a reading at its end, base."""
        if self.pulsed is None:
            raise FlexError(MODE)
        channel, source = self.pulsed
        self.rack.modules[channel].require_on()
        hold, width, period = self.pulse_times
        self._drive(channel, source, source.start)
        self._wait(hold)
        self._drive(channel, source, source.stop)
        self.output.clock.advance(width - READING_OVERHEAD)  # the rest passes while it is read
        data = []
        for module in modules:
            reading = module.read(0.0)
            volts = not module.source.sources_voltage
            span = module.voltage_range if volts else module.current_range
            data.append(self.spot.datum(module, reading, span, volts=volts))
        self._drive(channel, source, source.start)
        self._wait(max(period - width, 0.0))
        return data

    def _measure_samples(self, modules: list[SmuModule]) -> list[Datum]:
        hold_bias, interval, number, hold_base = self.sampling
        for channel, source in self.sampled.items():
            self.rack.modules[channel].require_on()
            self._drive(channel, source, source.start)
        self._wait(hold_base)
        for channel, source in self.sampled.items():
            self._drive(channel, source, source.stop)
        self._wait(max(hold_bias, 0.0))
        started = self.output.clock.now
        data: list[Datum] = []
        for index in range(number):
            self._wait(max(started + index * interval - self.output.clock.now, 0.0))
            if self.output.with_source:
                data.append(Datum("N", modules[0].channel, "X", float(index + 1)))
            data += self._readings(modules)
        if self.sampling_post == 1:
            for channel, source in self.sampled.items():
                self._drive(channel, source, source.start)
        return data

    def _drive(self, channel: int, source: Source, level: float) -> None:
        module = self.rack.modules[channel]
        if source.volts:
            module.force_volts(level, source.limit)
        else:
            module.force_amperes(level, source.limit)

    def _wait(self, duration: float) -> None:
        self.output.clock.advance(duration)
        self.rack.settle()

    def _pair(
        self, channel: str, span: str, levels: tuple[str, str], limit: str | None, *, volts: bool
    ) -> tuple[int, Source]:
        """Two levels and a limit that serves for both. Raises FlexError."""
        module = self.rack.module(channel)
        number = module.source_range(span, volts=volts)
        read = module.volts if volts else module.amperes
        start, stop = (read(text) for text in levels)
        largest = max(start, stop, key=abs)
        compliance = module.current_compliance if volts else module.voltage_compliance
        bound = compliance(limit, largest)
        source = Source(volts=volts, span=number, start=start, stop=stop, limit=bound)
        return module.channel, source

    def _staircase(self, volts: bool, arguments: tuple[str, ...]) -> tuple[int, Source]:
        channel, mode, span, start, stop, steps, *rest = arguments
        limit = rest[0] if rest else None
        number, source = self._pair(channel, span, (start, stop), limit, volts=volts)
        chosen = whole(mode, 1, 4)
        if chosen not in LINEAR_MODES and source.start * source.stop <= 0:
            raise FlexError(POLARITY)
        return number, Source(
            volts=volts,
            span=source.span,
            start=source.start,
            stop=source.stop,
            limit=source.limit,
            mode=chosen,
            steps=whole(steps, 1, MOST_STEPS),
            power=real(rest[1], 1e-3, 40.0) if len(rest) > 1 else None,
        )

    @flex("WV", 6, 8)
    def _sweep_voltage(self, *arguments: str) -> None:
        self.sweep, self.synchronous = self._staircase(True, arguments), None

    @flex("WI", 6, 8)
    def _sweep_current(self, *arguments: str) -> None:
        self.sweep, self.synchronous = self._staircase(False, arguments), None

    def _set_synchronous(self, volts: bool, arguments: tuple[str, ...]) -> None:
        if self.sweep is None:
            raise FlexError(MODE)
        channel, span, start, stop, *rest = arguments
        limit = rest[0] if rest else None
        chosen = self._pair(channel, span, (start, stop), limit, volts=volts)
        if chosen[0] == self.sweep[0]:
            raise FlexError(VALUE)
        self.synchronous = chosen

    @flex("WSV", 4, 6)
    def _synchronous_voltage(self, *arguments: str) -> None:
        self._set_synchronous(True, arguments)

    @flex("WSI", 4, 6)
    def _synchronous_current(self, *arguments: str) -> None:
        self._set_synchronous(False, arguments)

    @flex("WT", 2, 5)
    def _set_times(self, hold: str, delay: str, *rest: str) -> None:
        times = [real(hold, 0.0, 655.35), real(delay, 0.0, 65.535), 0.0, 0.0, 0.0]
        limits = (1.0, times[1], 65.535)
        for index, (text, most) in enumerate(zip(rest, limits, strict=False), 2):
            times[index] = real(text, 0.0, most)
        self.times = times

    @flex("WM", 1, 2)
    def _set_abort(self, abort: str, post: str = "1") -> None:
        self.abort, self.post = whole(abort, 1, 2), whole(post, 1, 2)

    @flex("PT", 2, 5)
    def _set_pulse_times(self, hold: str, width: str, period: str = "0", *rest: str) -> None:
        length = real(width, 500e-6, LONGEST_PULSE)
        shortest = length + 2e-3
        wanted = real(period, 0.0, 5.0)
        if wanted and wanted < shortest:
            raise FlexError(VALUE)
        for text in rest:
            real(text, 0.0, 1.0)
        self.pulse_times = [real(hold, 0.0, 655.35), length, wanted or shortest]

    @flex("PV", 4, 5)
    def _pulse_voltage(self, channel: str, span: str, base: str, peak: str, *rest: str) -> None:
        limit = rest[0] if rest else None
        self.pulsed = self._pair(channel, span, (base, peak), limit, volts=True)

    @flex("PI", 4, 5)
    def _pulse_current(self, channel: str, span: str, base: str, peak: str, *rest: str) -> None:
        limit = rest[0] if rest else None
        self.pulsed = self._pair(channel, span, (base, peak), limit, volts=False)

    @flex("ML", 1)
    def _set_sampling_mode(self, mode: str) -> None:
        self.sampling_mode = whole(mode, 1, 7)

    @flex("MT", 3, 4)
    def _set_sampling(self, hold: str, interval: str, number: str, base: str = "0") -> None:
        self.sampling = (
            real(hold, -90e-3, 655.35),
            real(interval, 100e-6, 65.535),
            whole(number, 1, MOST_SAMPLES // max(len(self.channels), 1)),
            real(base, 0.0, 655.35),
        )

    @flex("MSC", 1, 2)
    def _set_sampling_abort(self, abort: str, post: str = "1") -> None:
        self.sampling_abort, self.sampling_post = whole(abort, 1, 2), whole(post, 1, 2)

    @flex("MV", 4, 5)
    def _sample_voltage(self, channel: str, span: str, base: str, bias: str, *rest: str) -> None:
        limit = rest[0] if rest else None
        number, source = self._pair(channel, span, (base, bias), limit, volts=True)
        self.sampled[number] = source

    @flex("MI", 4, 5)
    def _sample_current(self, channel: str, span: str, base: str, bias: str, *rest: str) -> None:
        limit = rest[0] if rest else None
        number, source = self._pair(channel, span, (base, bias), limit, volts=False)
        self.sampled[number] = source

    @flex("MCC", 0, 10)
    def _clear_sampling(self, *channels: str) -> None:
        chosen = [self.rack.module(text).channel for text in channels] or list(self.sampled)
        for channel in chosen:
            self.sampled.pop(channel, None)

    def learn_mode(self) -> str:
        """``MM`` as ``*LRN? 31`` has it."""
        return learned("MM", self.mode, *self.channels)

    def learn_sweep(self) -> str:
        """``*LRN? 33``."""
        lines = [learned("WM", self.abort, self.post), learned("WT", *self.times)]
        for found, prefix in ((self.sweep, "W"), (self.synchronous, "WS")):
            if found is None:
                continue
            channel, source = found
            name = prefix + ("V" if source.volts else "I")
            head = (channel, source.mode, source.span) if prefix == "W" else (channel, source.span)
            steps = (source.steps,) if prefix == "W" else ()
            power = () if source.power is None else (source.power,)
            tail = (source.start, source.stop, *steps, source.limit, *power)
            lines.append(learned(name, *head, *tail))
        return ";".join(lines)

    def learn_pulse(self) -> str:
        """``*LRN? 34``."""
        lines = [learned("PT", *self.pulse_times)]
        if self.pulsed is not None:
            channel, source = self.pulsed
            levels = (source.start, source.stop, source.limit)
            lines.append(learned("PV" if source.volts else "PI", channel, source.span, *levels))
        return ";".join(lines)

    def learn_sampling(self) -> str:
        """``*LRN? 47``."""
        lines = [
            learned("MSC", self.sampling_abort, self.sampling_post),
            learned("ML", self.sampling_mode),
            learned("MT", *self.sampling),
        ]
        for channel, source in self.sampled.items():
            levels = (source.start, source.stop, source.limit)
            lines.append(learned("MV" if source.volts else "MI", channel, source.span, *levels))
        return ";".join(lines)
