"""Emulated Picosecond Pulse Labs 10,070A, wired to the pulse input of the board.

Keywords and ranges after published drivers (see `drivers.picosecond_10070a`). Ours, because nothing
public says: the form of replies with ``header on``, the identity, the settings after ``*RST``, that
an amplitude between two steps becomes the nearest, and that a serial poll clears the error bits.
"""

import math
from typing import Any, ClassVar

from crossbar.units import Seconds, Volts
from simulated_instruments.generator_output import REACTION_TIME, SOURCE_IMPEDANCE
from simulated_instruments.probe_station import ProbeStation
from simulated_instruments.scpi import ScpiInstrument, Setting, scpi
from simulated_instruments.scpi_grammar import ScpiError, number, word

FULL_SCALE: Volts = 7.5
"""Into 50 Ohm."""
LARGEST_ATTENUATION = 81
"""Decibels."""
WIDTH_STEP: Seconds = 2.5e-12
OFFSET_STEP: Volts = 1.25e-3
RELAYS: Seconds = 30e-3
"""How long the attenuator takes to move. Ours: "tens of milliseconds"."""
ERROR_BITS = {1: 0x20, 2: 0x10, 3: 0x08, 4: 0x04}
"""Of the status byte, by hundreds of the SCPI error that would describe it."""


def decibel_step(text: bytes) -> Volts:
    """An amplitude into 50 Ohm, as the attenuator makes it."""
    asked = number("V", -FULL_SCALE, FULL_SCALE)(text)
    if asked == 0:
        raise ScpiError(-222, "no attenuation makes 0 V")
    decibels = round(20 * math.log10(FULL_SCALE / abs(asked)))
    if decibels > LARGEST_ATTENUATION:
        raise ScpiError(-222, f"attenuation of {decibels} dB")
    return math.copysign(FULL_SCALE * 10 ** (-decibels / 20), asked)


def multiple(step: float, unit: str, minimum: float, maximum: float) -> Any:
    """A number that becomes the nearest multiple of a step."""
    read = number(unit, minimum, maximum)
    return lambda text: round(read(text) / step) * step


class Headed(Setting):
    """A setting whose reply begins with its keyword while ``header`` is on; four digits."""

    def _answer(self, instrument: ScpiInstrument, *_: object) -> str:
        value = instrument.settings[self.name]
        text = f"{value:.3E}" if isinstance(value, float) else str(value)
        return headed(instrument, self.name.partition("_")[0], text)


def headed(instrument: ScpiInstrument, keyword: str, text: str) -> str:
    """A reply, after its keyword while ``header`` is on."""
    return f"{keyword.upper()} {text}" if instrument.settings["header"] == "ON" else text


class EmulatedPicosecond10070A(ScpiInstrument):
    """A 10,070A. Nothing reaches the cell while the output is disabled."""

    IDENTITY = "Picosecond Pulse Labs,10070A,0,1.0"
    # Not in any list of its commands: SCPI's error queue and registers.
    _next_error: ClassVar[Any] = None
    _error_count: ClassVar[Any] = None
    _questionable_events: ClassVar[Any] = None

    header = Headed("HEADer", word("ON", "OFF"), "ON")
    amplitude = Headed("AMPLitude", decibel_step, FULL_SCALE)
    duration = Headed("DURation", multiple(WIDTH_STEP, "S", 0.0, 10.2e-9), 1e-9)
    offset = Headed("OFFSet", multiple(OFFSET_STEP, "V", -5.0, 5.0), 0.0)
    delay = Headed("DELay", multiple(1e-9, "S", 0.0, 63e-9), 0.0)
    period = Headed("PERiod", multiple(1e-7, "S", 10e-6, 1.0), 1e-3)
    level = Headed("LEVel", multiple(1e-3, "V", -2.0, 2.0), 0.0)
    slope = Headed("SLOPe", word("POSitive", "NEGative"), "POS")
    hysteresis = Headed("HYSTeresis", word("ON", "OFF"), "ON")
    gate = Headed("GATE", word("ON", "OFF"), "OFF")
    trigger_source = Headed("TRIGger", word("INTernal", "EXTernal", "MANual", "GPIB"), "INT")

    def __init__(self, station: ProbeStation) -> None:
        super().__init__()
        self.station = station
        self.output = False
        self.limit: Volts | None = None
        self._error_bits = 0
        self._relays_at = self.amplitude

    @scpi("ENABle", word("YES", "NO"), required=0)
    def _enable(self, choice: str = "YES") -> None:
        self.output = choice == "YES"
        self.settings_changed()

    @scpi("DISable")
    def _disable(self) -> None:
        self.output = False

    @scpi("ENABle?")
    def _answer_enabled(self) -> str:
        return headed(self, "enable", "YES" if self.output else "NO")

    @scpi("DISable?")
    def _answer_disabled(self) -> str:
        return headed(self, "disable", "NO" if self.output else "YES")

    @scpi("LIMit", word("ON", "OFF"))
    def _set_limit(self, choice: str) -> None:
        self.limit = abs(self.amplitude) if choice == "ON" else None

    @scpi("LIMit?")
    def _answer_limit(self) -> str:
        return headed(self, "limit", "OFF" if self.limit is None else "ON")

    @scpi("FREQuency", number("HZ", 1.0, 100e3))
    def _set_frequency(self, hertz: float) -> None:
        self.period = round(1 / hertz / 1e-7) * 1e-7

    @scpi("FREQuency?")
    def _answer_frequency(self) -> str:
        return headed(self, "frequency", f"{1 / self.period:.3E}")

    def restore_defaults(self) -> None:
        """``*RST``; the output is disabled. Ours."""
        super().restore_defaults()
        self.output, self.limit = False, None
        self.settings_changed()

    def check_settings(self) -> None:
        """The limit holds for the amplitude, whatever its sign."""
        if self.limit is not None and abs(self.amplitude) > self.limit * (1 + 1e-9):
            raise ScpiError(-221, "amplitude is above the limit")

    def settings_changed(self) -> None:
        """The relays move; an output that is wrongly set acts on the cell until it is noticed."""
        if self.amplitude != self._relays_at:
            self._relays_at = self.amplitude
            self.station.clock.advance(RELAYS)
        if not self.output:
            return
        if self.offset:
            self._drive(self.offset, REACTION_TIME)
        if self.trigger_source == "INT":
            for _ in range(max(1, round(REACTION_TIME / self.period))):
                self._send()

    def trigger(self) -> None:
        """``*TRG`` and group execute trigger: one pulse, if it is what starts pulses."""
        if self.trigger_source != "GPIB":
            self.report(ScpiError(-211, "the trigger source is not GPIB"))
            return
        self._send()

    def external_trigger(self) -> None:
        """An edge at the external trigger input."""
        if self.trigger_source == "EXT":
            self._send()

    def report(self, error: ScpiError) -> None:
        """Errors show in the status byte only."""
        self._error_bits |= ERROR_BITS.get(-error.code // 100, 0x10)

    def status_byte(self) -> int:
        """Errors since the last poll."""
        bits, self._error_bits = self._error_bits, 0
        return bits

    def _send(self) -> None:
        """One pulse; with the gate on, the open gate input holds it back."""
        if self.output and self.gate == "OFF" and self.duration > 0:
            self._drive(self.amplitude + self.offset, self.duration)

    def _drive(self, into_50_ohm: Volts, width: Seconds) -> None:
        open_circuit = 2 * into_50_ohm
        self.station.pulse(self.station.pulsed_cell, open_circuit, width, SOURCE_IMPEDANCE)
