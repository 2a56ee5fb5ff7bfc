"""Emulated Keysight B2900: channel 1 is wired to the SMU's terminals, channel 2 is open.

After the SCPI command reference (B2910-90030). Ours: both actions of a channel step together, on
the transient's trigger; the status element has bit 0 for compliance; pulses start without delay.
Left out: ranges, filters, guard and wait times, limit tests, the trace's statistics.
"""

import struct
from collections.abc import Generator, Iterable

from simulated_instruments.keysight_b2900_triggers import TriggerLayers
from simulated_instruments.probe_station import ProbeStation
from simulated_instruments.scpi import ScpiInstrument, Setting, scpi
from simulated_instruments.scpi_grammar import (
    ScpiError,
    as_block,
    boolean,
    integer,
    number,
    real,
    word,
)
from simulated_instruments.scpi_smu import ChannelSetting, Reading, ScpiSmuChannel
from simulated_instruments.smu_terminals import OpenTerminals, RoutedCell

CHANNELS = {"B2901B": 1, "B2902B": 2, "B2911B": 1, "B2912B": 2}
LINE_FREQUENCY = 50.0
MISSING = 9.91e37
LONGEST_LIST = 2500
MAX_READINGS = 100_000
ELEMENTS = ("VOLT", "CURR", "RES", "TIME", "STAT", "SOUR")
ELEMENT = word("VOLTage", "CURRent", "RESistance", "TIME", "STATus", "SOURce")
LEVELS = number("V", -210.0, 210.0)
SOURCE, SENSE, OUTPUT = "[SOURce{1-2}:]", "SENSe{1-2}:", "OUTPut{1-2}"


def _text(text: bytes) -> bytes:
    return text.strip()


