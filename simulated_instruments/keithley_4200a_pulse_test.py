"""What a 4225-PMU does between ``:PMU:EXECUTE`` and the end of the test, pulse by pulse.

Generators, one step a pulse or a loop: a test lasts as long as it lasts, and can be aborted.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from crossbar.units import Seconds, Volts
from simulated_instruments.clock import VirtualClock
from simulated_instruments.keithley_4200a_pulse_channel import (
    FIXED_RANGE,
    MAX_POINTS,
    PulseChannel,
)
from simulated_instruments.keithley_4200a_segments import Segment, pulses_of
from simulated_instruments.keithley_4200a_syntax import KxciError

TRIAL_PULSES = 3
"""Pulses of load-line compensation before each point, and one of automatic ranging. Ours; that the
device gets more pulses than were asked for is the manual's."""
SPOT_MEAN, WAVEFORM = (1, 3), (2, 4)
AVERAGED = (3, 4)
MEASURED_AT = 0.8
"""A spot mean is taken towards the end of a pulse. Ours."""
FASTEST_SAMPLING = 200e6


class PulseTest:
    """A burst of standard pulses, or a sweep of them, on all channels that are on."""

    def __init__(
        self, channels: Sequence[PulseChannel], clock: VirtualClock, *, period: Seconds, mode: int,
        burst: int, sample_rate: float,
    ) -> None:  # fmt: skip
        """Raises KxciError for settings that do not fit together."""
        self.channels = channels
        self.clock = clock
        self.period = period
        self.mode = mode
        self.burst = burst
        self.sample_rate = sample_rate
        for channel in channels:
            channel.check_levels()
            self._check_times(channel)
        self.points = self._amplitudes()

    def run(self) -> Iterator[None]:
        """Yields after every pulse."""
        started = self.clock.now
        for amplitudes in self.points:
            for _ in range(self._trials()):
                self._pulse(amplitudes)
                yield
            for number in range(self.burst):
                begun = self.clock.now - started
                self._pulse(amplitudes)
                if self.mode not in AVERAGED or number == self.burst - 1:
                    self._measure(amplitudes, begun)
                yield

    def _trials(self) -> int:
        compensated = any(channel.compensates for channel in self.channels)
        ranging = any(channel.range_type != FIXED_RANGE for channel in self.channels)
        return (TRIAL_PULSES if compensated else 0) + (1 if ranging and self.mode else 0)

    def _amplitudes(self) -> list[dict[int, Volts]]:
        """High levels by channel number, point after point: steps outside, sweeps inside."""
        fixed = {channel.number: channel.amplitude for channel in self.channels}
        steps = [c for c in self.channels if c.step is not None]
        sweeps = [c for c in self.channels if c.sweep is not None]
        outer = max((len(c.step) for c in steps if c.step is not None), default=1)
        inner = max((len(c.sweep) for c in sweeps if c.sweep is not None), default=1)
        points = []
        for place in range(outer * inner):
            point = dict(fixed)
            for channel, values, index in (
                *((c, c.step, place // inner) for c in steps),
                *((c, c.sweep, place % inner) for c in sweeps),
            ):
                if values is not None:
                    point[channel.number] = float(values[min(index, len(values) - 1)])
            points.append(point)
        return points

    def _check_times(self, channel: PulseChannel) -> None:
        """The manual's rules for edges, width, delay and period of one pulse."""
        edges = 0.5 * (channel.rise + channel.fall)
        off_time = self.period - channel.delay - channel.width - edges
        if channel.width <= edges or channel.rise > channel.width * (1 + 1e-9):
            raise KxciError("edges are too slow for the pulse width")
        if off_time <= 40e-9 * (1 - 1e-6):
            raise KxciError("the period is too short")

    def _pulse(self, amplitudes: dict[int, Volts]) -> None:
        """One period on all channels; the wired one moves the clock."""
        wired = [channel for channel in self.channels if channel.wired]
        if not wired:
            self.clock.advance(self.period)
        for channel in wired:
            channel.drive(channel.base, channel.delay)
            channel.drive(amplitudes[channel.number], channel.width)
            channel.drive(channel.base, self.period - channel.delay - channel.width)

    def _measure(self, amplitudes: dict[int, Volts], begun: Seconds) -> None:
        for channel in self.channels:
            high = amplitudes[channel.number]
            if self.mode in SPOT_MEAN:
                when = begun + channel.delay + MEASURED_AT * channel.width
                rows = (
                    channel.reading(high, when, waveform=False),
                    channel.reading(channel.base, when + channel.width, waveform=False),
                )
                kept = [r for r, on in zip(rows, channel.high_and_low, strict=True) if on]
                channel.store(*kept)
            elif self.mode in WAVEFORM:
                self._capture(channel, high, begun)

    def _capture(self, channel: PulseChannel, high: Volts, begun: Seconds) -> None:
        """Samples of one pulse; KXCI slows the sampling so that all fit into its memory."""
        edges = 0.5 * (channel.rise + channel.fall)
        length = channel.delay + channel.width + edges
        pulses = len(self.points) * (1 if self.mode in AVERAGED else self.burst)
        count = max(2, min(int(length * self.sample_rate), MAX_POINTS // pulses))
        times = np.linspace(0.0, length, count)
        top = channel.delay + channel.rise
        corners = [
            channel.delay,
            top,
            channel.delay + length - channel.delay - channel.fall,
            length,
        ]
        levels = np.interp(times, corners, [channel.base, high, high, channel.base])
        store_samples(channel, levels, begun + times, peak=high)


class SegmentTest:
    """Sequences of segments, on all channels that are on."""

    def __init__(
        self, channels: Sequence[PulseChannel], clock: VirtualClock, *, sample_rate: float
    ) -> None:
        """Raises KxciError for sequences that are not there or do not fit."""
        self.clock = clock
        self.sample_rate = sample_rate
        self.plans: list[tuple[PulseChannel, dict[int, list[Segment]]]] = []
        for channel in channels:
            if not channel.playlist:
                raise KxciError(f"channel {channel.number} has no list of sequences")
            if channel.range_type != FIXED_RANGE:
                raise KxciError("Segment ARB needs a fixed measure range")
            unknown = {number for number, _ in channel.playlist} - channel.sequences.keys()
            if unknown:
                raise KxciError(f"sequence {min(unknown)} is not defined")
            played = {
                number: channel.sequences[number].segments(channel.source_range)
                for number, _ in channel.playlist
            }
            self.plans.append((channel, played))

    def run(self) -> Iterator[None]:
        """Yields after every loop of a sequence on the channel with the cell; others follow."""
        started = self.clock.now
        for channel, played in sorted(self.plans, key=lambda plan: not plan[0].wired):
            moves_time = channel.wired or len(self.plans) == 1
            elapsed = 0.0
            for number, loops in channel.playlist:
                for _ in range(loops):
                    begun = self.clock.now - started if moves_time else elapsed
                    self._play(channel, played[number], begun, moves_time)
                    elapsed += sum(segment.duration for segment in played[number])
                    yield

    def _play(
        self, channel: PulseChannel, segments: list[Segment], begun: Seconds, moves_time: bool
    ) -> None:
        for level, duration in pulses_of(segments):
            if moves_time:
                channel.drive(level, duration)
        when = begun
        for segment in segments:
            if segment.measure:
                self._measure(channel, segment, when)
            when += segment.duration

    def _measure(self, channel: PulseChannel, segment: Segment, when: Seconds) -> None:
        window = segment.measure_to - segment.measure_from
        slope = (segment.stop - segment.start) / segment.duration
        if segment.measure in SPOT_MEAN:
            middle = segment.measure_from + window / 2
            level = segment.start + slope * middle
            channel.store(channel.reading(level, when + middle, waveform=False))
            return
        room = MAX_POINTS - len(channel.rows)
        count = min(max(2, int(window * self.sample_rate)), room)
        if count > 0:
            times = segment.measure_from + np.linspace(0.0, window, count)
            levels = segment.start + slope * times
            peak = max(segment.start, segment.stop, key=abs)
            store_samples(channel, levels, when + times, peak=peak)


def store_samples(
    channel: PulseChannel, levels: np.ndarray, times: np.ndarray, *, peak: Volts
) -> None:
    """Samples of a waveform: the cell's conductance is taken once, at the peak."""
    volts_at_peak, amperes, _, status = channel.reading(peak, 0.0, waveform=True)
    scale = levels / peak if peak else np.zeros_like(levels)
    rows = zip(
        (scale * volts_at_peak).tolist(), (scale * amperes).tolist(), times.tolist(), strict=True
    )
    room = MAX_POINTS - len(channel.rows)
    channel.rows.extend([((v, i, t, status),) for v, i, t in rows][:room])
