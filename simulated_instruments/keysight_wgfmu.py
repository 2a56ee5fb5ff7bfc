"""Stand-in for the WGFMU instrument library: its C functions' signatures, wired to the die.

Signatures and names of errors after public programs that call ``wgfmu.dll``
(``tests/reference/wgfmu_signatures.csv``). One channel leads to the cell, the
others to nothing. Which error a wrong call gets, and that nothing limits the current, is
ours. Pointers are one-element (or longer) arrays, as ctypes hands them over.
"""
# ruff: noqa: N802, N803  names of functions and parameters are the library's

from collections.abc import Sequence
from typing import Any

from crossbar.units import Seconds, Volts
from simulated_instruments.probe_station import ProbeStation
from simulated_instruments.smu_terminals import READ_LEVEL
from simulated_instruments.wgfmu_channels import (
    AVERAGED,
    COMPLETED,
    CONTEXT,
    CURRENT_RANGES,
    DC,
    FAST_IV,
    FORCE_RANGES,
    LONGEST,
    LONGEST_AVERAGE,
    LONGEST_INTERVAL,
    MAX_BURST,
    MAX_LEVEL,
    MEASURES_VOLTAGE,
    MOST_LOOPS,
    MOST_VECTORS,
    NO_PATTERN,
    NOT_READY,
    NOT_RUNNING,
    PATTERN_EXISTS,
    PG,
    PULSE_IMPEDANCE,
    RAW,
    SHORTEST,
    Channel,
    WgfmuChannels,
    WgfmuError,
    answers_code,
)
from simulated_instruments.wgfmu_waveform import MeasureEvent, Pattern


