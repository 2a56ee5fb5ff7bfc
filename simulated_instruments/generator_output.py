"""What the output stage of an emulated pulse generator does to the cell.

Levels, load, polarity, limits and bursts are the same in every SCPI pulse generator of the catalog;
a subclass declares the settings under its own headers and says what its hardware can do. What the
manuals leave open (what a wrongly set output does until somebody notices) is ours and marked so.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from crossbar.errors import ConfigurationError
from crossbar.units import Ohms, Seconds, Volts
from simulated_instruments.probe_station import ProbeStation
from simulated_instruments.scpi import ScpiInstrument, Setting
from simulated_instruments.scpi_grammar import ScpiError

SOURCE_IMPEDANCE: Ohms = 50.0
EDGE_SPAN = 1.25
"""A straight edge lasts 1.25 times its 10 % to 90 % time. Ours: the pulse must hold both halves."""
REACTION_TIME: Seconds = 1e-3
"""How long a wrongly set output acts on the cell before anybody can switch it off. Ours."""
EPSILON = 1e-9
TOLERANCE = 1e-3
"""Of the hardware's own limits: programmed volts differ from open-circuit volts by 50 Ohm."""


def never_added(text: bytes) -> str:
    """``CHANnel:MATH``: the sum of both outputs on one of them is not emulated."""
    if text.strip().upper() != b"OFF":
        raise ScpiError(-221, "adding the outputs is not emulated")
    return "OFF"


class ChannelSetting(Setting):
    """A setting that every channel has; its header carries one numeric suffix."""

    def _change(self, instrument: Any, *values: object) -> None:
        with instrument.on_channel(values[0]):
            self.change(instrument, values[1])

    def _answer(self, instrument: Any, *values: object) -> str:
        with instrument.on_channel(values[0]):
            return self.answer(instrument)

    def change(self, instrument: Any, value: Any) -> None:
        """Set it on the channel that the header named."""
        super()._change(instrument, value)

    def answer(self, instrument: Any) -> str:
        """What the query answers for that channel."""
        return super()._answer(instrument)


