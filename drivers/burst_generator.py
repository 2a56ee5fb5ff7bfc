"""Single pulses from function generators that send bursts: what the makers have in common.

The generator waits in burst mode, one cycle to a burst, with its output off. A pulse is: set up and
check with the output off, close the relay, trigger, wait, open the relay.
"""

import time
from typing import Any, ClassVar

from pymeasure.instruments import Instrument

from crossbar.errors import InstrumentError, ReplyError, WrongInstrumentError
from crossbar.pulses import Pulse
from crossbar.units import Seconds, Volts
from drivers.as_prepared import not_as_prepared
from drivers.identity import identity_asked_once, model_field
from drivers.protection import Protection
from drivers.pulse_range import PulseRange
from drivers.scpi_error_queue import raise_reported

POWER_ON = 0x80
"""Bit of the event status (IEEE 488.2): switched on since ``*CLS``."""
LIMIT_TOLERANCE: Volts = 1e-3
"""How closely a limit must read back."""
WIDTH_TOLERANCE = 1e-3
"""Of the width, how closely it must read back; the rest is rounding to the generator's steps."""
BUS_LATENCY: Seconds = 1e-3
"""A message takes about as long; pulses shorter than this are over before the next one arrives."""
SPARE_PERIOD: Seconds = 100e-9
"""How much longer than twice the width a period is: room for the edges of every model."""
LONGEST_WIDTH: Seconds = 4e5
"""The period, a little more than twice the width, ends at 1e6 s."""


