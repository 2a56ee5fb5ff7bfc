"""The 4225-PMU's commands under KXCI: ``:PMU:INIT`` to ``:PMU:DATA:GET`` (Clarius 1.13 and later).

Ranges after the KXCI programming manual (4200A-KXCI-907-01 rev. D, section 7) as public programs
quote it. Two cards of two channels, each with an RPM; channel 1 has the cell.
"""

import re
from collections.abc import Callable, Iterator

import numpy as np

from crossbar.units import Seconds
from simulated_instruments.keithley_4200a_pulse_channel import RANGES, PulseChannel
from simulated_instruments.keithley_4200a_pulse_test import PulseTest, SegmentTest
from simulated_instruments.keithley_4200a_segments import (
    ARRAYS,
    MAX_LOOPS,
    MAX_PLAYED,
    SEQUENCES,
    SegmentSequence,
    array_values,
)
from simulated_instruments.keithley_4200a_smu import TO_PMU, Rpm
from simulated_instruments.keithley_4200a_syntax import (
    Arguments,
    Handler,
    KxciError,
    counted,
    real,
    whole,
)
from simulated_instruments.probe_station import ProbeStation

CHANNELS = 4
POLL_TIME: Seconds = 1.0
POLL_STEPS = 200
"""How far a test gets between two polls: clients wait about a second in between. Ours."""
PERIODS: tuple[Seconds, Seconds] = (60e-9, 1.0)
SHORTEST: dict[int, tuple[Seconds, Seconds]] = {10: (40e-9, 20e-9), 40: (250e-9, 50e-9)}
"""Width, and edge or delay, by source range."""
SLOWEST_EDGE: Seconds = 33e-3
MAX_BURST = 10_000
MAX_POINTS = 2048
"""Readings of one ``:PMU:DATA:GET``."""
MAX_SWEEP = 2048
"""Amplitudes of a sweep. Ours."""
HARDWARE_ID = re.compile(r"PMU([12])-([12])", re.IGNORECASE)
SPOT_FIELDS = ("VH", "IH", "TH", "SH", "VL", "IL", "TL", "SL")
WAVEFORM_FIELDS = ("V", "I", "T", "S")
ALWAYS = (":PMU:INIT", ":PMU:RPM:CONFIGURE", ":PMU:TEST:STATUS?", ":PMU:ABORT")
"""Commands that need no ``:PMU:INIT`` before. The manual has it first; which others may go before
it is ours, on the strict side.
"""
WHILE_RUNNING = (
    ":PMU:TEST:STATUS?", ":PMU:ABORT", ":PMU:OUTPUT:STATE", ":PMU:DATA:COUNT?", ":PMU:DATA:GET",
)  # fmt: skip