class EmulatedKeysightB2900(TriggerLayers, ScpiInstrument):
    """One or two channels, by model."""

    IDENTITY = "Keysight Technologies,B2902B,MY00000000,5.0.0"

    mode = ChannelSetting(SOURCE + "FUNCtion:MODE", word("VOLTage", "CURRent"), "VOLT")
    shape = ChannelSetting(SOURCE + "FUNCtion[:SHAPe]", word("DC", "PULSe"), "DC")
    volts = ChannelSetting(SOURCE + "VOLTage[:LEVel][:IMMediate][:AMPLitude]", LEVELS, 0.0)
    volts_triggered = ChannelSetting(SOURCE + "VOLTage[:LEVel]:TRIGgered[:AMPLitude]", LEVELS, 0.0)
    amperes = ChannelSetting(
        SOURCE + "CURRent[:LEVel][:IMMediate][:AMPLitude]", number("A", -3.03, 3.03), 0.0
    )
    stepping = ChannelSetting(SOURCE + "VOLTage:MODE", word("FIXed", "SWEep", "LIST"), "FIX")
    start = ChannelSetting(SOURCE + "VOLTage:STARt", LEVELS, 0.0)
    stop = ChannelSetting(SOURCE + "VOLTage:STOP", LEVELS, 0.0)
    points = ChannelSetting(SOURCE + "VOLTage:POINts", integer(1, LONGEST_LIST), 1)
    pulse_width = ChannelSetting(SOURCE + "PULSe:WIDTh", number("S", 5e-5, 1e5), 5e-5)
    pulse_delay = ChannelSetting(SOURCE + "PULSe:DELay", number("S", 0.0, 1e5), 0.0)
    current_limit = ChannelSetting(
        SENSE + "CURRent[:DC]:PROTection[:LEVel]", number("A", 1e-8, 3.03), 1e-4
    )
    voltage_limit = ChannelSetting(
        SENSE + "VOLTage[:DC]:PROTection[:LEVel]", number("V", 2e-3, 210.0), 2.0
    )
    nplc = ChannelSetting(SENSE + "CURRent[:DC]:NPLCycles", number("", 4e-4, 100.0), 0.1)
    remote_sense = ChannelSetting(SENSE + "REMote", boolean, False)
    output = ChannelSetting(OUTPUT + "[:STATe]", boolean, False)
    on_automatically = ChannelSetting(OUTPUT + ":ON:AUTO", boolean, True)
    off_automatically = ChannelSetting(OUTPUT + ":OFF:AUTO", boolean, False)
    protection = ChannelSetting(OUTPUT + ":PROTection[:STATe]", boolean, False)
    off_mode = ChannelSetting(OUTPUT + ":OFF:MODE", word("NORMal", "HIZ", "ZERO"), "NORM")
    low_terminal = ChannelSetting(OUTPUT + ":LOW", word("FLOat", "GROund"), "GRO")
    data_format = Setting("FORMat:BORDer", word("NORMal", "SWAPped"), "NORM")

    def __init__(self, station: ProbeStation, model: str = "B2902B") -> None:
        super().__init__()
        self.station = station
        self.model = model
        terminals = (RoutedCell(station), OpenTerminals())[: CHANNELS[model]]
        self.channels = [ScpiSmuChannel(t, station.clock, 1e-4) for t in terminals]
        self._forget()

    def _forget(self) -> None:
        self.encoding = "ASC"
        self.elements: tuple[str, ...] = ELEMENTS
        self.lists: list[list[float]] = [[0.0] for _ in self.channels]
        self.readings: list[list[Reading]] = [[] for _ in self.channels]
        self._waiting: dict[int, tuple[str, Generator[str, None, None]]] = {}

    def restore_defaults(self) -> None:
        """``*RST``: outputs off first, and no sweep goes on."""
        for channel in self.channels:
            channel.reset()
        super().restore_defaults()
        self._forget()

    def check_channel(self, channel: int) -> None:
        """Raise ScpiError -114 for the second channel of a one-channel model."""
        if channel > len(self.channels):
            raise ScpiError(-114, f"{self.model} has {len(self.channels)} channel(s)")

    def settings_changed(self) -> None:
        """Bring what changed to the terminals."""
        for index, channel in enumerate(self.channels):
            wanted = {
                "output": self.output[index],
                "sources_voltage": self.mode[index] == "VOLT",
                "level_volts": self.volts[index],
                "level_amperes": self.amperes[index],
                "limit_amperes": self.current_limit[index],
                "limit_volts": self.voltage_limit[index],
            }
            if any(getattr(channel, name) != value for name, value in wanted.items()):
                channel.set(**wanted)

    @scpi("*IDN?")
    def _identify(self) -> str:
        return self.IDENTITY.replace("B2902B", self.model)

    # Source and sense

    @scpi(SOURCE + "LIST:VOLTage", *(LEVELS,) * LONGEST_LIST, required=1)
    def _set_list(self, channel: int, *values: float) -> None:
        self.check_channel(channel)
        self.lists[channel - 1] = list(values)

    @scpi(SOURCE + "LIST:VOLTage:POINts?")
    def _list_length(self, channel: int) -> str:
        self.check_channel(channel)
        return str(len(self.lists[channel - 1]))

    @scpi(SENSE + "FUNCtion[:ON]", _text, _text, _text, required=1)
    def _measure_what(self, channel: int, *names: bytes) -> None:
        self.check_channel(channel)
        known = {f'"{quantity}"'.encode() for quantity in ("VOLT", "CURR", "RES")}
        if not {name.replace(b"'", b'"').upper() for name in names} <= known:
            raise ScpiError(-224, '"VOLT", "CURR" or "RES"')

    @scpi(SENSE + "CURRent[:DC]:PROTection:TRIPped?")
    def _current_tripped(self, channel: int) -> str:
        return self._tripped(channel, "VOLT")

    @scpi(SENSE + "VOLTage[:DC]:PROTection:TRIPped?")
    def _voltage_tripped(self, channel: int) -> str:
        return self._tripped(channel, "CURR")

    def _tripped(self, channel: int, mode: str) -> str:
        self.check_channel(channel)
        clamped = self.channels[channel - 1].in_compliance()
        return "1" if clamped and self.mode[channel - 1] == mode else "0"

    # Format

    @scpi("FORMat[:DATA]", word("ASCii", "REAL"), integer(32, 64), required=1)
    def _set_format(self, encoding: str, bits: int = 32) -> None:
        self.encoding = encoding if encoding == "ASC" else f"REAL,{64 if bits > 32 else 32}"

    @scpi("FORMat[:DATA]?")
    def _answer_format(self) -> str:
        return self.encoding

    @scpi("FORMat:ELEMents:SENSe", *(ELEMENT,) * 6, required=1)
    def _set_elements(self, *names: str) -> None:
        self.elements = tuple(name for name in ELEMENTS if name in names)

    @scpi("FORMat:ELEMents:SENSe?")
    def _answer_elements(self) -> str:
        return ",".join(self.elements)

    # Measurement and triggers

    @scpi("MEASure?", _text, _text, required=0)
    def _measure(self, *channels: bytes) -> bytes:
        chosen = self._chosen(channels)
        self._switch_on(chosen)
        for index in chosen:
            self.readings[index] = []
            self._acquire(index)
        return self._data(chosen)

    @scpi("READ[:ARRay]?", _text, _text, required=0)
    def _read(self, *channels: bytes) -> bytes | None:
        self._initiate(*channels)
        return None if self._waiting else self._data(self._chosen(channels))

    @scpi("FETCh[:ARRay]?", _text, _text, required=0)
    def _fetch(self, *channels: bytes) -> bytes:
        return self._data(self._chosen(channels))

    @scpi("FETCh[:ARRay]:CURRent?", _text, _text, required=0)
    def _fetch_currents(self, *channels: bytes) -> bytes:
        return self._data(self._chosen(channels), ("CURR",))

    @scpi("INITiate[:IMMediate][:ALL]", _text, _text, required=0)
    def _initiate(self, *channels: bytes) -> None:
        chosen = self._chosen(channels)
        if any(index in self._waiting for index in chosen):
            raise ScpiError(-213, "the channel waits for a trigger")
        self._switch_on(chosen)
        for index in chosen:
            self.readings[index] = []
            self._advance(index, self._sequence(index))

    @scpi("ABORt[:ALL]", _text, _text, required=0)
    def _abort(self, *channels: bytes) -> None:
        for index in self._chosen(channels):
            self._waiting.pop(index, None)
            self.settings_changed()

    @scpi("*OPC?")
    def _operation_complete(self) -> str | None:
        """A pending sweep keeps the controller waiting."""
        return None if self._waiting else "1"

    def trigger(self) -> None:
        """``*TRG``: the next step of what waits for the bus."""
        self._step("BUS")

    def external_trigger(self) -> None:
        """A pulse at one of the digital pins."""
        self._step("EXT")

    def _step(self, kind: str) -> None:
        due = [index for index, (source, _) in self._waiting.items() if source.startswith(kind)]
        if not due:
            self.report(ScpiError(-211, f"nothing waits for {kind}"))
        for index in due:
            self._advance(index, self._waiting.pop(index)[1])

    def _advance(self, index: int, sequence: Generator[str, None, None]) -> None:
        source = next(sequence, None)
        if source is not None:
            self._waiting[index] = (source, sequence)

    def _sequence(self, index: int) -> Generator[str, None, None]:
        """Run the trigger layers; stops at each trigger that has to come from outside."""
        levels = self._levels(index)
        transients = self.arm_tran_count[index] * self.trig_tran_count[index]
        acquisitions = self.arm_acq_count[index] * self.trig_acq_count[index]
        if max(transients, acquisitions) > MAX_READINGS:
            raise ScpiError(-221, f"more than {MAX_READINGS} triggers")
        channel = self.channels[index]
        for step in range(max(transients, acquisitions)):
            for layer in ("arm", "trig") if step % self.trig_tran_count[index] == 0 else ("trig",):
                source = self.settings[f"{layer}_tran_source"][index]
                if source not in ("AINT", "TIM"):
                    yield source
            began = self.station.clock.now
            pulsed = self.shape[index] == "PULS"
            self.station.clock.advance(
                self.trig_tran_delay[index] + (self.pulse_delay[index] if pulsed else 0.0)
            )
            if step < transients:
                channel.set(level_volts=levels[step % len(levels)])
            if step < acquisitions:
                self.station.clock.advance(self.trig_acq_delay[index])
                self._acquire(index)
            if pulsed and step < transients:
                ends = began + self.pulse_delay[index] + self.pulse_width[index]
                self.station.clock.advance(max(0.0, ends - self.station.clock.now))
                channel.set(level_volts=self.volts[index])
            if self.trig_tran_source[index] == "TIM":
                ends = began + self.trig_tran_timer[index]
                self.station.clock.advance(max(0.0, ends - self.station.clock.now))
        self.settings_changed()  # back to the immediate level

    def _levels(self, index: int) -> list[float]:
        if self.stepping[index] == "LIST":
            return self.lists[index]
        if self.stepping[index] == "FIX":
            return [self.volts_triggered[index] or self.volts[index]]
        first, last, count = self.start[index], self.stop[index], self.points[index]
        return [first + (last - first) * step / max(1, count - 1) for step in range(count)]

    def _acquire(self, index: int) -> None:
        reading = self.channels[index].measure(self.nplc[index] / LINE_FREQUENCY)
        self.readings[index].append(reading)
        if reading.in_compliance and self.protection[index]:
            outputs = list(self.output)
            outputs[index] = False
            self.output = tuple(outputs)
            self.settings_changed()

    def _switch_on(self, chosen: Iterable[int]) -> None:
        """The trap: a measurement switches outputs on, unless that was turned off."""
        outputs = list(self.output)
        for index in chosen:
            outputs[index] = outputs[index] or self.on_automatically[index]
        self.output = tuple(outputs)
        self.settings_changed()

    def _chosen(self, texts: Iterable[bytes]) -> list[int]:
        """Indices of a channel list ``(@1,2)``; without one, channel 1."""
        text = b",".join(texts).replace(b" ", b"")
        if not text:
            return [0]
        numbers = text.removeprefix(b"(@").removesuffix(b")").split(b",")
        if not text.startswith(b"(@") or not text.endswith(b")"):
            raise ScpiError(-104, "a channel list such as (@1,2) is expected")
        if any(number not in (b"1", b"2") for number in numbers):
            raise ScpiError(-222, "channels are 1 and 2")
        for number_ in numbers:
            self.check_channel(int(number_))
        return sorted({int(number) - 1 for number in numbers})

    def _data(self, chosen: list[int], elements: tuple[str, ...] = ()) -> bytes:
        length = max(len(self.readings[index]) for index in chosen)
        if length == 0:
            raise ScpiError(-230, "nothing has been measured")
        values = [
            _element(name, self.readings[index][step] if step < len(self.readings[index]) else None)
            for step in range(length)
            for index in chosen
            for name in elements or self.elements
        ]
        if self.encoding == "ASC":
            return ",".join(map(real, values)).encode()
        order = "<" if self.data_format == "SWAP" else ">"
        return as_block(
            struct.pack(f"{order}{len(values)}{'d' if '64' in self.encoding else 'f'}", *values)
        )


def _element(name: str, reading: Reading | None) -> float:
    if reading is None:
        return MISSING
    if name == "RES":
        return reading.voltage / reading.current if reading.current else MISSING
    return {
        "VOLT": reading.voltage,
        "CURR": reading.current,
        "TIME": reading.time,
        "STAT": float(reading.in_compliance),
        "SOUR": reading.sourced,
    }[name]