class BurstGenerator(Instrument):
    """Output 1 of a function generator, as a source of single pulses.

    A subclass names the maker's headers, has a `reach`, and says in `_prepare_burst` how to get
    into burst mode. Amplitudes are *open-circuit volts*: the load is set to infinity. The output
    idles at the *low* level, and with inverted polarity at the *high* level. Positive pulses are
    therefore sent with normal polarity and the low level at 0 V, negative ones with inverted
    polarity and the high level at 0 V: the cell sees 0 V before and after.

    A command that failed is never repeated: after an exception the state of the cell is unknown.
    """

    MODELS: ClassVar[dict[str, Any]]
    """Ratings by the model field of ``*IDN?``."""
    FUNCTION: ClassVar[str]
    OUTPUT: ClassVar[str]
    POLARITY: ClassVar[str]
    AMPLITUDE: ClassVar[str]
    OFFSET: ClassVar[str]
    WIDTH: ClassVar[str]
    PERIOD: ClassVar[str]
    WAIT_FOR_BUS: ClassVar[str]
    """Takes triggers from ``*TRG``."""
    WAIT_FOR_INPUT: ClassVar[str]
    """Takes triggers from the external input."""
    reach: PulseRange
    limit_high: Any
    limit_low: Any
    limits_enabled: Any
    """A model without this switch has a `_set_limits` and a `_read_limits` of its own."""
    load: Any

    identity = identity_asked_once()

    @property
    def model(self) -> str:
        """Get the model field of the identity."""
        return model_field(self.identity)

    def check_identity(self) -> None:
        """Raise WrongInstrumentError unless a known model answers; take over its ratings."""
        if self.model not in self.MODELS:
            raise WrongInstrumentError(
                f"{self.identity!r} answers where a {self.reach.name} is expected (known models: "
                f"{', '.join(self.MODELS)}). Correct the address or the driver in bench.toml."
            )
        self._take_ratings(self.MODELS[self.model])

    def check_errors(self) -> list[Any]:
        """Empty the error queue; raise ReportedError if there was an entry."""
        raise_reported(self.ask(":SYST:ERR?"), self.ask, self.reach.name)
        return []

    def prepare(self, max_amplitude: Volts | None = None) -> None:
        """Restore defaults and set up triggered single pulses, with limits on the levels.

        ``max_amplitude`` is the largest magnitude of a pulse that the generator itself will accept,
        in open-circuit volts (without one, all that the model can do); the limits are read back.
        Raises LimitError, ReportedError, or InstrumentError if a limit did not hold.
        """
        max_amplitude = self.reach.largest if max_amplitude is None else max_amplitude
        self.reach.check_limit(max_amplitude)
        self.write("*CLS;*RST")
        self.write(f"{self.OUTPUT} OFF")
        self._prepare_burst()
        for name, value in self._levels(self.reach.smallest):
            self.write(f"{name} {value}")
        self._set_limits(max_amplitude)
        self.check_errors()
        self._check_limits(max_amplitude)

    def apply(self, pulse: Pulse) -> None:
        """Send one pulse of open-circuit volts; return when it is over and the output is off.

        Raises LimitError before anything is sent, and ReportedError: if the generator refused a
        setting, it was not triggered.
        """
        self.reach.check(pulse)
        try:
            self._set_up(pulse, self.WAIT_FOR_BUS)
            self.write("*TRG")
            # *OPC? need not wait for the burst; the time is known.
            if pulse.width > BUS_LATENCY:
                time.sleep(pulse.width)
            self._command(f"{self.OUTPUT} OFF")
        except BaseException:
            self.off()
            raise

    def arm_external(self, pulse: Pulse) -> None:
        """Let every trigger at the external input send this pulse, until `off`.

        Raises as `apply` does.
        """
        self.reach.check(pulse)
        try:
            self._set_up(pulse, self.WAIT_FOR_INPUT)
        except BaseException:
            self.off()
            raise

    def off(self) -> None:
        """Switch the output off.

        Errors noted earlier are dropped: they must not keep the output from being switched off.
        """
        self._command(f"*CLS;{self.OUTPUT} OFF;{self.WAIT_FOR_BUS}")

    def shutdown(self) -> None:
        """Leave the output off."""
        self.off()
        super().shutdown()

    def protections(self) -> tuple[Protection, ...]:
        """The level limits, read back, in open-circuit volts."""
        high, low, in_force = self._read_limits()
        return (
            Protection(name="highest level", value=high, unit="V", in_force=in_force),
            Protection(name="lowest level", value=low, unit="V", in_force=in_force),
        )

    def _take_ratings(self, ratings: Any) -> None:
        """Set `reach` and what else depends on the model."""
        raise NotImplementedError

    def _prepare_burst(self) -> None:
        """After ``*RST``: pulses, into an infinite load, one cycle to a burst."""
        raise NotImplementedError

    def _set_limits(self, max_amplitude: Volts) -> None:
        """Send the level limits, and put them in force."""
        self.limit_high = max_amplitude
        self.limit_low = -max_amplitude
        self.limits_enabled = True

    def _read_limits(self) -> tuple[float, float, bool]:
        """The highest and the lowest level in open-circuit volts, and whether they hold."""
        high, low, enabled = self.limit_high, self.limit_low, self.limits_enabled
        return (*self._open_circuit_limits(high, low, self.load), bool(enabled))

    def _open_circuit_limits(self, high: Any, low: Any, load: Any) -> tuple[float, float]:
        """Levels count across the load that the generator was told of: open circuit if infinite."""
        numbers = isinstance(high, float) and isinstance(low, float) and isinstance(load, float)
        if not numbers or not load > 0:
            raise ReplyError(
                f"The {self.reach.name} answered {high!r}, {low!r} and {load!r} for its level "
                "limits and its load. Clear the connection and reopen it."
            )
        scale = (load + 50.0) / load
        return high * scale, low * scale

    def _set_up(self, pulse: Pulse, wait_for_trigger: str) -> None:
        """Set the pulse with the output off; close the relay once every setting was accepted."""
        self.off()  # a change of polarity while the output is on would move the idle level
        levels = self._levels(pulse.amplitude)
        for name, value in (*levels, *self._times(pulse.width)):
            self.write(f"{name} {value}")
        self._check_set_up(pulse.width)  # with one setting refused, it would be another pulse
        # Once more what keeps the cell at 0 V, in the message that closes the relay: switched off
        # and on a moment ago, the generator would send its factory setting's pulse or sine wave.
        settings = ";".join(f"{name} {value}" for name, value in levels)
        once_more = self._once_more(settings, wait_for_trigger)
        doing = self._addressed(f"{self.OUTPUT} ON")
        answer = self.ask(f"{once_more};{doing};*ESR?;:SYST:ERR?")
        events, _, entry = answer.partition(";")
        raise_reported(entry, self.ask, self.reach.name, doing=doing)
        if not events.strip().lstrip("+").isdigit() or int(events) & POWER_ON:
            raise not_as_prepared(self.reach.name, f"event status {events.strip()!r}")

    def _once_more(self, levels: str, wait_for_trigger: str) -> str:
        """Single pulses of these levels, waiting for their trigger, in the maker's order."""
        return f"{self.FUNCTION} PULS;{self.WAIT_FOR_BUS};{levels};{wait_for_trigger}"

    def _levels(self, amplitude: Volts) -> tuple[tuple[str, str], ...]:
        """0 V and ``amplitude``, idling at 0 V.

        Amplitude and offset, in this order, pass through no state that the generator would refuse;
        high and low level would, on the way from a positive to a negative pulse.
        """
        return (
            (self.POLARITY, "NORM" if amplitude > 0 else "INV"),
            (self.AMPLITUDE, f"{abs(amplitude):.9g}"),
            (self.OFFSET, f"{amplitude / 2:.9g}"),
        )

    def _times(self, width: Seconds) -> tuple[tuple[str, str], ...]:
        """The width, by way of the shortest: a period must never be too short for a width."""
        return (
            (self.WIDTH, f"{self.reach.shortest:.9g}"),
            (self.PERIOD, f"{2 * width + SPARE_PERIOD:.9g}"),
            (self.WIDTH, f"{width:.9g}"),
        )

    def _check_set_up(self, width: Seconds) -> None:
        """The error queue, the function, and the width, which generators adjust by themselves."""
        answer = self.ask(f"{self.FUNCTION}?;{self.WIDTH}?;:SYST:ERR?")
        function, _, rest = answer.partition(";")
        answered, _, entry = rest.partition(";")
        raise_reported(entry, self.ask, self.reach.name)
        if function.strip() != "PULS":
            raise not_as_prepared(self.reach.name, f"its function is {function.strip()!r}")
        try:
            off_by = abs(float(answered) - width)
        except ValueError:
            raise ReplyError(
                f"The {self.reach.name} answered {answered!r} when asked for its pulse width. "
                "Clear the connection and reopen it."
            ) from None
        if not off_by <= WIDTH_TOLERANCE * width:
            raise not_as_prepared(
                self.reach.name, f"it made {answered.strip()} s of a width of {width:g} s"
            )

    def _addressed(self, command: str) -> str:
        """A command as it goes out."""
        return command

    def _command(self, command: str) -> None:
        """Send a command and look into the error queue, in one message."""
        doing = self._addressed(command)
        raise_reported(self.ask(f"{doing};:SYST:ERR?"), self.ask, self.reach.name, doing=doing)

    def _check_limits(self, max_amplitude: Volts) -> None:
        high, low, in_force = self._read_limits()
        off_by = max(abs(low + max_amplitude), abs(high - max_amplitude))
        if not off_by <= LIMIT_TOLERANCE or not in_force:
            raise InstrumentError(
                f"The {self.reach.name} was told to keep within ±{max_amplitude:g} V, but its "
                f"limits read back as {low:g} to {high:g} V and are "
                f"{'on' if in_force else 'off'}. Do not send pulses with it; check its firmware "
                "and its front panel."
            )
