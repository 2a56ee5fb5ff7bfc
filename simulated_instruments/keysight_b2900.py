"""Emulated Keysight B2900: channel 1 is wired to the SMU's terminals, channel 2 is open.

After the SCPI command reference (B2910-90030) and, where its pages were not at hand, that of the
sister instruments B2961A and B2962A (B2961-90030). The other modules of this name hold its parts:
what it sources and measures, its triggers, its data, trace buffers and status. Left out: math and
limit tests, digital pins, programs, mass memory, and saving of settings.
"""

from typing import Any

from simulated_instruments.emulated_instrument import EmulatedInstrument
from simulated_instruments.keysight_b2900_channel import MeteredChannel
from simulated_instruments.keysight_b2900_data import DataCommands
from simulated_instruments.keysight_b2900_initiate import TriggerCommands
from simulated_instruments.keysight_b2900_ratings import LARGEST_DIRECT_CURRENT, ratings_of
from simulated_instruments.keysight_b2900_sense import Senses
from simulated_instruments.keysight_b2900_settings import OUTPUT
from simulated_instruments.keysight_b2900_source import Sources
from simulated_instruments.keysight_b2900_status import OUTPUT_PROTECTION, Status
from simulated_instruments.keysight_b2900_trace import Traces
from simulated_instruments.keysight_b2900_triggers import ACTIONS, LAYERS, TriggerLayers
from simulated_instruments.probe_station import ProbeStation
from simulated_instruments.scpi import ScpiInstrument, Setting, scpi
from simulated_instruments.scpi_grammar import ScpiError, boolean, number, one_of, word
from simulated_instruments.scpi_smu import ChannelSetting
from simulated_instruments.smu_terminals import OpenTerminals, RoutedCell


def _line_frequency(text: bytes) -> int:
    return int(one_of(50, 60)(text))  # type: ignore[call-overload]


