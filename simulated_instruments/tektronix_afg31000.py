"""Emulated Tektronix AFG31000: output 1 is wired to the pulse input of the board.

Command names after ``tm_devices``, QMI and Tektronix' examples; shortest widths, levels and highest
frequencies as in `drivers.tektronix_afg31000`; factory settings are the AFG3000's. Arbitrary
waveforms, modulation, sweeps and sequences are not emulated: nothing is sent for them.

Ours is what a wrongly chosen idle level does: the output rests at the *pulse* level, for all but
``BURSt:IDLE END``, and with it until a burst has run with the present waveform.
"""

import math
from typing import Any, ClassVar

from crossbar.errors import ConfigurationError
from crossbar.units import Seconds, Volts
from simulated_instruments.burst_output import (
    INFINITE,
    LONGEST_BURST,
    AmplitudeSetting,
    BurstOutput,
    ChannelSetting,
    FrequencySetting,
    LoadSetting,
    amplitude_with_unit,
    or_word,
)
from simulated_instruments.generator_output import TOLERANCE
from simulated_instruments.probe_station import ProbeStation
from simulated_instruments.scpi import Setting, scpi
from simulated_instruments.scpi_grammar import (
    Parameter,
    ScpiError,
    block,
    boolean,
    integer,
    number,
    word,
)

SERIES: dict[str, tuple[Volts, Seconds, Seconds, float, float]] = {
    "AFG3102": (10.0, 16e-9, 5e-9, 25e6, 20e6),
    "AFG3105": (10.0, 10e-9, 5e-9, 50e6, 40e6),
    "AFG3110": (10.0, 6e-9, 5e-9, 100e6, 80e6),
    "AFG3115": (5.0, 5e-9, 4e-9, 150e6, 120e6),
    "AFG3125": (5.0, 4e-9, 4e-9, 250e6, 160e6),
}
"""Largest level open circuit, shortest width, fastest edge (from memory, not confirmed), fastest
sine and fastest pulses in hertz; a last digit says how many channels the model has."""
SHAPES = (
    "SINusoid", "SQUare", "PULSe", "RAMP", "PRNoise", "DC", "SINC", "GAUSsian", "LORentz", "ERISe",
    "EDECay", "HAVersine", "EMEMory", "EMEMory1", "EMEMory2", "EFILe",
)  # fmt: skip
SLOWEST_EDGE: Seconds = 625.0
LONGEST_PERIOD: Seconds = 1000.0
LARGEST_RECORD = 131072
"""Points of an arbitrary waveform, two bytes each."""
SOURCE = "[SOURce{1-2}:]"
EDIT_MEMORY = word("EMEMory", "EMEMory1", "EMEMory2")
WAVEFORM = ("function", "burst", "burst_idle", "amplitude", "offset", "polarity", "width", "period")
"""The settings that make the waveform between two triggers."""


def or_extreme(parameter: Parameter) -> Parameter:
    """A number, or MINimum or MAXimum, which `BoundedSetting` replaces."""
    lowest, highest = -math.inf, math.inf
    return or_word(parameter, MIN=lowest, MINIMUM=lowest, MAX=highest, MAXIMUM=highest)


class BoundedSetting(ChannelSetting):
    """A setting that knows MINimum and MAXimum."""

    def change(self, instrument: Any, value: float) -> None:
        """A number, or one of the infinities for the model's own bounds."""
        if math.isinf(value):
            value = instrument.bounds()[self.name][value > 0]
        super().change(instrument, value)


class ImpedanceSetting(LoadSetting):
    """The load, answered as ``50`` or ``9.9E+37``."""

    def answer(self, instrument: Any) -> str:
        """As the transcripts of QMI have it."""
        return f"{instrument.load:G}"


class ShapeSetting(ChannelSetting):
    """A shape that cannot be as fast as the one before lowers the frequency."""

    def change(self, instrument: Any, value: str) -> None:
        """The period follows, as long as the rest fits."""
        before = instrument.period
        instrument.period = max(before, instrument.shortest_period(value))
        try:
            super().change(instrument, value)
        except ScpiError:
            instrument.period = before
            raise


