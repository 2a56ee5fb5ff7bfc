"""Berkeley Nucleonics 577 digital delay generator: channel A as a source of single pulses.

Commands after drivers that several laboratories have published; the error numbers as one of them
quotes the manual. Levels and edges of the adjustable output are from memory, not confirmed. Every
command is answered, with ``ok`` or with ``?`` and a number, and there is no error queue.
"""

import re
import time
from collections.abc import Callable
from typing import Any

from pymeasure.instruments import Instrument
from pymeasure.instruments.validators import strict_discrete_set

from crossbar.errors import ReplyError, ReportedError
from crossbar.pulses import Pulse
from crossbar.units import Seconds, Volts, format_quantity
from drivers.as_prepared import did_not_hold
from drivers.hardware_range import hardware_range
from drivers.identity import identity_asked_once, model_field, wrong_instrument
from drivers.protection import Protection
from drivers.pulse_range import PulseRange

NAME = "BNC 577"
AMPLITUDES: tuple[Volts, Volts] = (2.0, 20.0)
"""Of the adjustable output into a high impedance: behind its 50 Ohm, open-circuit volts."""
AMPLITUDE_STEP: Volts = 0.01
"""Resolution of the amplitude, and how closely it must read back."""
ACCEPTED_WIDTHS: tuple[Seconds, Seconds] = (10e-9, 999.0)
SHORTEST: Seconds = 30e-9
"""Ours: the adjustable output rises and falls in 15 ns each; shorter pulses never get up."""
WIDTH_STEP: Seconds = 0.25e-9
"""Resolution of the width, and how closely it must read back."""
SHORTEST_PERIOD: Seconds = 1e-3
"""A single pulse must still fit into the period; longer pulses get twice their width. Ours."""
TRIGGER_LEVEL: Volts = 2.5
BUS_LATENCY: Seconds = 1e-3
"""A message takes about as long; pulses shorter than this are over before the next one arrives."""
LATE_REPLIES = 8
"""How many replies that nobody waited for are passed over in search of the right one."""
NUMBER = re.compile(r"[+-]?(?:\d+\.\d*|\d+(?=[eE]))(?:[eE][+-]?\d+)?")
"""How a width is answered; an ``ok`` or a flag is none."""
ERRORS = {
    "?1": "incorrect prefix",
    "?2": "missing command keyword",
    "?3": "invalid command keyword",
    "?4": "missing parameter",
    "?5": "invalid parameter",
    "?6": "query only",
    "?7": "invalid query",
    "?8": "command unavailable in the present state",
}


def _as_flag(on: bool) -> str:
    return "ON" if on else "OFF"