class KxciPulseUnit:
    """The card, and the test that runs on it."""

    def __init__(
        self,
        station: ProbeStation,
        rpms: dict[int, Rpm],
        before_switching: Callable[[Rpm], None],
        *,
        wired: int,
    ) -> None:
        """``before_switching`` lets what was held until now act on the cell; ``wired`` is the
        channel that leads to it.
        """
        self.wired = wired
        self.station = station
        self.rpms = rpms
        self._before_switching = before_switching
        self.initialized = False
        self._initialize(segments=False)

    def _initialize(self, *, segments: bool) -> None:
        self.segments = segments
        self.channels = {
            number: PulseChannel(number, self.station, rpm, wired=number == self.wired)
            for number, rpm in self.rpms.items()
        }
        self.period: Seconds = 1e-6
        self.mode = 1
        self.burst = 1
        self.sample_rate = 200e6
        self._test: Iterator[None] | None = None

    @property
    def running(self) -> bool:
        """Whether a test runs."""
        return self._test is not None

    def reset(self) -> None:
        """``*RST``: outputs off, tests stopped, everything as after ``:PMU:INIT 0``."""
        self._initialize(segments=False)

    @property
    def handlers(self) -> dict[str, Handler]:
        """Every ``:PMU:`` command; they are obeyed on any page."""
        found: dict[str, Handler] = {
            ":PMU:INIT": self._init,
            ":PMU:RPM:CONFIGURE": self.route,
            ":PMU:LOAD": self._set_load,
            ":PMU:LLEC:CONFIGURE": lambda a: self._switch("compensates", a),
            ":PMU:RETAIN:CONFIG": lambda a: self._switch("retains", a),
            ":PMU:CONNECTION:COMP": self._compensate_connection,
            ":PMU:MEASURE:MODE": self._set_mode,
            ":PMU:MEASURE:RANGE": self._set_measure_range,
            ":PMU:MEASURE:PIV": self._set_high_and_low,
            ":PMU:TIMES:PIV": self._check_fractions,
            ":PMU:TIMES:WAVEFORM": self._check_fractions,
            ":PMU:SAMPLE:RATE": self._set_sample_rate,
            ":PMU:SOURCE:RANGE": self._set_source_range,
            ":PMU:PULSE:TIMES": self._set_times,
            ":PMU:PULSE:TRAIN": self._set_train,
            ":PMU:PULSE:BURST:COUNT": self._set_burst,
            ":PMU:SWEEP:PULSE:AMPLITUDE": self._set_sweep,
            ":PMU:STEP:PULSE:AMPLITUDE": self._set_step,
            ":PMU:SARB:WFM:SEQ:LIST": self._set_playlist,
            ":PMU:OUTPUT:STATE": self._set_output,
            ":PMU:EXECUTE": self._execute,
            ":PMU:ABORT": self._abort,
            ":PMU:TEST:STATUS?": self._status,
            ":PMU:DATA:COUNT?": lambda a: str(len(self._channel(counted(a, 1)[0]).rows)),
            ":PMU:DATA:GET": self._get_data,
        }
        for array in ARRAYS:
            header = f":PMU:SARB:SEQ:{array}"
            found[header] = self._array_handler(array, append=False)
            found[f"{header}:ADD"] = self._array_handler(array, append=True)
        return {header: self._guarded(header, handler) for header, handler in found.items()}

    def _guarded(self, header: str, handler: Handler) -> Handler:
        """Only with ``:PMU:INIT`` before, and not while a test runs (the refusal is ours)."""

        def obey(arguments: Arguments) -> str | None:
            if not self.initialized and header not in ALWAYS:
                raise KxciError("the pulse card is not initialized, see :PMU:INIT")
            if self.running and header not in WHILE_RUNNING:
                raise KxciError("a test is running")
            return handler(arguments)

        return obey

    def route(self, arguments: Arguments) -> None:
        """``:PMU:RPM:CONFIGURE PMU1-1, 0``, in system mode also ``RP PMU1-1, 0``."""
        which, mode = counted(arguments, 2)
        match = HARDWARE_ID.fullmatch(which)
        if match is None:
            raise KxciError(f"there is no RPM {which[:20]!r}")
        number = 2 * int(match[1]) - 2 + int(match[2])
        wanted, rpm = whole(mode, 0, 3), self.rpms[number]
        if wanted != rpm.mode:
            self._before_switching(rpm)
            rpm.mode = wanted

    def _channel(self, text: str) -> PulseChannel:
        return self.channels[whole(text, 1, CHANNELS)]

    def _init(self, arguments: Arguments) -> None:
        self._initialize(segments=bool(whole(counted(arguments, 1)[0], 0, 1)))
        self.initialized = True

    def _set_load(self, arguments: Arguments) -> None:
        number, ohms = counted(arguments, 2)
        self._channel(number).load = real(ohms, 1.0, 1e7)

    def _switch(self, attribute: str, arguments: Arguments) -> None:
        number, state = counted(arguments, 2)
        setattr(self._channel(number), attribute, bool(whole(state, 0, 1)))

    def _compensate_connection(self, arguments: Arguments) -> None:
        """``ch, short, delay``: the wires here are ideal."""
        number, *states = counted(arguments, 3)
        self._channel(number)
        for state in states:
            whole(state, 0, 1)

    def _set_mode(self, arguments: Arguments) -> None:
        self.mode = whole(counted(arguments, 1)[0], 0, 4)

    def _set_measure_range(self, arguments: Arguments) -> None:
        number, kind = counted(arguments, 2, 3)[:2]
        channel, range_type = self._channel(number), whole(kind, 0, 2)
        ranges = RANGES[channel.source_range]
        if range_type:
            amperes = real(counted(arguments, 3)[2], 0.0, 1.0)
            fitting = [full for full in ranges if amperes <= full * 1.001]
            if not fitting:
                raise KxciError(f"there is no measure range for {amperes:g} A")
            channel.measure_range = fitting[0]
        channel.range_type = range_type

    def _set_high_and_low(self, arguments: Arguments) -> None:
        number, high, low = counted(arguments, 3)
        kept = bool(whole(high, 0, 1)), bool(whole(low, 0, 1))
        self._channel(number).high_and_low = kept if any(kept) else (True, True)
        if not any(kept):
            raise KxciError("neither high nor low is to be measured")

    def _check_fractions(self, arguments: Arguments) -> None:
        """Where in a pulse to measure: 0 to 1. Readings here do not depend on it."""
        number, first, last = counted(arguments, 3)
        self._channel(number)
        real(first, 0.0, 1.0)
        real(last, 0.0, 1.0)

    def _set_sample_rate(self, arguments: Arguments) -> None:
        self.sample_rate = real(counted(arguments, 1)[0], 1e3, 200e6)

    def _set_source_range(self, arguments: Arguments) -> None:
        number, volts = counted(arguments, 2)
        channel, span = self._channel(number), real(volts, 0.0, 40.0)
        channel.source_range = 10 if span <= 10 else 40
        ranges = RANGES[channel.source_range]
        channel.measure_range = next((r for r in ranges if channel.measure_range <= r), ranges[-1])

    def _set_times(self, arguments: Arguments) -> None:
        number, *texts = counted(arguments, 5, 6)
        channel = self._channel(number)
        shortest, edge = SHORTEST[channel.source_range]
        period = real(texts[0], *PERIODS)
        width = real(texts[1], shortest, period - 10e-9)
        rise, fall = (real(text, edge, SLOWEST_EDGE) for text in texts[2:4])
        delay = real(texts[4], 0.0, period) if len(texts) == 5 else 0.0
        if 0 < delay < edge * (1 - 1e-9):
            raise KxciError(f"a delay of {delay:g} s is too short")
        channel.width, channel.rise, channel.fall, channel.delay = width, rise, fall, delay
        self.period = period

    def _set_train(self, arguments: Arguments) -> None:
        number, base, amplitude = counted(arguments, 3)
        channel = self._channel(number)
        span = channel.source_range
        channel.base, channel.amplitude = real(base, -span, span), real(amplitude, -span, span)
        channel.sweep = channel.step = None

    def _set_burst(self, arguments: Arguments) -> None:
        self.burst = whole(counted(arguments, 1)[0], 1, MAX_BURST)

    def _set_sweep(self, arguments: Arguments) -> None:
        """``ch, start, stop, step, base, dual``."""
        number, start, stop, step, base, dual = counted(arguments, 6)
        channel = self._channel(number)
        values = self._amplitudes(channel, start, stop, step)
        channel.sweep = np.r_[values, values[::-1]] if whole(dual, 0, 1) else values
        channel.base = real(base, -channel.source_range, channel.source_range)

    def _set_step(self, arguments: Arguments) -> None:
        """``ch, start, stop, step, base``."""
        number, start, stop, step, base = counted(arguments, 5)
        channel = self._channel(number)
        channel.step = self._amplitudes(channel, start, stop, step)
        channel.base = real(base, -channel.source_range, channel.source_range)

    @staticmethod
    def _amplitudes(channel: PulseChannel, *texts: str) -> np.ndarray:
        span = channel.source_range
        start, stop, step = (real(text, -2 * span, 2 * span) for text in texts)
        if step == 0 or abs(stop - start) / abs(step) > MAX_SWEEP - 1:
            raise KxciError(f"a sweep has 1 to {MAX_SWEEP} points")
        count = int(abs(stop - start) / abs(step) + 1e-6) + 1
        return np.clip(start + np.sign(stop - start) * abs(step) * np.arange(count), -span, span)

    def _array_handler(self, array: str, *, append: bool) -> Handler:
        def store(arguments: Arguments) -> None:
            if len(arguments) < 3:
                raise KxciError(f"{len(arguments)} arguments")
            channel, number = self._channel(arguments[0]), whole(arguments[1], 1, SEQUENCES)
            values = array_values(array, arguments[2:], channel.source_range)
            channel.sequences.setdefault(number, SegmentSequence()).store(
                array, values, append=append
            )

        return store

    def _set_playlist(self, arguments: Arguments) -> None:
        """``ch, seq, loops, seq, loops, ...``."""
        if not 3 <= len(arguments) <= 1 + 2 * MAX_PLAYED or len(arguments) % 2 == 0:
            raise KxciError(f"{len(arguments)} arguments")
        channel = self._channel(arguments[0])
        pairs = zip(arguments[1::2], arguments[2::2], strict=True)
        playlist = [(whole(s, 1, SEQUENCES), whole(n, 1, MAX_LOOPS)) for s, n in pairs]
        if not {number for number, _ in playlist} <= channel.sequences.keys():
            raise KxciError("the list has a sequence that is not defined")
        channel.playlist = playlist

    def _set_output(self, arguments: Arguments) -> None:
        number, state = counted(arguments, 2)
        channel = self._channel(number)
        if whole(state, 0, 1):
            if self.running:
                raise KxciError("a test is running")
            channel.output = True
            return
        channel.output = False
        if not any(other.output for other in self.channels.values()):
            self._test = None  # switching off takes effect at once

    def _execute(self, arguments: Arguments) -> None:
        counted(arguments, 0)
        active = [channel for channel in self.channels.values() if channel.output]
        if not active:
            raise KxciError("no channel is on")
        for channel in active:
            if channel.rpm.mode != TO_PMU:
                raise KxciError(f"the RPM of channel {channel.number} is not switched to the PMU")
            channel.rows.clear()
        clock = self.station.clock
        if self.segments:
            self._test = SegmentTest(active, clock, sample_rate=self.sample_rate).run()
            return
        self._test = PulseTest(
            active,
            clock,
            period=self.period,
            mode=self.mode,
            burst=self.burst,
            sample_rate=self.sample_rate,
        ).run()

    def _status(self, arguments: Arguments) -> str:
        """1 while the test runs; each poll lets it go on."""
        counted(arguments, 0)
        until = self.station.clock.now + POLL_TIME
        for _ in range(POLL_STEPS):
            if self._test is None or self.station.clock.now >= until:
                break
            if next(self._test, self) is self:
                self._finish()
        return "1" if self.running else "0"

    def _finish(self) -> None:
        """Settings that are not to be retained are lost with the end of a test."""
        self._test = None
        for number, channel in self.channels.items():
            if not channel.retains:
                fresh = PulseChannel(number, self.station, channel.rpm, wired=channel.wired)
                fresh.rows, fresh.output = channel.rows, channel.output
                fresh.source_range = channel.source_range
                self.channels[number] = fresh

    def _abort(self, arguments: Arguments) -> None:
        """Stop, outputs off; readings are kept."""
        counted(arguments, 0)
        self._test = None
        for channel in self.channels.values():
            channel.output = False

    def _get_data(self, arguments: Arguments) -> str:
        """``ch[, start[, count[, fields...]]]``: points between semicolons, fields by commas."""
        if not 1 <= len(arguments) <= 3 + len(SPOT_FIELDS):
            raise KxciError(f"{len(arguments)} arguments")
        rows = self._channel(arguments[0]).rows
        first = whole(arguments[1], 0, 65536) if len(arguments) > 1 else 0
        count = whole(arguments[2], 1, MAX_POINTS) if len(arguments) > 2 else MAX_POINTS
        chosen = [text.upper() for text in arguments[3:]]
        return ";".join(
            ",".join(_fields([field for row in point for field in row], chosen))
            for point in rows[first : first + count]
        )


def _fields(values: list[float | str], chosen: list[str]) -> list[str]:
    """A point's fields as text, those asked for by name or all. Raises KxciError."""
    texts = [value if isinstance(value, str) else f"{value:.6E}" for value in values]
    names = SPOT_FIELDS if len(texts) > len(WAVEFORM_FIELDS) else WAVEFORM_FIELDS
    if not chosen:
        return texts
    if not set(chosen) <= set(names):
        raise KxciError(f"a reading has {' '.join(names)}")
    return [texts[names.index(field)] for field in chosen]
