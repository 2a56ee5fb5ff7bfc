"""What emulated function generators have beyond a pulse generator's output.

One or two channels with settings of their own, of which the first is wired to the board; bursts;
amplitudes in several units; loads, which rescale the levels when they change. Generators of this
kind adjust times that contradict each other instead of refusing them; the exact rule is ours.
"""

import math
from typing import Any, ClassVar

from crossbar.units import Seconds, Volts
from simulated_instruments.generator_output import (
    EDGE_SPAN,
    REACTION_TIME,
    ChannelSetting,
    GeneratorOutput,
)
from simulated_instruments.probe_station import ProbeStation
from simulated_instruments.scpi_grammar import NUMBER, Parameter, ScpiError, number

INFINITE = 9.9e37
"""How SCPI writes infinity."""
LONGEST_BURST = 100_000
"""Of these emulators; the instruments count further."""
LONGEST_PERIOD: Seconds = 1e6
MILLIWATT = 1e-3
PEAK_TO_PEAK = {"SQU": 2.0, "PULS": 2.0, "RAMP": 2 * math.sqrt(3), "TRI": 2 * math.sqrt(3)}
"""Volts peak to peak for one volt rms; a sine's for all other shapes."""
UNITS = (b"VPP", b"VRMS", b"DBM")


def or_word(parameter: Parameter, **words: float) -> Parameter:
    """A number, or one of a few words that stand for one, such as INFinity."""

    def read(text: bytes) -> object:
        known = text.strip().upper().decode("latin-1")
        return words[known] if known in words else parameter(text)

    return read


def amplitude_with_unit(text: bytes) -> tuple[float, str]:
    """``1.5``, ``1.5 V``, ``500MV``, ``1.5VPP``, ``-3DBM``; "" where no unit was given."""
    match = NUMBER.fullmatch(text)
    unit = match[2].upper() if match else b""
    if match and unit in UNITS:
        return float(match[1]), unit.decode()
    volts = number("V", -100.0, 100.0)(text)
    return volts, "VPP" if unit else ""


class AmplitudeSetting(ChannelSetting):
    """Volts peak to peak inside; outside in the channel's unit."""

    def change(self, instrument: Any, value: Any) -> None:
        """Take a number with its unit."""
        given, unit = value
        super().change(instrument, instrument.peak_to_peak(given, unit or instrument.unit))

    def answer(self, instrument: Any) -> str:
        """A number in the channel's unit."""
        return f"{instrument.in_unit(instrument.amplitude):+.9E}"


class FrequencySetting(ChannelSetting):
    """The period, said the other way round."""

    def change(self, instrument: Any, value: Any) -> None:
        """A frequency in hertz."""
        type(instrument).period.change(instrument, 1 / value)

    def answer(self, instrument: Any) -> str:
        """A frequency in hertz."""
        return f"{1 / instrument.period:+.9E}"


class LoadSetting(ChannelSetting):
    """The load that programmed volts refer to."""

    def change(self, instrument: Any, value: Any) -> None:
        """What the output stage does stays; the same levels read differently."""
        before = dict(instrument.settings)
        ratio = instrument.open_circuit_ratio
        instrument.settings[self.name] = value
        ratio /= instrument.open_circuit_ratio
        for name in ("amplitude", "offset", "limit_high", "limit_low"):
            instrument.settings[name] *= ratio
        try:
            super().change(instrument, value)
        except ScpiError:
            instrument.settings = before
            raise


class BurstOutput(GeneratorOutput):
    """A function generator of one or two channels.

    A subclass declares, besides what `GeneratorOutput` asks for, the `ChannelSetting` s
    ``function``, ``unit``, ``burst`` (bool) and ``cycles``, and gives `arm_source`.
    """

    SHORTEST_PERIOD: ClassVar[Seconds]
    function: Any
    unit: Any
    burst: Any
    cycles: Any

    def __init__(
        self, station: ProbeStation, *, channels: int, shortest_width: Seconds, edge: Seconds
    ) -> None:
        super().__init__(station, channels=channels)
        self.shortest_width = shortest_width
        self.fastest_edge = edge

    @property
    def sends_pulses(self) -> bool:
        """Other shapes than pulses do nothing when triggered here."""
        return bool(self.function == "PULS")

    @property
    def count(self) -> int:
        """Pulses of one burst."""
        return int(self.cycles)

    @property
    def open_circuit_ratio(self) -> float:
        """Open-circuit volts for one programmed volt."""
        return self._open_circuit(1.0)

    @property
    def runs_freely(self) -> bool:
        """Whether nothing has to trigger it."""
        return not self.burst or self.arm_source == "IMM"

    def check_settings(self) -> None:
        """Levels must fit together; times are made to fit."""
        self._check_levels()
        if self.width < self.shortest_width * (1 - 1e-9):
            raise ScpiError(-222, f"a width of {self.width:g} s")
        if min(self.leading, self.trailing) < self.fastest_edge * (1 - 1e-9):
            raise ScpiError(-222, "an edge faster than this model's")
        if not self.sends_pulses:
            return
        self.period = max(self.period, self.SHORTEST_PERIOD)
        self.width = min(self.width, self.period - self.shortest_width)
        slowest = max(self.fastest_edge, min(self.width, self.period - self.width) / EDGE_SPAN)
        self.leading = min(self.leading, slowest)
        self.trailing = min(self.trailing, slowest)

    def settings_changed(self) -> None:
        """Only output 1 leads to a cell; free running, both levels act on it."""
        if not self.is_wired or not self.output:
            return
        pulse_level, idle_level = self._levels()
        for volts in (idle_level, pulse_level) if self.runs_freely else (idle_level,):
            if abs(volts) > 1e-9:
                self._drive(volts, REACTION_TIME)

    def peak_to_peak(self, value: float, unit: str) -> Volts:
        """A number in a unit as volts peak to peak across the load. Raises ScpiError -221."""
        shape = PEAK_TO_PEAK.get(self.function, 2 * math.sqrt(2))
        if unit == "VPP":
            return value
        if unit == "VRMS":
            return value * shape
        if self.load >= INFINITE or value > 100:
            raise ScpiError(-221, "dBm needs a finite load")
        return math.sqrt(MILLIWATT * 10 ** (value / 10) * self.load) * shape

    def in_unit(self, volts: Volts) -> float:
        """The inverse of `peak_to_peak`, in the channel's unit."""
        if self.unit == "VPP":
            return volts
        rms = volts / PEAK_TO_PEAK.get(self.function, 2 * math.sqrt(2))
        if self.unit == "VRMS":
            return rms
        return 10 * math.log10(rms**2 / self.load / MILLIWATT)

    def _levels(self) -> tuple[Volts, Volts]:
        """Pulses idle at one level; other shapes at the offset, where they begin."""
        if self.function in ("PULS", "SQU"):
            return super()._levels()
        return (self.offset if self.function == "DC" else self.high), self.offset

    def _send_pulses(self) -> None:
        """One burst; an endless one acts for as long as it takes to notice."""
        if not self.burst:
            return
        if self.cycles < INFINITE:
            super()._send_pulses()
        elif self.output:
            self._drive(self._levels()[0], REACTION_TIME)
