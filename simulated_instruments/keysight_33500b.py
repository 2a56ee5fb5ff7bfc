"""Emulated Keysight 33500B and 33600A: output 1 is wired to the pulse input of the board.

Command names after the drivers of PyMeasure and QCoDeS, ranges after PyMeasure's; the limits, the
ranges of the 33600A and which model has how many channels are from memory, not confirmed.
Arbitrary waveforms are not emulated: their settings are kept, and nothing is sent.
"""

from typing import ClassVar

from crossbar.errors import ConfigurationError
from crossbar.units import Volts
from simulated_instruments.burst_output import (
    INFINITE,
    LONGEST_BURST,
    LONGEST_PERIOD,
    AmplitudeSetting,
    BurstOutput,
    ChannelSetting,
    FrequencySetting,
    LoadSetting,
    amplitude_with_unit,
    or_word,
)
from simulated_instruments.probe_station import ProbeStation
from simulated_instruments.scpi import Setting, scpi
from simulated_instruments.scpi_grammar import ScpiError, boolean, integer, number, word

TWO_CHANNELS = ("33510B", "33512B", "33520B", "33522A", "33522B", "33612A", "33622A")
ONE_CHANNEL = ("33509B", "33511B", "33519B", "33521A", "33521B", "33611A", "33621A")
FREQUENCIES = {
    **dict.fromkeys(("33519B", "33520B", "33521A", "33521B", "33522A", "33522B"), 30e6),
    **dict.fromkeys(("33611A", "33612A"), 80e6),
    **dict.fromkeys(("33621A", "33622A"), 120e6),
}
"""Fastest sine in hertz; 20 MHz for the other models."""
SHAPES = ("SINusoid", "SQUare", "TRIangle", "RAMP", "PULSe", "PRBS", "NOISe", "ARB", "DC")
SOURCE = "[SOURce{1-2}:]"


def text(value: bytes) -> str:
    """Whatever is to be shown or named."""
    return value.decode("latin-1").strip().strip("'\"")


