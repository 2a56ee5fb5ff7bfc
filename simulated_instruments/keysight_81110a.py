"""Emulated Agilent/Keysight 81110A with one 81111A output (165 MHz, 10 V).

Command names after published drivers of several laboratories, ranges after the same where marked;
the window of the 81111A and the range of the expected load are from memory, not confirmed.
"""

from simulated_instruments.generator_output import GeneratorOutput
from simulated_instruments.scpi import Setting, scpi
from simulated_instruments.scpi_grammar import boolean, integer, number, word

COUNT_AFTER_PATTERN = 2
"""What switching the pattern mode off does to the trigger count, as published drivers note."""


class EmulatedKeysight81110A(GeneratorOutput):
    """A one-channel 81110A. Nothing reaches the cell while the output is off."""

    IDENTITY = "HEWLETT-PACKARD,HP81110A,DE38700000,2.00.04"
    SMALLEST_SWING = 0.2
    LARGEST_SWING = 20.0
    LARGEST_LEVEL = 20.0

    load = Setting("OUTPut{1-1}:IMPedance:EXTernal", number("OHM", 0.1, 999e3), 50.0)
    output = Setting("OUTPut{1-1}[:STATe]", boolean, False)
    polarity = Setting("OUTPut{1-1}:POLarity", word("NORMal", "INVerted"), "NORM")
    amplitude = Setting("[SOURce:]VOLTage{1-1}[:LEVel][:AMPLitude]", number("V", 0.0, 40.0), 1.0)
    offset = Setting("[SOURce:]VOLTage{1-1}[:LEVel]:OFFset", number("V", -20.0, 20.0), 0.0)
    limit_high = Setting("[SOURce:]VOLTage{1-1}:LIMit[:HIGH]", number("V", -20.0, 20.0), 20.0)
    limit_low = Setting("[SOURce:]VOLTage{1-1}:LIMit:LOW", number("V", -20.0, 20.0), -20.0)
    limits_enabled = Setting("[SOURce:]VOLTage{1-1}:LIMit:STATe", boolean, False)
    period = Setting("[SOURce:]PULSe:PERiod", number("S", 6.06e-9, 999.5), 1e-6)
    width = Setting("[SOURce:]PULSe:WIDTh{1-1}", number("S", 3.03e-9, 999.5), 1e-7)
    hold = Setting("[SOURce:]PULSe:HOLD{1-1}", word("WIDTh", "DCYCle", "TDELay"), "WIDT")
    leading = Setting("[SOURce:]PULSe:TRANsition{1-1}[:LEADing]", number("S", 2e-9, 200e-3), 2e-9)
    trailing = Setting("[SOURce:]PULSe:TRANsition{1-1}:TRAiling", number("S", 2e-9, 200e-3), 2e-9)
    arm_source = Setting("ARM:SOURce", word("IMMediate", "INT2", "EXTernal", "MANual"), "IMM")
    arm_mode = Setting("ARM:MODE", word("STARted", "GATed"), "STAR")
    arm_sense = Setting("ARM:SENSe", word("EDGE", "LEVel"), "EDGE")
    trigger_source = Setting("TRIGger:SOURce", word("IMMediate", "INT2", "EXTernal", "EXT2"), "IMM")
    count = Setting("TRIGger:COUNt", integer(1, 65536), 1)
    display = Setting("DISPlay[:WINDow][:STATe]", boolean, True)

    @scpi("[SOURce:]VOLTage{1-1}[:LEVel]:HIGH", number("V", -20.0, 20.0))
    def _set_high(self, _channel: int, volts: float) -> None:
        self._set_levels(volts, self.low)

    @scpi("[SOURce:]VOLTage{1-1}[:LEVel]:LOW", number("V", -20.0, 20.0))
    def _set_low(self, _channel: int, volts: float) -> None:
        self._set_levels(self.high, volts)

    @scpi("[SOURce:]VOLTage{1-1}[:LEVel]:HIGH?")
    def _answer_high(self, _channel: int) -> str:
        return f"{self.high:+.9E}"

    @scpi("[SOURce:]VOLTage{1-1}[:LEVel]:LOW?")
    def _answer_low(self, _channel: int) -> str:
        return f"{self.low:+.9E}"

    @scpi("DIGital[:STIMulus]:PATTern[:STATe]", boolean)
    def _set_pattern(self, on: bool) -> None:
        self.settings["pattern"] = on
        if not on:
            self.count = COUNT_AFTER_PATTERN

    @scpi("DIGital[:STIMulus]:PATTern[:STATe]?")
    def _answer_pattern(self) -> str:
        return "1" if self.settings.get("pattern") else "0"

    @property
    def sends_pulses(self) -> bool:
        """Patterns are not emulated: with the pattern mode on, nothing is sent."""
        return not self.settings.get("pattern")
