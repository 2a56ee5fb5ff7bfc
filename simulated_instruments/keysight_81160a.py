"""Emulated Keysight 81160A: output 1 is wired to the pulse input of the board.

Command names and ranges after the instrument's user guide and PyMeasure's driver; what neither
says (the rule for edges, what free running does to a cell) is ours and marked so.
"""

from simulated_instruments.generator_output import GeneratorOutput
from simulated_instruments.scpi import Setting, scpi
from simulated_instruments.scpi_grammar import boolean, integer, number, word

MAX_BURST = 65536
"""Longest burst of this emulator; the instrument counts to 2147483647."""


class EmulatedKeysight81160A(GeneratorOutput):
    """A one-channel 81160A. Nothing reaches the cell while the output is off."""

    IDENTITY = "Agilent Technologies,81160A,DE47C00000,1.0.3.0-2.6"
    SMALLEST_SWING = 0.1
    LARGEST_SWING = 10.0
    LARGEST_LEVEL = 10.0

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

    @scpi("[SOURce:]VOLTage{1-1}:HIGH", number("V", -10.0, 10.0))
    def _set_high(self, _channel: int, volts: float) -> None:
        self._set_levels(volts, self.low)

    @scpi("[SOURce:]VOLTage{1-1}:LOW", number("V", -10.0, 10.0))
    def _set_low(self, _channel: int, volts: float) -> None:
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

    @property
    def sends_pulses(self) -> bool:
        """Other shapes than pulses do nothing here."""
        return bool(self.function == "PULS")
