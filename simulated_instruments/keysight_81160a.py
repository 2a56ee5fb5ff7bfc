"""Emulated Keysight 81160A: output 1 is wired to the pulse input of the board.

Command names and ranges after the instrument's user guide and PyMeasure's driver; what neither
says (the rule for edges, what free running does to a cell) is ours and marked so.
"""

from crossbar.units import Ohms, Seconds, Volts
from simulated_instruments.probe_station import ProbeStation
from simulated_instruments.scpi import ScpiInstrument, Setting, scpi
from simulated_instruments.scpi_grammar import ScpiError, boolean, integer, number, word

SOURCE_IMPEDANCE: Ohms = 50.0
MAX_OPEN_CIRCUIT: Volts = 10.0
MIN_AMPLITUDE_OPEN: Volts = 0.1
MAX_AMPLITUDE_OPEN: Volts = 10.0
"""5 Vpp into 50 Ohm."""
EDGE_SPAN = 1.25
"""A straight edge lasts 1.25 times its 10 % to 90 % time. Ours: the pulse must hold both halves."""
REACTION_TIME: Seconds = 1e-3
"""How long a wrongly set output acts on the cell before anybody can switch it off. Ours."""
MAX_BURST = 65536
"""Longest burst of this emulator; the instrument counts to 2147483647."""
EPSILON = 1e-9


class EmulatedKeysight81160A(ScpiInstrument):
    """A one-channel 81160A. Nothing reaches the cell while the output is off."""

    IDENTITY = "Agilent Technologies,81160A,DE47C00000,1.0.3.0-2.6"

    function = Setting("FUNCtion{1-1}", word("PULSe", "SINusoid", "SQUare", "RAMP", "DC"), "SIN")
    load = Setting("OUTPut{1-1}:LOAD", number("OHM", 0.3, 1e6), 50.0)
    output = Setting("OUTPut{1-1}[:STATe]", boolean, False)
    polarity = Setting("OUTPut{1-1}:POLarity", word("NORMal", "INVerted"), "NORM")
    amplitude = Setting("[SOURce:]VOLTage{1-1}[:AMPLitude]", number("V", 0.0, 20.0), 1.0)
    offset = Setting("[SOURce:]VOLTage{1-1}:OFFSet", number("V", -10.0, 10.0), 0.0)
    limit_high = Setting("[SOURce:]VOLTage{1-1}:LIMit:HIGH", number("V", -9.99, 10.0), 10.0)
    limit_low = Setting("[SOURce:]VOLTage{1-1}:LIMit:LOW", number("V", -10.0, 9.99), -10.0)
    limits_enabled = Setting("[SOURce:]VOLTage{1-1}:LIMit:STATe", boolean, False)
    period = Setting("[SOURce:]PULSe:PERiod{1-1}", number("S", 2e-9, 1e6), 1e-6)
    width = Setting("[SOURce:]PULSe:WIDTh{1-1}", number("S", 1.5e-9, 1e6), 1e-7)
    hold = Setting("[SOURce:]PULSe:HOLD{1-1}", word("WIDTh", "DCYCle"), "DCYC")
    leading = Setting(
        "[SOURce:]FUNCtion{1-1}:PULSe:TRANsition[:LEADing]", number("S", 1e-9, 1e3), 2.5e-9
    )
    trailing = Setting(
        "[SOURce:]FUNCtion{1-1}:PULSe:TRANsition:TRAiling", number("S", 1e-9, 1e3), 2.5e-9
    )
    arm_source = Setting("ARM:SOURce{1-1}", word("IMMediate", "INT2", "EXTernal", "MANual"), "IMM")
    count = Setting("TRIGger{1-1}:COUNt", integer(1, MAX_BURST), 1)

    def __init__(self, station: ProbeStation) -> None:
        super().__init__()
        self.station = station

    @property
    def high(self) -> Volts:
        """The high level, as programmed."""
        return self.offset + self.amplitude / 2

    @property
    def low(self) -> Volts:
        """The low level, as programmed."""
        return self.offset - self.amplitude / 2

    @scpi("[SOURce:]VOLTage{1-1}:HIGH", number("V", -10.0, 10.0))
    def _set_high(self, _channel: int, volts: Volts) -> None:
        self._set_levels(volts, self.low)

    @scpi("[SOURce:]VOLTage{1-1}:LOW", number("V", -10.0, 10.0))
    def _set_low(self, _channel: int, volts: Volts) -> None:
        self._set_levels(self.high, volts)

    @scpi("[SOURce:]VOLTage{1-1}:HIGH?")
    def _answer_high(self, _channel: int) -> str:
        return f"{self.high:+.9E}"

    @scpi("[SOURce:]VOLTage{1-1}:LOW?")
    def _answer_low(self, _channel: int) -> str:
        return f"{self.low:+.9E}"

    @scpi("TRIGger{1-1}[:IMMediate]")
    def _trigger_now(self, _channel: int) -> None:
        self.trigger()

    def trigger(self) -> None:
        """``*TRG``, group execute trigger: starts a pulse if armed by hand, else is ignored."""
        if self.arm_source != "MAN":
            self.report(ScpiError(-211, "ARM:SOURce1 is not MANual"))
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
        if self.function == "PULS" and self.width < half_edges * (1 - EPSILON):
            raise ScpiError(-221, "edges are too slow for the pulse width")
        # User guide p. 142; the period does not matter for triggered single pulses.
        needed = self.width + 1.6 * max(self.leading, self.trailing)
        if self.function == "PULS" and self._repeats and self.period < needed * (1 - EPSILON):
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
        if not MIN_AMPLITUDE_OPEN * (1 - 1e-3) <= swing <= MAX_AMPLITUDE_OPEN * (1 + 1e-3):
            raise ScpiError(-221, f"amplitude of {swing:g} V open circuit")
        for level in (self.high, self.low):
            if abs(self._open_circuit(level)) > MAX_OPEN_CIRCUIT * (1 + 1e-3):
                raise ScpiError(-221, f"level of {self._open_circuit(level):g} V open circuit")
            if self.limits_enabled and not (
                self.limit_low - EPSILON <= level <= self.limit_high + EPSILON
            ):
                raise ScpiError(-222, f"level of {level:g} V is beyond VOLTage1:LIMit")

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
        if not self.output or self.function != "PULS":
            return
        for sent in range(self.count):
            if sent:
                self.station.clock.advance(self.period - self.width)
            self._drive(self._levels()[0], self.width)

    def _drive(self, programmed: Volts, width: Seconds) -> None:
        self.station.pulse(
            self.station.pulsed_cell, self._open_circuit(programmed), width, SOURCE_IMPEDANCE
        )
