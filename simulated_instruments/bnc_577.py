"""Emulated BNC 577 with adjustable outputs; channel A is wired to the pulse input of the board.

Keywords after published drivers, in short and long form; every command is answered. Ours, because
nothing public says: the settings after ``*RST``, what the gate input does while nothing is
connected to it, and how long a wrongly set output acts. The modes of single channels, their
counters and gates are stored, without effect.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from crossbar.units import Seconds, Volts
from simulated_instruments.emulated_instrument import EmulatedInstrument
from simulated_instruments.generator_output import REACTION_TIME, SOURCE_IMPEDANCE
from simulated_instruments.probe_station import ProbeStation
from simulated_instruments.scpi_grammar import (
    Parameter,
    ScpiError,
    boolean,
    header_pattern,
    integer,
    number,
    word,
)

CHANNELS = "ABCD"
TTL_LEVEL: Volts = 4.0
"""Open circuit."""
TIME_STEP: Seconds = 0.25e-9
VOLTAGE_STEP: Volts = 0.01
MOST_PULSES = 1000
"""In one burst of this emulator; the instrument counts to 9999999."""
FREE_RUNNING = 100
"""Pulses at most that a free-running output sends before somebody notices."""
(NO_PREFIX, NO_KEYWORD, UNKNOWN, NO_PARAMETER, BAD_PARAMETER, QUERY_ONLY, NO_QUERY, NOT_NOW) = (
    f"?{code}" for code in range(1, 9)
)
PULSE = re.compile(rb"(?:S(PUL)(?:SE)?|PULSE?(\d?)):(.*)")
"""A setting of the system (number 0, or ``SPULSE``) or of a channel, by number or selected."""


@dataclass(frozen=True, slots=True)
class Keyword:
    """One setting."""

    header: re.Pattern[bytes]
    name: str
    read: Parameter
    default: Any


def keyword(declaration: str, name: str, read: Parameter, default: object) -> Keyword:
    """Declare one in the manual's spelling: capitals are the short form."""
    return Keyword(header_pattern(declaration)[0], name, read, default)


def stepped(unit: str, minimum: float, maximum: float, step: float) -> Parameter:
    """A number that becomes the nearest multiple of a step."""
    read = number(unit, minimum, maximum)
    return lambda text: round(read(text) / step) * step


COUNT = integer(1, MOST_PULSES)
SYSTEM = (
    keyword("STATe", "running", boolean, False),
    keyword("PERiod", "period", stepped("S", 100e-9, 5000.0, 10e-9), 1e-3),
    keyword("MODe", "mode", word("NORMal", "SINGle", "BURSt", "DCYCle"), "NORM"),
    keyword("BCOunter", "burst", COUNT, 1),
    keyword("PCOunter", "on_count", COUNT, 1),
    keyword("OCOunter", "off_count", COUNT, 1),
    keyword("ICLock", "clock", word("SYStem", "EXT10"), "SYS"),
    keyword("TRIGger:MODe", "trigger", word("DISable", "TRIGgered"), "DIS"),
    keyword("TRIGger:LEVel", "trigger_level", number("V", 0.2, 15.0), 2.5),
    keyword("TRIGger:EDGE", "trigger_edge", word("RISing", "FALLing"), "RIS"),
    keyword("GATe:MODe", "gate", word("DISable", "PULSe", "OUTPut", "CHANnel"), "DIS"),
    keyword("GATe:LEVel", "gate_level", number("V", 0.2, 15.0), 2.5),
)
CHANNEL = (
    keyword("STATe", "on", boolean, False),
    keyword("WIDTh", "width", stepped("S", 10e-9, 1000.0, TIME_STEP), 1e-6),
    keyword("DELay", "delay", stepped("S", -1000.0, 1000.0, TIME_STEP), 0.0),
    keyword("SYNC", "sync", word("T0", *(f"CH{name}" for name in CHANNELS)), "T0"),
    keyword("MUX", "mux", integer(0, 2 ** len(CHANNELS) - 1), None),
    keyword("POLarity", "polarity", word("NORMal", "INVerted", "COMPlement"), "NORM"),
    keyword("OUTPut:MODe", "output", word("TTL", "ADJustable"), "TTL"),
    keyword("OUTPut:AMPLitude", "amplitude", stepped("V", 2.0, 20.0, VOLTAGE_STEP), 4.0),
    keyword("CMODe", "mode", word("NORMal", "SINGle", "BURSt", "DCYCle"), "NORM"),
    keyword("BCOunter", "burst", COUNT, 1),
    keyword("PCOunter", "on_count", COUNT, 1),
    keyword("OCOunter", "off_count", COUNT, 1),
    keyword("WCOunter", "wait_count", integer(0, MOST_PULSES), 0),
    keyword("CGATe[:MODe]", "gate", word("DISable", "LOW", "HIGH"), "DIS"),
)


class Refused(Exception):  # noqa: N818  it is an answer of the instrument
    """Carries the answer: a question mark and a number."""


