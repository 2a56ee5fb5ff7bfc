"""Emulated Keysight 81160A: one of its outputs is wired to the pulse input of the board.

Command names and ranges after the instrument's user guide and PyMeasure's driver; what neither
says (the rule for edges, what free running does to a cell) is ours and marked so.
"""

from simulated_instruments.burst_output import FrequencySetting
from simulated_instruments.generator_output import ChannelSetting, GeneratorOutput, never_added
from simulated_instruments.probe_station import ProbeStation
from simulated_instruments.scpi import Setting, scpi
from simulated_instruments.scpi_grammar import ScpiError, boolean, integer, number, word

MAX_BURST = 65536
"""Longest burst of this emulator; the instrument counts to 2147483647."""


class EmulatedKeysight81160A(GeneratorOutput):
    """A two-channel 81160A. Nothing reaches the cell while its output is off."""

    IDENTITY = "Agilent Technologies,81160A,DE47C00000,1.0.3.0-2.6"
    SMALLEST_SWING = 0.1
    LARGEST_SWING = 10.0
    LARGEST_LEVEL = 10.0

    function = ChannelSetting(
        "FUNCtion{1-2}",
        word("PULSe", "SINusoid", "SQUare", "RAMP", "NOISe", "DC", "USER"),
        "SIN",
    )
    load = ChannelSetting("OUTPut{1-2}:LOAD", number("OHM", 0.3, 1e6), 50.0)
    output = ChannelSetting("OUTPut{1-2}[:STATe]", boolean, False)
    polarity = ChannelSetting("OUTPut{1-2}:POLarity", word("NORMal", "INVerted"), "NORM")
    amplitude = ChannelSetting("[SOURce:]VOLTage{1-2}[:AMPLitude]", number("V", 0.0, 20.0), 1.0)
    offset = ChannelSetting("[SOURce:]VOLTage{1-2}:OFFSet", number("V", -10.0, 10.0), 0.0)
    limit_high = ChannelSetting("[SOURce:]VOLTage{1-2}:LIMit:HIGH", number("V", -9.99, 10.0), 10.0)
    limit_low = ChannelSetting("[SOURce:]VOLTage{1-2}:LIMit:LOW", number("V", -10.0, 9.99), -10.0)
    limits_enabled = ChannelSetting("[SOURce:]VOLTage{1-2}:LIMit:STATe", boolean, False)
    period = ChannelSetting("[SOURce:]PULSe:PERiod{1-2}", number("S", 2e-9, 1e6), 1e-6)
    width = ChannelSetting("[SOURce:]PULSe:WIDTh{1-2}", number("S", 1.5e-9, 1e6), 1e-7)
    hold = ChannelSetting("[SOURce:]PULSe:HOLD{1-2}", word("WIDTh", "DCYCle"), "DCYC")
    leading = ChannelSetting(
        "[SOURce:]FUNCtion{1-2}:PULSe:TRANsition[:LEADing]", number("S", 1e-9, 1e3), 2.5e-9
    )
    trailing = ChannelSetting(
        "[SOURce:]FUNCtion{1-2}:PULSe:TRANsition:TRAiling", number("S", 1e-9, 1e3), 2.5e-9
    )
    arm_source = ChannelSetting(
        "ARM:SOURce{1-2}", word("IMMediate", "INT2", "EXTernal", "MANual"), "IMM"
    )
    count = ChannelSetting("TRIGger{1-2}:COUNt", integer(1, MAX_BURST), 1)
    frequency = FrequencySetting("[SOURce:]FREQuency{1-2}", number("HZ", 1e-6, 500e6), 1e6)
    square_duty = ChannelSetting("FUNCtion{1-2}:SQUare:DCYCle", number("", 0, 100), 50.0)
    symmetry = ChannelSetting("FUNCtion{1-2}:RAMP:SYMMetry", number("", 0, 100), 50.0)
    coupled = ChannelSetting("TRACk:CHANnel{1-2}", boolean, False)
    channel_math = Setting("CHANnel:MATH", never_added, "OFF")

    def __init__(self, station: ProbeStation, *, output: int = 1) -> None:
        """``output`` (1 or 2) is the one that leads to the cell. Raises ConfigurationError."""
        super().__init__(station, channels=2, wired=output)

    def settings_changed(self) -> None:
        """With the outputs coupled, what one was told the other does as well."""
        super().settings_changed()
        if self.coupled:
            self._other = dict(self.settings)
            with self.on_channel(3 - self._channel):
                super().settings_changed()

    @scpi("[SOURce:]VOLTage{1-2}:HIGH", number("V", -10.0, 10.0))
    def _set_high(self, channel: int, volts: float) -> None:
        with self.on_channel(channel):
            self._set_levels(volts, self.low)

    @scpi("[SOURce:]VOLTage{1-2}:LOW", number("V", -10.0, 10.0))
    def _set_low(self, channel: int, volts: float) -> None:
        with self.on_channel(channel):
            self._set_levels(self.high, volts)

    @scpi("[SOURce:]VOLTage{1-2}:HIGH?")
    def _answer_high(self, channel: int) -> str:
        with self.on_channel(channel):
            return f"{self.high:+.9E}"

    @scpi("[SOURce:]VOLTage{1-2}:LOW?")
    def _answer_low(self, channel: int) -> str:
        with self.on_channel(channel):
            return f"{self.low:+.9E}"

    @scpi("TRIGger{1-2}[:IMMediate]")
    def _trigger_now(self, channel: int) -> None:
        with self.on_channel(channel):
            if self.arm_source != "MAN":
                raise ScpiError(-211, "not armed for manual triggers")
            if self.is_wired:
                self._send_pulses()

    @property
    def sends_pulses(self) -> bool:
        """Other shapes than pulses do nothing here."""
        return bool(self.function == "PULS")
