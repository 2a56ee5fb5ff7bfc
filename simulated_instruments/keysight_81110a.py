"""Emulated Agilent/Keysight 81110A with two 81111A outputs (165 MHz, 10 V).

Command names after published drivers of several laboratories, ranges after the same where marked;
the window of the 81111A and the range of the expected load are from memory, not confirmed.
"""

from typing import Any

from simulated_instruments.generator_output import ChannelSetting, GeneratorOutput, never_added
from simulated_instruments.probe_station import ProbeStation
from simulated_instruments.scpi import Setting, scpi
from simulated_instruments.scpi_grammar import boolean, integer, number, word

COUNT_AFTER_PATTERN = 2
"""What switching the pattern mode off does to the trigger count, as published drivers note."""


class PatternSetting(Setting):
    """Switching the pattern mode off changes the trigger count."""

    def _change(self, instrument: Any, *values: object) -> None:
        super()._change(instrument, *values)
        if not values[-1]:
            instrument.count = COUNT_AFTER_PATTERN


class EmulatedKeysight81110A(GeneratorOutput):
    """A two-channel 81110A. Nothing reaches the cell while its output is off."""

    IDENTITY = "HEWLETT-PACKARD,HP81110A,DE38700000,2.00.04"
    SMALLEST_SWING = 0.2
    LARGEST_SWING = 20.0
    LARGEST_LEVEL = 20.0

    load = ChannelSetting("OUTPut{1-2}:IMPedance:EXTernal", number("OHM", 0.1, 999e3), 50.0)
    output = ChannelSetting("OUTPut{1-2}[:STATe]", boolean, False)
    polarity = ChannelSetting("OUTPut{1-2}:POLarity", word("NORMal", "INVerted"), "NORM")
    amplitude = ChannelSetting(
        "[SOURce:]VOLTage{1-2}[:LEVel][:AMPLitude]", number("V", 0.0, 40.0), 1.0
    )
    offset = ChannelSetting("[SOURce:]VOLTage{1-2}[:LEVel]:OFFset", number("V", -20.0, 20.0), 0.0)
    limit_high = ChannelSetting(
        "[SOURce:]VOLTage{1-2}:LIMit[:HIGH]", number("V", -20.0, 20.0), 20.0
    )
    limit_low = ChannelSetting("[SOURce:]VOLTage{1-2}:LIMit:LOW", number("V", -20.0, 20.0), -20.0)
    limits_enabled = ChannelSetting("[SOURce:]VOLTage{1-2}:LIMit:STATe", boolean, False)
    period = Setting("[SOURce:]PULSe:PERiod", number("S", 6.06e-9, 999.5), 1e-6)
    width = ChannelSetting("[SOURce:]PULSe:WIDTh{1-2}", number("S", 3.03e-9, 999.5), 1e-7)
    hold = ChannelSetting("[SOURce:]PULSe:HOLD{1-2}", word("WIDTh", "DCYCle", "TDELay"), "WIDT")
    leading = ChannelSetting(
        "[SOURce:]PULSe:TRANsition{1-2}[:LEADing]", number("S", 2e-9, 200e-3), 2e-9
    )
    trailing = ChannelSetting(
        "[SOURce:]PULSe:TRANsition{1-2}:TRAiling", number("S", 2e-9, 200e-3), 2e-9
    )
    arm_source = Setting("ARM:SOURce", word("IMMediate", "INT2", "EXTernal", "MANual"), "IMM")
    arm_mode = Setting("ARM:MODE", word("STARted", "GATed"), "STAR")
    arm_sense = Setting("ARM:SENSe", word("EDGE", "LEVel"), "EDGE")
    trigger_source = Setting("TRIGger:SOURce", word("IMMediate", "INT2", "EXTernal", "EXT2"), "IMM")
    count = Setting("TRIGger:COUNt", integer(1, 65536), 1)
    display = Setting("DISPlay[:WINDow][:STATe]", boolean, True)
    pattern = PatternSetting("DIGital[:STIMulus]:PATTern[:STATe]", boolean, False)
    channel_math = Setting("CHANnel:MATH", never_added, "OFF")

    def __init__(self, station: ProbeStation, *, output: int = 1) -> None:
        """``output`` (1 or 2) is the one that leads to the cell. Raises ConfigurationError."""
        super().__init__(station, channels=2, wired=output)

    @scpi("[SOURce:]VOLTage{1-2}[:LEVel]:HIGH", number("V", -20.0, 20.0))
    def _set_high(self, channel: int, volts: float) -> None:
        with self.on_channel(channel):
            self._set_levels(volts, self.low)

    @scpi("[SOURce:]VOLTage{1-2}[:LEVel]:LOW", number("V", -20.0, 20.0))
    def _set_low(self, channel: int, volts: float) -> None:
        with self.on_channel(channel):
            self._set_levels(self.high, volts)

    @scpi("[SOURce:]VOLTage{1-2}[:LEVel]:HIGH?")
    def _answer_high(self, channel: int) -> str:
        with self.on_channel(channel):
            return f"{self.high:+.9E}"

    @scpi("[SOURce:]VOLTage{1-2}[:LEVel]:LOW?")
    def _answer_low(self, channel: int) -> str:
        with self.on_channel(channel):
            return f"{self.low:+.9E}"

    @property
    def sends_pulses(self) -> bool:
        """Patterns are not emulated: with the pattern mode on, nothing is sent."""
        return not self.pattern