class BNC577(Instrument):
    """Channel A of a 577 with an adjustable output, for pulses from 0 V to 2 to 20 V and back.

    It sends positive pulses only: inverted, its output would idle at the high level. Amplitudes are
    open-circuit volts. A cell that bears less than 2 V must not be wired to it; its TTL outputs
    (about 4 V) serve better as the trigger of another generator.

    A single pulse starts when the instrument is set running in single-shot mode without a trigger.

    On a serial line (RS-232, USB) it speaks at 115200 baud, 8N1. Should it echo commands, the
    first answer says so: switch the echo off at its front panel.

    A command that failed is never repeated: after an exception the state of the cell is unknown.
    """

    reach = PulseRange(
        name=NAME,
        smallest=AMPLITUDES[0],
        largest=AMPLITUDES[1],
        shortest=SHORTEST,
        longest=ACCEPTED_WIDTHS[1],
        signs=(1,),
    )

    def __init__(self, adapter: Any, name: str = NAME, **kwargs: Any) -> None:
        super().__init__(adapter, name, includeSCPI=False, **kwargs)
        self._max_amplitude = self.reach.largest

    running = Instrument.control(
        ":PULSE0:STATE?",
        ":PULSE0:STATE %s",
        """Control whether the timers run (bool); in single-shot mode it starts the pulse.""",
        validator=strict_discrete_set,
        values=(True, False),
        set_process=_as_flag,
        get_process=bool,
        check_set_errors=True,
    )
    mode = Instrument.control(
        ":PULSE0:MODE?",
        ":PULSE0:MODE %s",
        """Control how often it pulses once started (str, strictly "NORM", "SING", "BURST").""",
        validator=strict_discrete_set,
        values=("NORM", "SING", "BURST"),
        cast=str,
        check_set_errors=True,
    )
    period = Instrument.control(
        ":PULSE0:PERIOD?",
        ":PULSE0:PERIOD %.9g",
        """Control the period of the timers, in seconds (strictly 100e-9 to 5000).""",
        validator=hardware_range("period", "s", NAME),
        values=(100e-9, 5000.0),
        check_set_errors=True,
    )
    trigger_mode = Instrument.control(
        ":PULSE0:TRIG:MODE?",
        ":PULSE0:TRIG:MODE %s",
        """Control whether a pulse waits for the trigger input (str, strictly "DIS" or "TRIG").""",
        validator=strict_discrete_set,
        values=("DIS", "TRIG"),
        cast=str,
        check_set_errors=True,
    )
    channel_enabled = Instrument.control(
        ":PULSE1:STATE?",
        ":PULSE1:STATE %s",
        """Control whether channel A sends pulses (bool).""",
        validator=strict_discrete_set,
        values=(True, False),
        set_process=_as_flag,
        get_process=bool,
        check_set_errors=True,
    )
    polarity = Instrument.control(
        ":PULSE1:POL?",
        ":PULSE1:POL %s",
        """Control the polarity (str, strictly "NORM", or "INV": idle at the high level).""",
        validator=strict_discrete_set,
        values=("NORM", "INV"),
        cast=str,
        check_set_errors=True,
    )
    output_mode = Instrument.control(
        ":PULSE1:OUTP:MODE?",
        ":PULSE1:OUTP:MODE %s",
        """Control the level of the output (str, strictly "TTL", or "ADJ": `amplitude`).""",
        validator=strict_discrete_set,
        values=("TTL", "ADJ"),
        cast=str,
        check_set_errors=True,
    )
    amplitude = Instrument.control(
        ":PULSE1:OUTP:AMPL?",
        ":PULSE1:OUTP:AMPL %.9g",
        """Control the adjustable output's high level, in volts (strictly 2 to 20).""",
        validator=hardware_range("amplitude", "V", NAME),
        values=AMPLITUDES,
        check_set_errors=True,
    )
    width = Instrument.control(
        ":PULSE1:WIDTH?",
        ":PULSE1:WIDTH %.9g",
        """Control the pulse width, in seconds (strictly 10e-9 to 999).""",
        validator=hardware_range("pulse width", "s", NAME),
        values=ACCEPTED_WIDTHS,
        check_set_errors=True,
    )

    identity = identity_asked_once()

    def check_identity(self) -> None:
        """Raise WrongInstrumentError unless a 577 answers."""
        if not model_field(self.identity).startswith("577"):
            raise wrong_instrument(
                self.identity,
                NAME,
                "Correct the address, or switch the echo off at its front panel.",
            )

    def check_errors(self) -> list[Any]:
        """Raise ReplyError unless answers and questions are in step; errors are raised at once."""
        self._catch_up()
        return []

    def check_set_errors(self) -> list[Any]:
        """Read the answer to a command. Raises ReportedError, or ReplyError."""
        answer = self.read().strip()
        if answer[:2] in ERRORS:
            raise ReportedError(
                f"The {NAME} answered {answer} ({ERRORS[answer[:2]]}) to a command. It was refused."
            )
        if answer.lower() != "ok":
            raise ReplyError(
                f'The {NAME} answered {answer!r} where "ok" is expected. If it repeats what it was '
                "sent, switch the echo off at its front panel."
            )
        return []

    def prepare(self, max_amplitude: Volts = AMPLITUDES[1]) -> None:
        """Restore defaults and set up untriggered single shots, with every channel off.

        ``max_amplitude`` is the largest pulse that `apply` will send, in open-circuit volts; the
        instrument has no limit of its own. Raises LimitError, ReportedError, or InstrumentError.
        """
        self.reach.check_limit(
            max_amplitude,
            "Change max_amplitude, or use another generator for a cell that bears less.",
        )
        self.off()
        self._max_amplitude = max_amplitude
        self._command("*RST")
        self.running = False
        for channel in range(1, self._channels + 1):
            self._command(f":PULSE{channel}:STATE OFF")
        self.mode = "SING"
        self.trigger_mode = "DIS"
        self._command(f":PULSE0:TRIG:LEV {TRIGGER_LEVEL:.9g}")
        self._command(":PULSE0:GATE:MODE DIS")
        self.polarity = "NORM"
        for setting in ("SYNC T0", "MUX 1", "DELAY 0", "CMOD NORM"):
            self._command(f":PULSE1:{setting}")
        self.output_mode = "ADJ"
        self.amplitude = AMPLITUDES[0]
        self._check_prepared()

    def protections(self) -> tuple[Protection, ...]:
        """None: the 577 has no limit that could be set. `apply` itself keeps to `prepare`'s."""
        return ()

    def apply(self, pulse: Pulse) -> None:
        """Send one pulse of open-circuit volts; return when it is over and the channel is off.

        Raises LimitError before anything is sent; ReportedError and InstrumentError if the pulse
        could not be set up: then it was not started.
        """
        self._check(pulse)
        try:
            self._set_up(pulse)
            self.running = True
            if pulse.width > BUS_LATENCY:
                time.sleep(pulse.width)
            self.off()
        except BaseException:
            self.off()
            raise

    def arm_external(self, pulse: Pulse) -> None:
        """Let every trigger at the external input send this pulse, until `off`.

        That single-shot mode takes one trigger after another is a published driver's use of it,
        not confirmed. Raises as `apply` does.
        """
        self._check(pulse)
        try:
            self._set_up(pulse)
            self.trigger_mode = "TRIG"
            self.running = True
        except BaseException:
            self.off()
            raise

    def off(self) -> None:
        """Stop the timers and switch channel A off; triggers are not waited for."""
        self.write(":PULSE0:STATE OFF")  # at once; what comes next passes over its answer
        self._catch_up()
        self.running = False
        self.channel_enabled = False
        self.trigger_mode = "DIS"

    def shutdown(self) -> None:
        """Leave the channel off."""
        self.off()
        super().shutdown()

    @property
    def _channels(self) -> int:
        """How many it has: the identity says "577-4"."""
        _, _, count = model_field(self.identity).partition("-")
        return int(count) if count.isdigit() else 1

    def _check(self, pulse: Pulse) -> None:
        """Nothing has been sent yet. Raises LimitError."""
        self.reach.check(pulse)
        self.reach.check_prepared(pulse, self._max_amplitude)

    def _set_up(self, pulse: Pulse) -> None:
        """Set the pulse with the channel off; switch it on once every setting reads back."""
        self.off()
        self.period = max(SHORTEST_PERIOD, 2 * pulse.width)
        self.amplitude = pulse.amplitude
        self.width = pulse.width
        self._check_prepared()
        actual = self.amplitude
        if abs(actual - pulse.amplitude) > AMPLITUDE_STEP:
            self._refuse("amplitude", f"{pulse.amplitude:g} V", f"{actual:g} V")
        actual = self.width
        if abs(actual - pulse.width) > WIDTH_STEP:
            asked = format_quantity(pulse.width, "s")
            self._refuse("pulse width", asked, format_quantity(actual, "s"))
        self.channel_enabled = True

    def _check_prepared(self) -> None:
        """Whether the generator still is as `prepare` left it."""
        found = {
            "mode": (self.mode, "SING"),
            "trigger mode": (self.trigger_mode, "DIS"),
            "polarity": (self.polarity, "NORM"),
            "output mode": (self.output_mode, "ADJ"),
        }
        for what, (actual, expected) in found.items():
            if not actual.upper().startswith(expected):
                self._refuse(what, expected, actual)

    def _refuse(self, what: str, expected: str, actual: str) -> None:
        """Raise InstrumentError for a setting that did not hold."""
        raise did_not_hold(NAME, what, expected=expected, actual=actual)

    def _command(self, command: str) -> None:
        """Send a command that is no property, and read its answer."""
        self.write(command)
        self.check_set_errors()

    def _catch_up(self) -> None:
        """Pass over answers that an interruption left unread. Raises ReplyError.

        A reply that stays unread would answer the next question, and that one the question after.
        Two questions, because the answer left over may be one to the first.
        """
        expected = self.identity
        self._pass_over("*IDN?", lambda answer: answer == expected)
        self._pass_over(":PULSE1:WIDTH?", lambda answer: NUMBER.fullmatch(answer) is not None)

    def _pass_over(self, question: str, is_answer: Callable[[str], bool]) -> None:
        self.write(question)
        for _ in range(LATE_REPLIES):
            answer = self.read().strip()
            if is_answer(answer):
                return
        raise ReplyError(
            f"The {NAME} answered {answer!r} to {question}, which is no answer to it. Close the "
            "connection and open it again."
        )