class EmulatedTektronixAFG31000(BurstOutput):
    """One of the family; nothing reaches the cell while output 1 is off."""

    IDENTITY = "TEKTRONIX,AFG31152,C019999,SCPI:99.0 FV:1.6.1"
    SMALLEST_SWING = 0.002
    LARGEST_SWING = 20.0
    LARGEST_LEVEL = 10.0
    SHORTEST_PERIOD: ClassVar[float] = 1 / 160e6
    limits_enabled = True

    function = ShapeSetting(f"{SOURCE}FUNCtion[:SHAPe]", word(*SHAPES), "SIN")
    load = ImpedanceSetting(
        "OUTPut{1-2}:IMPedance",
        or_word(number("OHM", 1, 10e3), INF=INFINITE, INFINITY=INFINITE, MIN=1.0, MAX=10e3),
        50.0,
    )
    output = ChannelSetting("OUTPut{1-2}[:STATe]", boolean, False)
    polarity = ChannelSetting("OUTPut{1-2}:POLarity", word("NORMal", "INVerted"), "NORM")
    unit = ChannelSetting(f"{SOURCE}VOLTage:UNIT", word("VPP", "VRMS", "DBM"), "VPP")
    amplitude = AmplitudeSetting(
        f"{SOURCE}VOLTage[:LEVel][:IMMediate][:AMPLitude]", amplitude_with_unit, 1.0
    )
    offset = ChannelSetting(
        f"{SOURCE}VOLTage[:LEVel][:IMMediate]:OFFSet", number("V", -10, 10), 0.0
    )
    limit_high = BoundedSetting(
        f"{SOURCE}VOLTage:LIMit:HIGH", or_extreme(number("V", -10, 10)), 5.0
    )
    limit_low = BoundedSetting(f"{SOURCE}VOLTage:LIMit:LOW", or_extreme(number("V", -10, 10)), -5.0)
    period = ChannelSetting(f"{SOURCE}PULSe:PERiod", number("S", 4e-9, LONGEST_PERIOD), 1e-6)
    frequency = FrequencySetting(f"{SOURCE}FREQuency[:CW]", number("HZ", 1e-6, 250e6), 1e6)
    fixed_frequency = FrequencySetting(f"{SOURCE}FREQuency:FIXed", number("HZ", 1e-6, 250e6), 1e6)
    frequency_mode = ChannelSetting(f"{SOURCE}FREQuency:MODE", word("CW", "FIXed", "SWEep"), "CW")
    width = BoundedSetting(
        f"{SOURCE}PULSe:WIDTh", or_extreme(number("S", 4e-9, LONGEST_PERIOD)), 5e-7
    )
    hold = ChannelSetting(f"{SOURCE}PULSe:HOLD", word("WIDTh", "DUTY"), "DUTY")
    pulse_delay = ChannelSetting(f"{SOURCE}PULSe:DELay", number("S", 0, LONGEST_PERIOD), 0.0)
    leading = BoundedSetting(
        f"{SOURCE}PULSe:TRANsition[:LEADing]", or_extreme(number("S", 4e-9, SLOWEST_EDGE)), 5e-9
    )
    trailing = BoundedSetting(
        f"{SOURCE}PULSe:TRANsition:TRAiling", or_extreme(number("S", 4e-9, SLOWEST_EDGE)), 5e-9
    )
    symmetry = ChannelSetting(f"{SOURCE}FUNCtion:RAMP:SYMMetry", number("PCT", 0, 100), 50.0)
    phase = ChannelSetting(f"{SOURCE}PHASe[:ADJust]", number("DEG", -180, 180), 0.0)
    burst = ChannelSetting(f"{SOURCE}BURSt[:STATe]", boolean, False)
    burst_mode = ChannelSetting(f"{SOURCE}BURSt:MODE", word("TRIGgered", "GATed"), "TRIG")
    cycles = ChannelSetting(
        f"{SOURCE}BURSt:NCYCles",
        or_word(
            integer(1, LONGEST_BURST), INF=INFINITE, INFINITY=INFINITE, MIN=1, MAX=LONGEST_BURST
        ),
        5,
    )
    burst_delay = ChannelSetting(f"{SOURCE}BURSt:TDELay", number("S", 0, 85), 0.0)
    burst_idle = ChannelSetting(f"{SOURCE}BURSt:IDLE", word("STARt", "DC", "END", "OFF"), "OFF")
    trigger_source = Setting("TRIGger[:SEQuence]:SOURce", word("TIMer", "EXTernal"), "TIM")
    trigger_slope = Setting("TRIGger[:SEQuence]:SLOPe", word("POSitive", "NEGative"), "POS")
    trigger_timer = Setting("TRIGger[:SEQuence]:TIMer", number("S", 1e-6, 500), 1e-3)
    trigger_output = Setting("OUTPut:TRIGger:MODE", word("TRIGger", "SYNC"), "TRIG")
    reference = Setting("[SOURce{1-2}:]ROSCillator:SOURce", word("INTernal", "EXTernal"), "INT")
    brightness = Setting("DISPlay:BRIGhtness", number("", 0, 1), 1.0)

    def __init__(self, station: ProbeStation, *, model: str = "AFG31152") -> None:
        """``model`` is one of the family, as ``*IDN?`` names it.

        Raises ConfigurationError for others.
        """
        series, channels = model[:-1], model[-1:]
        if series not in SERIES or channels not in ("1", "2"):
            raise ConfigurationError(
                f"The emulated AFG31000 cannot be a {model!r}; it can be a "
                f"{', a '.join(name + digit for name in SERIES for digit in '12')}. Name one of "
                "these as its model."
            )
        self.model = model
        level, width, edge, self.fastest_sine, self.fastest_pulses = SERIES[series]
        self.largest_level: Volts = level
        super().__init__(station, channels=int(channels), shortest_width=width, edge=edge)
        self._ran_with: list[object] | None = None
        self._open_limits()

    def restore_defaults(self) -> None:
        """The limits are then the model's own."""
        super().restore_defaults()
        self._ran_with = None
        self._open_limits()

    def _open_limits(self) -> None:
        level = self.largest_level / self.open_circuit_ratio
        for settings in (self.settings, self._other):
            settings.update(limit_high=level, limit_low=-level)

    def bounds(self) -> dict[str, tuple[float, float]]:
        """What MINimum and MAXimum stand for."""
        level = self.largest_level / self.open_circuit_ratio
        edges = (self.fastest_edge, SLOWEST_EDGE)
        return {
            "leading": edges,
            "trailing": edges,
            "width": (self.shortest_width, self.period - self.shortest_width),
            "limit_high": (self.low, level),
            "limit_low": (-level, self.high),
        }

    @property
    def arm_source(self) -> str:
        """In the words of `GeneratorOutput`."""
        return "EXT" if self.burst and self.trigger_source == "EXT" else "IMM"

    def shortest_period(self, shape: str) -> Seconds:
        """Of a shape, on this model; slower limits of other shapes are left out."""
        return 1 / (self.fastest_pulses if shape in ("PULS", "SQU") else self.fastest_sine)

    def check_settings(self) -> None:
        """Frequency and levels depend on the model."""
        if self.period < (1 - 1e-9) * self.shortest_period(self.function):
            raise ScpiError(-222, "a frequency beyond this model's")
        for level in (self.high, self.low, self.limit_high, self.limit_low):
            if abs(self._open_circuit(level)) > self.largest_level * (1 + TOLERANCE):
                raise ScpiError(-222, f"{self._open_circuit(level):g} V open circuit")
        super().check_settings()

    def trigger(self) -> None:
        """``*TRG`` starts a burst on every channel in burst mode, whatever the trigger source."""
        started = False
        for channel in range(1, self.channels + 1):
            with self.on_channel(channel):
                if self.burst:
                    started = True
                    if channel == 1:  # output 2 leads nowhere
                        self._send_pulses()
        if not started:
            self.report(ScpiError(-211, "no channel is in burst mode"))

    def _waveform(self) -> list[object]:
        return [self.settings[name] for name in WAVEFORM]

    def _send_pulses(self) -> None:
        self._ran_with = self._waveform()
        super()._send_pulses()

    def _levels(self) -> tuple[Volts, Volts]:
        """The idle level is a point of the waveform, which BURSt:IDLE chooses."""
        pulse_level, idle_level = super()._levels()
        if not self.burst or self.function not in ("PULS", "SQU"):
            return pulse_level, idle_level
        if self.burst_idle == "DC":
            return pulse_level, self.offset
        rests = self.burst_idle == "END" and self._ran_with == self._waveform()
        return pulse_level, idle_level if rests else pulse_level

    @scpi("*IDN?")
    def _identify(self) -> str:
        return self.IDENTITY.replace("AFG31152", self.model)

    @scpi("*OPT?")
    @scpi("*CAL?")
    def _answer_zero(self) -> str:
        return "0"

    @scpi("SYSTem:ERRor[:NEXT]?", on_status=True)
    def _next_error(self) -> str:
        return super()._next_error().removeprefix("+")

    @scpi("SYSTem:VERSion?")
    def _answer_version(self) -> str:
        return "1999.0"

    @scpi("TRIGger[:SEQuence][:IMMediate]")
    def _trigger_now(self) -> None:
        self.trigger()

    @scpi(f"{SOURCE}VOLTage[:LEVel][:IMMediate]:HIGH", number("V", -10.0, 10.0))
    def _set_high(self, channel: int, volts: float) -> None:
        with self.on_channel(channel):
            self._set_levels(volts, self.low)

    @scpi(f"{SOURCE}VOLTage[:LEVel][:IMMediate]:LOW", number("V", -10.0, 10.0))
    def _set_low(self, channel: int, volts: float) -> None:
        with self.on_channel(channel):
            self._set_levels(self.high, volts)

    @scpi(f"{SOURCE}VOLTage[:LEVel][:IMMediate]:HIGH?")
    def _answer_high(self, channel: int) -> str:
        with self.on_channel(channel):
            return f"{self.high:+.9E}"

    @scpi(f"{SOURCE}VOLTage[:LEVel][:IMMediate]:LOW?")
    def _answer_low(self, channel: int) -> str:
        with self.on_channel(channel):
            return f"{self.low:+.9E}"

    @scpi(f"{SOURCE}PULSe:DCYCle", number("PCT", 0.001, 99.999))
    def _set_duty(self, channel: int, percent: float) -> None:
        with self.on_channel(channel):
            wanted = max(percent / 100 * self.period, self.shortest_width)
            type(self).width.change(self, wanted)

    @scpi(f"{SOURCE}PULSe:DCYCle?")
    def _answer_duty(self, channel: int) -> str:
        with self.on_channel(channel):
            return f"{100 * self.width / self.period:+.9E}"

    @scpi("TRACe[:DATA]", EDIT_MEMORY, block)
    @scpi("DATA[:DATA]", EDIT_MEMORY, block)
    def _take_waveform(self, _: str, points: bytes) -> None:
        if len(points) % 2 or not 2 <= len(points) // 2 <= LARGEST_RECORD:
            raise ScpiError(-161, f"{len(points)} bytes are no waveform")

    @scpi(f"{SOURCE}PHASe:INITiate")
    @scpi(f"{SOURCE}BURSt:INFInite:REARm")
    def _accept_on_channel(self, channel: int) -> None:
        """Nothing that a cell would notice, on a channel that exists."""
        with self.on_channel(channel):
            pass

    @scpi("SYSTem:BEEPer[:IMMediate]")
    @scpi("ABORt")
    def _accept(self) -> None:
        """Nothing that a cell would notice."""