class EmulatedKeysightB2900(
    TriggerCommands, DataCommands, Traces, Sources, Senses, TriggerLayers, Status, ScpiInstrument
):
    """One or two channels, by model."""

    IDENTITY = "Keysight Technologies,B2902B,MY00000000,5.0.0"

    output = ChannelSetting(OUTPUT + "[:STATe]", boolean, False)
    on_automatically = ChannelSetting(OUTPUT + ":ON:AUTO", boolean, True)
    off_automatically = ChannelSetting(OUTPUT + ":OFF:AUTO", boolean, False)
    protection = ChannelSetting(OUTPUT + ":PROTection[:STATe]", boolean, False)
    off_mode = ChannelSetting(OUTPUT + ":OFF:MODE", word("NORMal", "HIZ", "ZERO"), "NORM")
    low_terminal = ChannelSetting(OUTPUT + ":LOW", word("FLOat", "GROund"), "GRO")
    filtered = ChannelSetting(OUTPUT + ":FILTer[:LPASs][:STATe]", boolean, True)
    high_capacitance = ChannelSetting(OUTPUT + ":HCAPacitance[:STATe]", boolean, False)
    line_frequency = Setting("SYSTem:LFRequency", _line_frequency, 50)
    beeps = Setting("SYSTem:BEEPer:STATe", boolean, True)
    shows = Setting("DISPlay:ENABle", boolean, True)
    resets_timer = Setting("SYSTem:TIME:TIMer:COUNt:RESet:AUTO", boolean, False)

    def __init__(self, station: ProbeStation, model: str = "B2902B") -> None:
        """Raises ConfigurationError for a model that is not emulated."""
        super().__init__()
        self.station = station
        self.model = model
        self.ratings = ratings_of(model)
        terminals = (RoutedCell(station), OpenTerminals())[: self.ratings.channels]
        self.channels = [MeteredChannel(t, station.clock, 1e-4) for t in terminals]
        self._new_registers()
        self._forget()

    def _forget(self) -> None:
        self._be_idle()
        self._no_sweeps()
        self._default_senses()
        self._no_readings()
        self._empty_traces()
        self.time_zero = self.station.clock.now
        for layer in LAYERS:
            for action in ACTIONS:
                self.settings[f"{layer}_{action}_timer"] = (self.ratings.shortest_interval,) * 2
        self.registers["MEAS"].change(0)
        self.run()

    def restore_defaults(self) -> None:
        """``*RST``: outputs off first, and no sweep goes on."""
        for channel in self.channels:
            channel.reset()
        super().restore_defaults()
        self._forget()

    def clear(self) -> None:
        """Device clear: what waits for the end of an action waits no more."""
        EmulatedInstrument.clear(self)
        self.forget_completion()

    def check_channel(self, channel: int) -> None:
        """Raise ScpiError -114 for the second channel of a one-channel model."""
        if channel > len(self.channels):
            raise ScpiError(-114, f"{self.model} has {len(self.channels)} channel(s)")

    def check_settings(self) -> None:
        """Levels go with compliance, and numbers with the model."""
        for index in range(len(self.channels)):
            if self.limit_CURR[index] < self.ratings.smallest_current_limit:
                raise ScpiError(-222, "the compliance is smaller than the model's")
            if self.shape[index] == "DC" and abs(self.level_CURR[index]) > LARGEST_DIRECT_CURRENT:
                raise ScpiError(-222, "so much current is for pulses")
            short = self.mode[index]
            self.check_level(short, index, self.settings[f"level_{short}"][index])
            for layer in LAYERS:
                for action in ACTIONS:
                    timer = self.settings[f"{layer}_{action}_timer"][index]
                    if timer < self.ratings.shortest_interval:
                        raise ScpiError(-222, "the interval is shorter than the model's")

    def settings_changed(self) -> None:
        """Bring what changed to the terminals."""
        for index in range(len(self.channels)):
            self.bring(index)

    def bring(self, index: int) -> None:
        """Settings of one channel to its terminals; a level that a trigger brought stays there."""
        settings, channel = self.settings, self.channels[index]
        mode, held = settings["mode"][index], self.held[index]
        if held is not None and held[0] != mode:
            held = self.held[index] = None
        levels = {"VOLT": settings["level_VOLT"][index], "CURR": settings["level_CURR"][index]}
        if held is not None:
            levels[mode] = held[1]
        wanted: dict[str, Any] = {
            "output": settings["output"][index],
            "sources_voltage": mode == "VOLT",
            "level_volts": levels["VOLT"],
            "level_amperes": levels["CURR"],
            "limit_amperes": settings["limit_CURR"][index],
            "limit_volts": settings["limit_VOLT"][index],
        }
        changed = {name: v for name, v in wanted.items() if getattr(channel, name) != v}
        if changed:
            if "output" in changed and wanted["output"]:
                self.registers["QUES"].flag(OUTPUT_PROTECTION[index], False)
            channel.set(**changed)
            self.protect(index)

    @scpi("*IDN?")
    def _identify(self) -> str:
        return self.IDENTITY.replace("B2902B", self.model)

    @scpi("SYSTem:ERRor:ALL?", on_status=True)
    def _all_errors(self) -> str:
        found = [str(error) for error in self.errors] or [str(ScpiError(0))]
        self.errors.clear()
        return ",".join(found)

    @scpi("SYSTem:VERSion?")
    def _scpi_version(self) -> str:
        return "1999.0"

    @scpi("SYSTem:TIME:TIMer:COUNt?")
    def _timer_count(self) -> bytes:
        return f"{self.now - self.time_zero:+.6E}".encode()

    @scpi("SYSTem:TIME:TIMer:COUNt:RESet[:IMMediate]")
    def _reset_timer(self) -> None:
        self.time_zero = self.now

    @scpi("SYSTem:BEEPer[:IMMediate]", number("HZ", 55, 6640), number("S", 0.05, 12.75))
    def _beep(self, *_: object) -> None:
        """Nobody listens."""