class EmulatedBNC577(EmulatedInstrument):
    """A 577-4. Nothing reaches the cell while channel A is off."""

    IDENTITY: ClassVar[str] = "BNC,577-4,00000,2.0.7-2.0.13"
    REPLY_TERMINATOR = b"\r\n"

    def __init__(self, station: ProbeStation) -> None:
        super().__init__()
        self.station = station
        self.selected = 0
        self.restore_defaults()
        self._queries: dict[bytes, Callable[[], str]] = {
            b"*IDN": lambda: self.IDENTITY,
            b":INST:CAT": lambda: ",".join(["T0", *(f"CH{name}" for name in CHANNELS)]),
            b":INST:FULL": lambda: ",".join(
                ["T0,0", *(f"CH{name},{place}" for place, name in enumerate(CHANNELS, 1))]
            ),
            b":DISP:UPD": lambda: "0",
        }
        self._commands: dict[bytes, Callable[[], None]] = {
            b"*RST": self.restore_defaults,
            b"*TRG": self._software_trigger,
            b"*ARM": lambda: None,  # nothing is counted across shots here
        }

    def restore_defaults(self) -> None:
        """``*RST``: stopped, every channel off."""
        self.system: dict[str, Any] = {one.name: one.default for one in SYSTEM}
        self.channels: list[dict[str, Any]] = [
            {one.name: one.default for one in CHANNEL} | {"mux": 1 << place}
            for place in range(len(CHANNELS))
        ]

    @property
    def output(self) -> bool:
        """Whether channel A is on."""
        return bool(self.channels[0]["on"])

    def handle(self, message: bytes) -> None:
        """Answer one command or query."""
        words = message.split(None, 1)
        if not words:
            return
        parameter = words[1].strip() if len(words) > 1 else b""
        try:
            self.reply(self._answer(words[0].upper(), parameter))
        except Refused as refused:
            self.reply(str(refused))

    def trigger(self) -> None:
        """Group execute trigger, as the trigger input."""
        self.external_trigger()

    def external_trigger(self) -> None:
        """An edge at the trigger input."""
        if self.system["running"] and self.system["trigger"] == "TRIG":
            self._start()

    def _answer(self, header: bytes, parameter: bytes) -> str:
        if header[:1] not in (b":", b"*"):
            raise Refused(NO_PREFIX)
        asks, header = header.endswith(b"?"), header.removesuffix(b"?")
        if not header[1:].strip(b":"):
            raise Refused(NO_KEYWORD)
        if header in self._queries:
            if not asks:
                raise Refused(QUERY_ONLY)
            return self._queries[header]()
        if header in self._commands:
            if asks:
                raise Refused(NO_QUERY)
            self._commands[header]()
            return "ok"
        if header in (b":INST:NSEL", b":INSTRUMENT:NSELECT"):
            return self._select(parameter, asks=asks)
        match = PULSE.fullmatch(header[1:])
        if match is None or header[:1] != b":":
            raise Refused(UNKNOWN)
        number_given = b"0" if match[1] else match[2]
        instrument = int(number_given) if number_given else self.selected
        return self._setting(instrument, match[3], parameter, asks=asks)

    def _select(self, parameter: bytes, *, asks: bool) -> str:
        """What ``:PULSE`` without a number means."""
        if asks:
            return str(self.selected)
        self.selected = int(self._value(integer(0, len(CHANNELS)), parameter))
        return "ok"

    def _setting(self, instrument: int, header: bytes, parameter: bytes, *, asks: bool) -> str:
        if instrument > len(CHANNELS):
            raise Refused(UNKNOWN)
        keywords = CHANNEL if instrument else SYSTEM
        values = self.channels[instrument - 1] if instrument else self.system
        for one in keywords:
            if one.header.fullmatch(header):
                break
        else:
            raise Refused(UNKNOWN)
        if asks:
            return written(values[one.name])
        values[one.name] = self._value(one.read, parameter)
        if instrument == 1:
            self._channel_changed()
        elif instrument == 0 and (one.name == "running" or self._runs_freely):
            self._system_changed()
        return "ok"

    def _value(self, read: Parameter, parameter: bytes) -> Any:
        if not parameter:
            raise Refused(NO_PARAMETER)
        try:
            return read(parameter)
        except ScpiError:
            raise Refused(BAD_PARAMETER) from None

    @property
    def _runs_freely(self) -> bool:
        """Whether pulses come without end or trigger."""
        system = self.system
        return bool(
            system["running"] and system["trigger"] == "DIS" and system["mode"] in ("NORM", "DCYC")
        )

    def _software_trigger(self) -> None:
        """``*TRG``: as the trigger input. What it does without triggering enabled is ours."""
        if not (self.system["running"] and self.system["trigger"] == "TRIG"):
            raise Refused(NOT_NOW)
        self._start()

    def _system_changed(self) -> None:
        if self.system["running"] and self.system["trigger"] == "DIS":
            self._start()

    def _channel_changed(self) -> None:
        """Inverted, an output that is on idles at the high level, until it is noticed."""
        channel = self.channels[0]
        if channel["on"] and channel["polarity"] != "NORM":
            self._drive(REACTION_TIME)
        if self._runs_freely:
            self._start()

    def _start(self) -> None:
        """What the timers send once started."""
        count = {"SING": 1, "BURS": self.system["burst"]}.get(self.system["mode"])
        if count is None:
            count = min(FREE_RUNNING, max(1, round(REACTION_TIME / self.system["period"])))
        channel = self.channels[0]
        connected = channel["on"] and channel["mux"] & 1 and channel["polarity"] == "NORM"
        for sent in range(count):
            if sent:
                self.station.clock.advance(self.system["period"])
            if connected and self.system["gate"] == "DIS":
                self._drive(channel["width"])

    def _drive(self, width: Seconds) -> None:
        channel = self.channels[0]
        volts = TTL_LEVEL if channel["output"] == "TTL" else channel["amplitude"]
        self.station.pulse(self.station.pulsed_cell, volts, width, SOURCE_IMPEDANCE)


def written(value: object) -> str:
    """A value as the instrument answers it; times and volts as decimals."""
    if isinstance(value, bool):
        return "1" if value else "0"
    return f"{value:.11f}" if isinstance(value, float) else str(value)