class GeneratorOutput(ScpiInstrument):
    """Outputs behind 50 Ohm, one of which is wired to the pulse input of the board.

    What is declared as a `ChannelSetting` every output has for itself; other settings are common.

    A subclass has the settings ``output``, ``polarity``, ``amplitude``, ``offset``, ``load``,
    ``limit_high``, ``limit_low``, ``limits_enabled``, ``width``, ``period``, ``leading``,
    ``trailing``, ``arm_source`` ("IMM" runs freely, "MAN", "EXT") and ``count``.
    """

    SMALLEST_SWING: ClassVar[Volts]
    """Smallest high level minus low level, open circuit."""
    LARGEST_SWING: ClassVar[Volts]
    LARGEST_LEVEL: ClassVar[Volts]
    """Largest magnitude of a level, open circuit."""
    _common: ClassVar[tuple[str, ...]]
    """Settings that all channels share."""
    output: Any
    polarity: Any
    amplitude: Any
    offset: Any
    load: Any
    limit_high: Any
    limit_low: Any
    limits_enabled: Any
    width: Any
    period: Any
    leading: Any
    trailing: Any
    arm_source: Any
    count: Any

    def __init__(self, station: ProbeStation, *, channels: int = 1, wired: int = 1) -> None:
        """``wired`` is the output that leads to a cell. Raises ConfigurationError if there is no
        such output.
        """
        if not 1 <= wired <= channels:
            raise ConfigurationError(
                f"The emulated generator has outputs 1 to {channels}, and output {wired} was to be "
                "wired. Correct its options in bench.toml."
            )
        super().__init__()
        self.station = station
        self.channels = channels
        self.wired = wired
        self._channel = 1
        self._other = dict(self._defaults)
        """The settings of the channel that is not selected."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._common = tuple(
            name for name in cls._defaults if not isinstance(getattr(cls, name), ChannelSetting)
        )

    @contextmanager
    def on_channel(self, channel: int) -> Iterator[None]:
        """Within, `settings` are those of a channel. Raises ScpiError -114 if there is none."""
        if channel > self.channels:
            raise ScpiError(-114, f"there is no channel {channel}")
        if channel == self._channel:
            yield
            return
        before = self._channel
        self._swap(channel)
        try:
            yield
        finally:
            self._swap(before)

    def _swap(self, channel: int) -> None:
        self._other.update({name: self.settings[name] for name in self._common})
        self.settings, self._other, self._channel = self._other, self.settings, channel

    @property
    def is_wired(self) -> bool:
        """Whether the selected channel leads to a cell."""
        return self._channel == self.wired

    def restore_defaults(self) -> None:
        """Of all channels."""
        super().restore_defaults()
        self._other = dict(self._defaults)

    @property
    def sends_pulses(self) -> bool:
        """Whether the shape of the output is a pulse."""
        return True

    @property
    def high(self) -> Volts:
        """The high level, as programmed."""
        return self.offset + self.amplitude / 2

    @property
    def low(self) -> Volts:
        """The low level, as programmed."""
        return self.offset - self.amplitude / 2

    def trigger(self) -> None:
        """``*TRG``, group execute trigger: starts a pulse if armed by hand, else is ignored."""
        if not self._start("MAN"):
            self.report(ScpiError(-211, "not armed for manual triggers"))

    def external_trigger(self) -> None:
        """A pulse at the external trigger input."""
        self._start("EXT")

    def _start(self, armed_by: str) -> bool:
        """A trigger reaches every channel; whether one was waiting for it."""
        waiting = False
        for channel in range(1, self.channels + 1):
            with self.on_channel(channel):
                if self.arm_source == armed_by:
                    waiting = True
                    if self.is_wired:  # the others lead nowhere
                        self._send_pulses()
        return waiting

    def check_settings(self) -> None:
        """Levels, limits, edges and period must fit together."""
        self._check_levels()
        half_edges = EDGE_SPAN * (self.leading + self.trailing) / 2
        if self.sends_pulses and self.width < half_edges * (1 - EPSILON):
            raise ScpiError(-221, "edges are too slow for the pulse width")
        # User guide p. 142; the period does not matter for triggered single pulses.
        needed = self.width + 1.6 * max(self.leading, self.trailing)
        if self.sends_pulses and self._repeats and self.period < needed * (1 - EPSILON):
            raise ScpiError(-221, "period is shorter than width + 1.6 x edge")

    def settings_changed(self) -> None:
        """An output that is on and wrongly set acts on the cell, as long as it takes to notice."""
        if not self.output or not self.is_wired:
            return
        pulse_level, idle_level = self._levels()
        levels = (idle_level, pulse_level) if self.arm_source == "IMM" else (idle_level,)
        for volts in levels:
            if abs(volts) > EPSILON:
                self._drive(volts, REACTION_TIME)

    @property
    def _repeats(self) -> bool:
        return self.arm_source == "IMM" or self.count > 1

    def _levels(self) -> tuple[Volts, Volts]:
        """Level during a pulse, and level at idle."""
        return (self.high, self.low) if self.polarity == "NORM" else (self.low, self.high)

    def _open_circuit(self, programmed: Volts) -> Volts:
        """Programmed volts are those across the programmed load, behind 50 Ohm."""
        return programmed * (self.load + SOURCE_IMPEDANCE) / self.load

    def _check_levels(self) -> None:
        swing = self._open_circuit(self.amplitude)
        if (
            not self.SMALLEST_SWING * (1 - TOLERANCE)
            <= swing
            <= self.LARGEST_SWING * (1 + TOLERANCE)
        ):
            raise ScpiError(-221, f"amplitude of {swing:g} V open circuit")
        for level in (self.high, self.low):
            if abs(self._open_circuit(level)) > self.LARGEST_LEVEL * (1 + TOLERANCE):
                raise ScpiError(-221, f"level of {self._open_circuit(level):g} V open circuit")
            if self.limits_enabled and not (
                self.limit_low - EPSILON <= level <= self.limit_high + EPSILON
            ):
                raise ScpiError(-222, f"level of {level:g} V is beyond VOLTage:LIMit")

    def _set_levels(self, high: Volts, low: Volts) -> None:
        before = dict(self.settings)
        self.amplitude, self.offset = high - low, (high + low) / 2
        try:
            self.check_settings()
        except ScpiError:
            self.settings = before
            raise
        self.settings_changed()

    def _send_pulses(self) -> None:
        """One burst of `count` pulses, if the output is on."""
        if not self.output or not self.sends_pulses:
            return
        for sent in range(self.count):
            if sent:
                self.station.clock.advance(self.period - self.width)
            self._drive(self._levels()[0], self.width)

    def _drive(self, programmed: Volts, width: Seconds) -> None:
        self.station.pulse(
            self.station.pulsed_cell, self._open_circuit(programmed), width, SOURCE_IMPEDANCE
        )
