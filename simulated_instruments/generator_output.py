"""What the output stage of an emulated pulse generator does to the cell.

Levels, load, polarity, limits and bursts are the same in every SCPI pulse generator of the catalog;
a subclass declares the settings under its own headers and says what its hardware can do. What the
manuals leave open (what a wrongly set output does until somebody notices) is ours and marked so.
"""

from typing import Any, ClassVar

from crossbar.units import Ohms, Seconds, Volts
from simulated_instruments.probe_station import ProbeStation
from simulated_instruments.scpi import ScpiInstrument
from simulated_instruments.scpi_grammar import ScpiError

SOURCE_IMPEDANCE: Ohms = 50.0
EDGE_SPAN = 1.25
"""A straight edge lasts 1.25 times its 10 % to 90 % time. Ours: the pulse must hold both halves."""
REACTION_TIME: Seconds = 1e-3
"""How long a wrongly set output acts on the cell before anybody can switch it off. Ours."""
EPSILON = 1e-9
TOLERANCE = 1e-3
"""Of the hardware's own limits: programmed volts differ from open-circuit volts by 50 Ohm."""


class GeneratorOutput(ScpiInstrument):
    """One output behind 50 Ohm, wired to the pulse input of the board.

    A subclass has the settings ``output``, ``polarity``, ``amplitude``, ``offset``, ``load``,
    ``limit_high``, ``limit_low``, ``limits_enabled``, ``width``, ``period``, ``leading``,
    ``trailing``, ``arm_source`` ("IMM" runs freely, "MAN", "EXT") and ``count``.
    """

    SMALLEST_SWING: ClassVar[Volts]
    """Smallest high level minus low level, open circuit."""
    LARGEST_SWING: ClassVar[Volts]
    LARGEST_LEVEL: ClassVar[Volts]
    """Largest magnitude of a level, open circuit."""
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

    def __init__(self, station: ProbeStation) -> None:
        super().__init__()
        self.station = station

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
        if self.arm_source != "MAN":
            self.report(ScpiError(-211, "not armed for manual triggers"))
            return
        self._send_pulses()

    def external_trigger(self) -> None:
        """A pulse at the external trigger input."""
        if self.arm_source == "EXT":
            self._send_pulses()

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
        if not self.output:
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
