"""Picosecond Pulse Labs (Tektronix) 10,070A: pulses of 0.1 to 10 ns, attenuated in steps of 1 dB.

Commands and ranges after published drivers of four laboratories (BBN's Auspex and QLab, and two for
the 10,070A and its sister, the 10,060A, that quote its manual); no manual was at hand. What they
leave open is marked.
"""

import math
import time
from dataclasses import dataclass
from typing import Any

from pymeasure.instruments import Instrument
from pymeasure.instruments.validators import strict_discrete_set

from crossbar.errors import InstrumentError, LimitError, ReportedError
from crossbar.pulses import Pulse
from crossbar.units import Seconds, Volts, format_quantity
from drivers.as_prepared import did_not_hold
from drivers.hardware_range import hardware_range
from drivers.identity import identity_asked_once, wrong_instrument
from drivers.protection import Protection
from drivers.pulse_range import PulseRange
from drivers.visa import FAULTS, not_connected

NAME = "Picosecond 10,070A"
FULL_SCALE: Volts = 7.5
"""Magnitude of the unattenuated pulse, into 50 Ohm."""
OPEN_CIRCUIT = 2.0
"""Open-circuit volts for each volt into 50 Ohm: the source has 50 Ohm."""
LARGEST_ATTENUATION = 81
"""Decibels, in steps of 1 dB."""
AMPLITUDE_TOLERANCE = 0.01
"""How closely an amplitude must be one of the attenuator's, as a fraction. Ours: 0.09 dB."""
ROUNDING = 1e-9
"""Of powers of ten in floating point."""
WIDTHS: tuple[Seconds, Seconds] = (0.1e-9, 10e-9)
"""Ours, from memory of the data sheet: the instrument accepts 0 to 10.2 ns to make up for drift,
but its edges take 65 ps and 115 ps."""
ACCEPTED_WIDTHS: tuple[Seconds, Seconds] = (0.0, 10.2e-9)
WIDTH_STEP: Seconds = 2.5e-12
"""Resolution of the duration, and how closely it must read back."""
OFFSETS: tuple[Volts, Volts] = (-5.0, 5.0)
OFFSET_TOLERANCE: Volts = 1.25e-3
"""Resolution of the offset, into 50 Ohm."""
TRIGGER_LEVEL: Volts = 1.0
"""Half-way up a TTL edge into 50 Ohm. Ours."""
SETTLING: Seconds = 50e-3
"""The attenuator's relays take tens of milliseconds, from memory; nothing is sent meanwhile."""
STATUS_BITS = {
    0x20: "command error",
    0x10: "execution error",
    0x08: "input buffer overflow",
    0x04: "query error",
    0x02: "output buffer overflow",
}
"""Of the status byte, after a published driver of the 10,060A."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttenuatedRange(PulseRange):
    """A range of which only every decibel can be had."""

    def nearest(self, amplitude: Volts) -> Volts:
        """The attainable amplitude nearest to this one on the decibel scale, with its sign."""
        decibels = 20 * math.log10(self.largest / abs(amplitude))
        return self._attenuated(round(decibels), amplitude)

    def below(self, amplitude: Volts) -> Volts:
        """The largest attainable amplitude that does not exceed this one in magnitude."""
        decibels = 20 * math.log10(self.largest / abs(amplitude))
        return self._attenuated(math.ceil(decibels - ROUNDING), amplitude)

    def check(self, pulse: Pulse) -> Pulse:
        """Return the pulse, or raise LimitError: nothing is clipped or rounded to a step."""
        PulseRange.check(self, pulse)
        asked = pulse.amplitude
        if abs(self.nearest(asked) - asked) > AMPLITUDE_TOLERANCE * abs(asked):
            less = self.below(asked)
            more = less * 10 ** (1 / 20)
            raise LimitError(
                f"Pulse of {asked:g} V refused: the attenuator of the {self.name} makes "
                f"{less:.4g} V and {more:.4g} V open circuit, and nothing between (steps of 1 dB). "
                "Choose the amplitude so that one of them results at the generator."
            )
        return pulse

    def _attenuated(self, decibels: int, sign: float) -> Volts:
        within = min(max(decibels, 0), LARGEST_ATTENUATION)
        return math.copysign(self.largest * 10 ** (-within / 20), sign)


def _last_word(reply: str) -> str:
    """With ``header on`` a reply begins with its keyword; how, is not confirmed."""
    return reply.split()[-1] if reply.split() else reply


class Picosecond10070A(Instrument):
    """A 10,070A as a source of single pulses from 0 V to an amplitude and back.

    Amplitudes are *open-circuit volts*, which are twice those of the instrument's display: that
    refers to 50 Ohm. What arrives at a cell behind the 50 Ohm source is worked out in
    ``die_access``. An amplitude that is not one of the attenuator's, to 1 %, is refused, because a
    record would otherwise state volts that the cell never saw; `reach` names the attainable ones.

    The sign of the amplitude is the polarity, after two published drivers.

    No error queue is known. Every setting that matters is read back before the trigger instead.
    The defaults are never restored: nothing public says whether ``*RST`` enables the output.

    A command that failed is never repeated: after an exception the state of the cell is unknown.
    """

    reach = AttenuatedRange(
        name=NAME,
        smallest=OPEN_CIRCUIT * FULL_SCALE * 10 ** (-LARGEST_ATTENUATION / 20),
        largest=OPEN_CIRCUIT * FULL_SCALE,
        shortest=WIDTHS[0],
        longest=WIDTHS[1],
    )

    def __init__(self, adapter: Any, name: str = NAME, **kwargs: Any) -> None:
        super().__init__(adapter, name, includeSCPI=False, **kwargs)
        self._max_amplitude = self.reach.largest
        self._settled: Volts | None = None

    amplitude = Instrument.control(
        "amplitude?",
        "amplitude %.9g",
        """Control the amplitude into 50 Ohm, in volts (strictly -7.5 to 7.5; steps of 1 dB).""",
        validator=hardware_range("amplitude into 50 Ohm", "V", NAME),
        values=(-FULL_SCALE, FULL_SCALE),
        preprocess_reply=_last_word,
    )
    duration = Instrument.control(
        "duration?",
        "duration %.9g",
        """Control the pulse width, in seconds (strictly 0 to 10.2e-9; steps of 2.5e-12).""",
        validator=hardware_range("pulse width", "s", NAME),
        values=ACCEPTED_WIDTHS,
        preprocess_reply=_last_word,
    )
    offset = Instrument.control(
        "offset?",
        "offset %.9g",
        """Control the level between pulses into 50 Ohm, in volts (strictly -5 to 5).""",
        validator=hardware_range("offset", "V", NAME),
        values=OFFSETS,
        preprocess_reply=_last_word,
    )
    trigger_source = Instrument.control(
        "trigger?",
        "trigger %s",
        """Control what starts a pulse (str, strictly "INT", "EXT", "MAN", or "GPIB": ``*TRG``).""",
        validator=strict_discrete_set,
        values=("INT", "EXT", "MAN", "GPIB"),
        cast=str,
        preprocess_reply=_last_word,
    )
    gating = Instrument.control(
        "gate?",
        "gate %s",
        """Control whether triggers need a high level at the gate input (str, "ON" or "OFF").""",
        validator=strict_discrete_set,
        values=("ON", "OFF"),
        cast=str,
        preprocess_reply=_last_word,
    )
    amplitude_limit = Instrument.control(
        "limit?",
        "limit %s",
        """Control whether no amplitude above the one set when this was switched on is accepted
        (str, strictly "ON" or "OFF"); after a published driver of the 10,060A.""",
        validator=strict_discrete_set,
        values=("ON", "OFF"),
        cast=str,
        preprocess_reply=_last_word,
    )
    output_enabled = Instrument.measurement(
        "enable?",
        """Get whether pulses are let out (bool). ``enable`` and ``disable`` set it.""",
        cast=str,
        preprocess_reply=_last_word,
        get_process=lambda word: word.upper() == "YES",
    )

    identity = identity_asked_once()

    def check_identity(self) -> None:
        """Raise WrongInstrumentError unless a 10,070A answers, with or without its comma."""
        if "10070A" not in self.identity.replace(",", "").upper():
            raise wrong_instrument(self.identity, NAME)

    def check_errors(self) -> list[Any]:
        """Raise ReportedError if a serial poll shows an error.

        Where there is no serial poll (a socket, a recording), nothing is asked.
        """
        poll = getattr(getattr(self.adapter, "connection", None), "read_stb", None)
        address = str(getattr(self.adapter, "address", ""))
        if poll is None or address.endswith("SOCKET"):
            return []
        try:
            status = int(poll())
        except FAULTS as error:
            raise not_connected(self.name, address, error) from error
        found = [words for bit, words in STATUS_BITS.items() if status & bit]
        if found:
            raise ReportedError(
                f"The {NAME} reported {' and '.join(found)} in its status byte. What was asked for "
                "was refused or not completed."
            )
        return []

    def prepare(self, max_amplitude: Volts = OPEN_CIRCUIT * FULL_SCALE) -> None:
        """Set up triggered single pulses, with the output disabled and no offset.

        ``max_amplitude`` is the largest magnitude of a pulse that `apply` will send, in
        open-circuit volts; the instrument's own limit is switched on at the step below it. Raises
        LimitError, or InstrumentError if a setting does not read back.
        """
        self.reach.check_limit(max_amplitude)
        self.write("header off")
        self.off()
        self._max_amplitude, self._settled = max_amplitude, None
        self.gating = "OFF"
        self.offset = 0.0
        self.write("delay 0")
        self.write(f"level {TRIGGER_LEVEL:.9g}")
        self.write("slope POS")
        self.amplitude_limit = "OFF"
        self._set_amplitude(self.reach.below(max_amplitude))
        self.amplitude_limit = "ON"
        self._set_amplitude(self.reach.smallest)
        self._check_prepared()

    def protections(self) -> tuple[Protection, ...]:
        """None: the limit that `prepare` switches on cannot be read back in volts.

        `apply` itself refuses what exceeds ``max_amplitude``.
        """
        return ()

    def apply(self, pulse: Pulse) -> None:
        """Send one pulse of open-circuit volts; return when the output is disabled again.

        Raises LimitError before anything is sent, and InstrumentError if a setting does not read
        back: then it was not triggered.
        """
        self._check(pulse)
        try:
            self._set_up(pulse)
            self.write("*TRG")  # the longest pulse is over before the next message arrives
            self._disable()
        except BaseException:
            self.off()
            raise

    def arm_external(self, pulse: Pulse) -> None:
        """Let every trigger at the external input send this pulse, until `off`.

        Raises as `apply` does.
        """
        self._check(pulse)
        try:
            self._set_up(pulse)
            self.trigger_source = "EXT"
            self._check_setting("trigger source", self.trigger_source, "EXT")
        except BaseException:
            self.off()
            raise

    def off(self) -> None:
        """Disable the output and take triggers from ``*TRG`` only.

        Raises InstrumentError if the output says that it is still enabled.
        """
        self._disable()
        self.trigger_source = "GPIB"

    def shutdown(self) -> None:
        """Leave the output disabled."""
        self.off()
        super().shutdown()

    def _check(self, pulse: Pulse) -> None:
        """Nothing has been sent yet. Raises LimitError."""
        self.reach.check(pulse)
        self.reach.check_prepared(pulse, self._max_amplitude * (1 + ROUNDING))

    def _set_up(self, pulse: Pulse) -> None:
        """Set the pulse with the output disabled; enable it once every setting reads back."""
        self.off()
        self._set_amplitude(pulse.amplitude)
        self.duration = pulse.width
        self._check_prepared()
        actual = self.duration
        if abs(actual - pulse.width) > WIDTH_STEP:
            asked = format_quantity(pulse.width, "s")
            self._refuse("pulse width", asked, format_quantity(actual, "s"))
        self._check_amplitude(pulse.amplitude)
        self.write("enable")
        if not self.output_enabled:
            self._refuse("its output", "enabled", "disabled")

    def _set_amplitude(self, amplitude: Volts) -> None:
        """Set the step for these open-circuit volts, and wait for the relays if they move."""
        step = self.reach.nearest(amplitude)
        if step == self._settled:
            return
        self._settled = None
        self.amplitude = step / OPEN_CIRCUIT
        time.sleep(SETTLING)
        self._check_amplitude(amplitude)
        self._settled = step

    def _check_amplitude(self, amplitude: Volts) -> None:
        actual = self.amplitude * OPEN_CIRCUIT
        if abs(actual - amplitude) > AMPLITUDE_TOLERANCE * abs(amplitude):
            self._refuse("amplitude", f"{amplitude:.4g} V", f"{actual:.4g} V (open circuit)")

    def _check_prepared(self) -> None:
        """Whether the generator still is as `prepare` left it."""
        self._check_setting("trigger source", self.trigger_source, "GPIB")
        self._check_setting("gate", self.gating, "OFF")
        self._check_setting("amplitude limit", self.amplitude_limit, "ON")
        offset = self.offset
        if abs(offset) > OFFSET_TOLERANCE:
            self._refuse("offset", "0 V", f"{offset:g} V")

    def _disable(self) -> None:
        self.write("disable")
        if self.output_enabled:
            raise InstrumentError(
                f"The {NAME} was told to disable its output, but says that it is enabled. "
                "Disconnect it from the wafer, and look at its front panel."
            )

    def _check_setting(self, what: str, actual: str, expected: str) -> None:
        if actual.upper() != expected:
            self._refuse(what, expected, actual)

    def _refuse(self, what: str, expected: str, actual: str) -> None:
        """Raise InstrumentError for a setting that did not hold."""
        raise did_not_hold(NAME, what, expected=expected, actual=actual)