class EmulatedKeysight33500B(BurstOutput):
    """One of the family; nothing reaches the cell while output 1 is off."""

    IDENTITY = "Agilent Technologies,33522B,MY57801234,4.00-1.19-2.00-52-00"
    SMALLEST_SWING = 0.002
    LARGEST_SWING = 20.0
    LARGEST_LEVEL = 10.0
    SHORTEST_PERIOD: ClassVar[float] = 33e-9

    function = ChannelSetting(f"{SOURCE}FUNCtion[:SHAPe]", word(*SHAPES), "SIN")
    load = LoadSetting(
        "OUTPut{1-2}:LOAD", or_word(number("OHM", 1, 10e3), INF=INFINITE, INFINITY=INFINITE), 50.0
    )
    output = ChannelSetting("OUTPut{1-2}[:STATe]", boolean, False)
    polarity = ChannelSetting("OUTPut{1-2}:POLarity", word("NORMal", "INVerted"), "NORM")
    mode = ChannelSetting("OUTPut{1-2}:MODE", word("NORMal", "GATed"), "NORM")
    unit = ChannelSetting(f"{SOURCE}VOLTage:UNIT", word("VPP", "VRMS", "DBM"), "VPP")
    amplitude = AmplitudeSetting(
        f"{SOURCE}VOLTage[:LEVel][:IMMediate][:AMPLitude]", amplitude_with_unit, 0.1
    )
    offset = ChannelSetting(
        f"{SOURCE}VOLTage[:LEVel][:IMMediate]:OFFSet", number("V", -10, 10), 0.0
    )
    autorange = ChannelSetting(f"{SOURCE}VOLTage:RANGe:AUTO", boolean, True)
    limit_high = ChannelSetting(f"{SOURCE}VOLTage:LIMit:HIGH", number("V", -10, 10), 5.0)
    limit_low = ChannelSetting(f"{SOURCE}VOLTage:LIMit:LOW", number("V", -10, 10), -5.0)
    limits_enabled = ChannelSetting(f"{SOURCE}VOLTage:LIMit:STATe", boolean, False)
    period = ChannelSetting(
        f"{SOURCE}FUNCtion:PULSe:PERiod", number("S", 8e-9, LONGEST_PERIOD), 1e-3
    )
    frequency = FrequencySetting(
        f"{SOURCE}FREQuency[:CW]", number("HZ", 1 / LONGEST_PERIOD, 120e6), 1e3
    )
    frequency_mode = ChannelSetting(
        f"{SOURCE}FREQuency:MODE", word("CW", "LIST", "SWEep", "FIXed"), "CW"
    )
    width = ChannelSetting(f"{SOURCE}FUNCtion:PULSe:WIDTh", number("S", 5e-9, LONGEST_PERIOD), 1e-4)
    hold = ChannelSetting(f"{SOURCE}FUNCtion:PULSe:HOLD", word("WIDTh", "DCYCle"), "WIDT")
    leading = ChannelSetting(
        f"{SOURCE}FUNCtion:PULSe:TRANsition[:LEADing]", number("S", 2.9e-9, 1e-6), 1e-8
    )
    trailing = ChannelSetting(
        f"{SOURCE}FUNCtion:PULSe:TRANsition:TRAiling", number("S", 2.9e-9, 1e-6), 1e-8
    )
    square_duty = ChannelSetting(f"{SOURCE}FUNCtion:SQUare:DCYCle", number("", 0.01, 99.99), 50.0)
    symmetry = ChannelSetting(f"{SOURCE}FUNCtion:RAMP:SYMMetry", number("", 0, 100), 100.0)
    phase = ChannelSetting(f"{SOURCE}PHASe[:ADJust]", number("DEG", -360, 360), 0.0)
    arb = ChannelSetting(f"{SOURCE}FUNCtion:ARBitrary", text, "EXP_RISE")
    arb_advance = ChannelSetting(
        f"{SOURCE}FUNCtion:ARBitrary:ADVance", word("TRIGger", "SRATe"), "SRAT"
    )
    arb_filter = ChannelSetting(
        f"{SOURCE}FUNCtion:ARBitrary:FILTer", word("NORMal", "STEP", "OFF"), "STEP"
    )
    arb_rate = ChannelSetting(f"{SOURCE}FUNCtion:ARBitrary:SRATe", number("", 1e-6, 1e9), 40e3)
    burst = ChannelSetting(f"{SOURCE}BURSt:STATe", boolean, False)
    burst_mode = ChannelSetting(f"{SOURCE}BURSt:MODE", word("TRIGgered", "GATed"), "TRIG")
    cycles = ChannelSetting(
        f"{SOURCE}BURSt:NCYCles",
        or_word(
            integer(1, LONGEST_BURST), INF=INFINITE, INFINITY=INFINITE, MIN=1, MAX=LONGEST_BURST
        ),
        1,
    )
    burst_phase = ChannelSetting(f"{SOURCE}BURSt:PHASe", number("DEG", -360, 360), 0.0)
    burst_period = ChannelSetting(f"{SOURCE}BURSt:INTernal:PERiod", number("S", 1e-6, 8e3), 10e-3)
    gate_polarity = ChannelSetting(
        f"{SOURCE}BURSt:GATE:POLarity", word("NORMal", "INVerted"), "NORM"
    )
    trigger_source = ChannelSetting(
        "TRIGger{1-2}:SOURce", word("IMMediate", "EXTernal", "TIMer", "BUS"), "IMM"
    )
    trigger_slope = ChannelSetting("TRIGger{1-2}:SLOPe", word("POSitive", "NEGative"), "POS")
    trigger_count = ChannelSetting("TRIGger{1-2}:COUNt", integer(1, 1_000_000), 1)
    trigger_delay = ChannelSetting("TRIGger{1-2}:DELay", number("S", 0, 1e3), 0.0)
    trigger_timer = ChannelSetting("TRIGger{1-2}:TIMer", number("S", 1e-6, 8e3), 1.0)
    trigger_output = Setting("OUTPut:TRIGger[:STATe]", boolean, False)
    sync = Setting("OUTPut:SYNC[:STATe]", boolean, True)
    sync_source = Setting("OUTPut:SYNC:SOURce", word("CH1", "CH2"), "CH1")
    message = Setting("DISPlay:TEXT", text, "")

    def __init__(self, station: ProbeStation, *, model: str = "33522B") -> None:
        """``model`` is one of the family, as ``*IDN?`` names it.

        Raises ConfigurationError for others.
        """
        if model not in ONE_CHANNEL + TWO_CHANNELS:
            raise ConfigurationError(
                f"The emulated 33500B cannot be a {model!r}; it can be a "
                f"{', a '.join(ONE_CHANNEL + TWO_CHANNELS)}. Name one of these as its model."
            )
        fast = model.startswith("336")
        super().__init__(
            station,
            channels=2 if model in TWO_CHANNELS else 1,
            shortest_width=5e-9 if fast else 16e-9,
            edge=2.9e-9 if fast else 8.4e-9,
        )
        self.model = model

    @property
    def arm_source(self) -> str:
        """In the words of `GeneratorOutput`."""
        if not self.burst:
            return "IMM"
        return {"BUS": "MAN", "EXT": "EXT"}.get(self.trigger_source, "IMM")

    def check_settings(self) -> None:
        """The frequency depends on the model."""
        if self.period < (1 - 1e-9) / FREQUENCIES.get(self.model, 20e6):
            raise ScpiError(-222, "a frequency beyond this model's")
        super().check_settings()

    @property
    def _least_swing(self) -> Volts:
        """How far a level that is passed by the other one is moved (from memory)."""
        return self.SMALLEST_SWING / self.open_circuit_ratio

    @scpi("*IDN?")
    def _identify(self) -> str:
        return self.IDENTITY.replace("33522B", self.model)

    @scpi("TRIGger{1-2}[:IMMediate]")
    def _trigger_now(self, channel: int) -> None:
        with self.on_channel(channel):
            if not self.burst:
                raise ScpiError(-211, "not in burst mode")
            if self.is_wired:
                self._send_pulses()

    @scpi(f"{SOURCE}VOLTage[:LEVel][:IMMediate]:HIGH", number("V", -10.0, 10.0))
    def _set_high(self, channel: int, volts: float) -> None:
        with self.on_channel(channel):
            self._set_levels(volts, min(self.low, volts - self._least_swing))

    @scpi(f"{SOURCE}VOLTage[:LEVel][:IMMediate]:LOW", number("V", -10.0, 10.0))
    def _set_low(self, channel: int, volts: float) -> None:
        with self.on_channel(channel):
            self._set_levels(max(self.high, volts + self._least_swing), volts)

    @scpi(f"{SOURCE}VOLTage[:LEVel][:IMMediate]:HIGH?")
    def _answer_high(self, channel: int) -> str:
        with self.on_channel(channel):
            return f"{self.high:+.9E}"

    @scpi(f"{SOURCE}VOLTage[:LEVel][:IMMediate]:LOW?")
    def _answer_low(self, channel: int) -> str:
        with self.on_channel(channel):
            return f"{self.low:+.9E}"

    @scpi(f"{SOURCE}FUNCtion:PULSe:TRANsition:BOTH", number("S", 2.9e-9, 1e-6))
    def _set_both_edges(self, channel: int, seconds: float) -> None:
        with self.on_channel(channel):
            type(self).leading.change(self, seconds)
            type(self).trailing.change(self, seconds)

    @scpi(f"{SOURCE}FUNCtion:PULSe:DCYCle", number("", 0.0, 100.0))
    def _set_duty(self, channel: int, percent: float) -> None:
        with self.on_channel(channel):
            wanted = max(percent / 100 * self.period, self.shortest_width)
            type(self).width.change(self, wanted)

    @scpi(f"{SOURCE}FUNCtion:PULSe:DCYCle?")
    def _answer_duty(self, channel: int) -> str:
        with self.on_channel(channel):
            return f"{100 * self.width / self.period:+.9E}"

    @scpi(f"{SOURCE}DATA:VOLatile:CLEar")
    @scpi(f"{SOURCE}PHASe:SYNChronize")
    def _accept_on_channel(self, channel: int) -> None:
        """Nothing that a cell would notice, on a channel that exists."""
        with self.on_channel(channel):
            pass

    @scpi("SYSTem:BEEPer[:IMMediate]")
    @scpi("DISPlay:TEXT:CLEar")
    def _accept(self) -> None:
        """Nothing that a cell would notice."""