class EmulatedKeysightWgfmu(WgfmuChannels):
    """The library, its session with a mainframe open."""

    def __init__(
        self,
        station: ProbeStation,
        channels: Sequence[int] = (501, 502),
        *,
        channel: int | None = None,
    ) -> None:
        """``channel`` leads to the cell; without it the first of ``channels``."""
        super().__init__(station, channels)
        self.wired = channel if channel is not None else next(iter(self.channels))
        self.patterns: dict[str, Pattern] = {}

    # Patterns and sequences: nothing happens before `WGFMU_execute`

    @answers_code
    def WGFMU_clear(self) -> None:
        """Forget all patterns and sequences."""
        self.patterns.clear()
        for channel in self.channels.values():
            channel.sequence.clear()

    @answers_code
    def WGFMU_createPattern(self, patternName: bytes, initialVoltage: float) -> None:
        """A pattern that begins at this level."""
        name = self._text(patternName)
        if name in self.patterns:
            raise WgfmuError(PATTERN_EXISTS, name)
        self._require(abs(initialVoltage) <= MAX_LEVEL, "voltage")
        self.patterns[name] = Pattern(times=[0.0], levels=[initialVoltage])

    @answers_code
    def WGFMU_addVector(self, patternName: bytes, deltaTime: float, voltage: float) -> None:
        """A straight line that lasts so long."""
        self._add(self._pattern(patternName), deltaTime, voltage)

    @answers_code
    def WGFMU_addVectors(
        self, patternName: bytes, deltaTimes: Any, voltages: Any, size: int
    ) -> None:
        """Several of them."""
        pattern = self._pattern(patternName)
        for place in range(size):
            self._add(pattern, deltaTimes[place], voltages[place])

    @answers_code
    def WGFMU_setMeasureEvent(
        self,
        patternName: bytes,
        eventName: bytes,
        time: float,
        measurementPoints: int,
        measurementInterval: float,
        averagingTime: float,
        rawData: int,
    ) -> None:
        """Samples while a pattern runs."""
        pattern = self._pattern(patternName)
        self._require(measurementPoints >= 1 and time >= 0, "points and time")
        self._require(SHORTEST <= measurementInterval <= LONGEST_INTERVAL, "interval")
        self._require(0 <= averagingTime <= LONGEST_AVERAGE, "averaging time")
        self._require(averagingTime <= measurementInterval * (1 + 1e-9), "averaging time")
        self._require(rawData in (AVERAGED, RAW), "raw data")
        event = MeasureEvent(
            self._text(eventName), time, measurementPoints, measurementInterval, averagingTime
        )
        self._require(event.end <= pattern.length + SHORTEST, "event goes on after the pattern")
        pattern.events.append(event)

    @answers_code
    def WGFMU_addSequence(self, channelId: int, patternName: bytes, loopCount: float) -> None:
        """Let a channel run a pattern so many times."""
        channel = self._channel(channelId)
        self._pattern(patternName)
        self._require(1 <= loopCount <= MOST_LOOPS, "loop count")
        channel.sequence.append((self._text(patternName), loopCount))

    @answers_code
    def WGFMU_getPatternForceValueSize(self, patternName: bytes, size: Any) -> None:
        """How many points a pattern has."""
        size[0] = len(self._pattern(patternName).times)

    @answers_code
    def WGFMU_getPatternForceValues(
        self, patternName: bytes, offset: int, size: Any, forceTimes: Any, forceValues: Any
    ) -> None:
        """Its points."""
        pattern = self._pattern(patternName)
        self._require(0 <= offset < len(pattern.times), "offset")
        size[0] = min(size[0], len(pattern.times) - offset)
        for place in range(size[0]):
            forceTimes[place] = pattern.times[offset + place]
            forceValues[place] = pattern.levels[offset + place]

    # Running

    @answers_code
    def WGFMU_execute(self) -> None:
        """Run the sequences of all connected channels, and return when they are over."""
        active = [c for c in self.channels.values() if c.connected and c.mode in (FAST_IV, PG)]
        if not active or not any(channel.sequence for channel in active):
            raise WgfmuError(CONTEXT, "no connected channel has a sequence")
        for channel in active:
            self._check_levels(channel)
        wired = self.channels.get(self.wired)
        started = self.station.clock.now
        longest = 0.0
        for channel in active:
            channel.readings = []
            channel.spent = self._run(channel, channel is wired)
            channel.status = COMPLETED
            longest = max(longest, channel.spent)
        passed = self.station.clock.now - started
        self.station.clock.advance(max(longest - passed, 0.0))

    @answers_code
    def WGFMU_abortChannel(self, channelId: int) -> None:
        """Stop a channel; nothing runs any more when this is called."""
        self._channel(channelId)
        raise WgfmuError(NOT_RUNNING, "the sequencer does not run")

    @answers_code
    def WGFMU_waitUntilCompleted(self) -> None:
        """Nothing runs any more when this is called."""

    @answers_code
    def WGFMU_getChannelStatus(
        self, channelId: int, status: Any, elapsedTime: Any, totalTime: Any
    ) -> None:
        """Completed, or idle where nothing has run."""
        channel = self._channel(channelId)
        status[0] = channel.status
        elapsedTime[0] = totalTime[0] = channel.spent

    @answers_code
    def WGFMU_getMeasureValueSize(self, channelId: int, measuredSize: Any, totalSize: Any) -> None:
        """How many samples there are, and will be."""
        measuredSize[0] = totalSize[0] = len(self._readings(channelId))

    @answers_code
    def WGFMU_getMeasureValues(
        self, channelId: int, offset: int, size: Any, measureTimes: Any, measureValues: Any
    ) -> None:
        """Times and values of the samples."""
        readings = self._readings(channelId)
        self._require(0 <= offset < max(len(readings), 1), "offset")
        size[0] = min(size[0], len(readings) - offset)
        for place in range(size[0]):
            measureTimes[place], measureValues[place] = readings[offset + place]

    @answers_code
    def WGFMU_dcforceVoltage(self, channelId: int, voltage: float) -> None:
        """Hold a level, in DC mode."""
        channel = self._channel(channelId)
        self._require_dc(channel)
        self._require(abs(voltage) <= MAX_LEVEL, "voltage")
        channel.level = voltage

    @answers_code
    def WGFMU_dcmeasureValue(self, channelId: int, value: Any) -> None:
        """Measure at this level, in DC mode."""
        channel = self._channel(channelId)
        self._require_dc(channel)
        value[0] = self._sample(channel, channel.level, self._is_wired(channel))

    # What is behind

    def _run(self, channel: Channel, wired: bool) -> Seconds:
        """One channel's sequence; the clock goes on, and readings are noted. Its length."""
        time = 0.0
        impedance = PULSE_IMPEDANCE if channel.mode == PG else 0.0
        for name, loops in channel.sequence:
            pattern = self.patterns[name]
            for _ in range(int(loops)):
                if channel.enabled and channel.mode == FAST_IV:
                    self._measure(channel, pattern, time, wired)
                spent = 0.0
                for pulse in pattern.pulses() if wired else ():
                    if abs(pulse.amplitude) <= READ_LEVEL:
                        continue  # it reads a cell and does not write it
                    cell = self.station.pulsed_cell
                    self.station.pulse(cell, pulse.amplitude, pulse.width, impedance)
                    spent += pulse.width
                if wired:
                    self.station.clock.advance(max(pattern.length - spent, 0.0))
                time += pattern.length
        return time

    def _measure(self, channel: Channel, pattern: Pattern, start: Seconds, wired: bool) -> None:
        assert channel.readings is not None
        for event in pattern.events:
            for time in event.times:
                value = self._sample(channel, pattern.level_at(time), wired)
                channel.readings.append((start + time, value))

    def _sample(self, channel: Channel, volts: Volts, wired: bool) -> float:
        if channel.measures == MEASURES_VOLTAGE:
            return volts
        most = CURRENT_RANGES[channel.current_range]
        current = self.station.current(self.station.measured_cell, volts) if wired else 0.0
        return min(max(current, -most), most)

    def _check_levels(self, channel: Channel) -> None:
        """Before anything runs: ranges, and how many runs there are. Raises WgfmuError."""
        low, high = FORCE_RANGES[channel.force_range]
        if channel.mode == PG:
            low, high = max(low, -5.0), min(high, 5.0)
        for name, loops in channel.sequence:
            levels = self.patterns[name].levels
            self._require(low <= min(levels) and max(levels) <= high, f"{name}: range")
            self._require(loops <= MAX_BURST, f"{name}: so many loops are not emulated")

    def _is_wired(self, channel: Channel) -> bool:
        return channel.connected and channel is self.channels.get(self.wired)

    def _require_dc(self, channel: Channel) -> None:
        if channel.mode != DC or not channel.connected:
            raise WgfmuError(CONTEXT, "the channel is not connected in DC mode")

    def _readings(self, number: int) -> list[tuple[Seconds, float]]:
        readings = self._channel(number).readings
        if readings is None:
            raise WgfmuError(NOT_READY, f"channel {number}")
        return readings

    def _pattern(self, name: bytes) -> Pattern:
        text = self._text(name)
        if text not in self.patterns:
            raise WgfmuError(NO_PATTERN, text)
        return self.patterns[text]

    def _add(self, pattern: Pattern, duration: Seconds, volts: Volts) -> None:
        self._require(SHORTEST * (1 - 1e-9) <= duration <= LONGEST, "time")
        self._require(abs(volts) <= MAX_LEVEL, "voltage")
        self._require(len(pattern.times) < MOST_VECTORS, "number of vectors")
        pattern.add(duration, volts)
