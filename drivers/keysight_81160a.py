"""Keysight 81160A pulse function arbitrary generator: the bench's source of write pulses."""

import time
from typing import Any

from pymeasure.instruments import Instrument
from pymeasure.instruments.validators import strict_discrete_set, strict_range

from crossbar.errors import InstrumentError, LimitError, ReplyError, WrongInstrumentError
from crossbar.pulses import Pulse
from crossbar.units import Seconds, Volts
from drivers.hardware_range import hardware_range
from drivers.protection import Protection
from drivers.pulse_range import PulseRange
from drivers.scpi_error_queue import raise_reported

NAME = "Keysight 81160A"
SOURCE_IMPEDANCE = 50.0
HIGH_IMPEDANCE = 1e6
"""Largest value of ``OUTP1:LOAD``: programmed volts are then open-circuit volts to 0.005 %."""
MIN_AMPLITUDE: Volts = 0.1
"""50 mVpp into 50 Ohm is the smallest amplitude; open circuit that is twice as much."""
MAX_LEVEL: Volts = 10.0
"""Largest magnitude of a level, open circuit."""
WIDTHS: tuple[Seconds, Seconds] = (1.5e-9, 1e6)
EDGES: tuple[Seconds, Seconds] = (1e-9, 1e3)
FASTEST_EDGE: Seconds = 1e-9
POWER_ON = 0x80
"""Bit of the event status (IEEE 488.2): switched on since ``*CLS``."""
LIMIT_TOLERANCE: Volts = 1e-3
"""How closely a limit must read back."""
BUS_LATENCY: Seconds = 1e-3
"""A message takes about as long; pulses shorter than this are over before the next one arrives."""


class Keysight81160A(Instrument):
    """Output 1 of an 81160A, as a source of single pulses from 0 V to an amplitude and back.

    Amplitudes are *open-circuit volts*: `prepare` tells the generator that its load has a high
    impedance, so that it does not halve what it is asked for (levels refer to ``OUTP:LOAD``; with
    the factory setting of 50 Ohm a high-impedance cell would get twice the programmed volts). What
    arrives at a cell behind the 50 Ohm source is worked out in ``die_access``.

    The output idles at the *low* level, and with inverted polarity at the *high* level. Positive
    pulses are therefore sent with normal polarity and the low level at 0 V, negative ones with
    inverted polarity and the high level at 0 V: the cell sees 0 V before and after.

    Not a subclass of PyMeasure's ``Keysight81160A``, whose command strings these are: that one's
    validators stop at 5 V because they assume a 50 Ohm load, its levels go out as ``%f``, it has no
    output polarity, and its ``check_errors`` logs instead of raising.

    A command that failed is never repeated: after an exception the state of the cell is unknown.
    """

    reach = PulseRange(
        name=NAME,
        smallest=MIN_AMPLITUDE,
        largest=MAX_LEVEL,
        shortest=WIDTHS[0],
        longest=WIDTHS[1],
    )

    def __init__(self, adapter: Any, name: str = NAME, **kwargs: Any) -> None:
        super().__init__(adapter, name, includeSCPI=False, **kwargs)
        self._identity: str | None = None

    function = Instrument.control(
        ":FUNC1?",
        ":FUNC1 %s",
        """Control the shape of the output (str, strictly "PULS", "DC", "SQU", "SIN" or "RAMP").""",
        validator=strict_discrete_set,
        values=("PULS", "DC", "SQU", "SIN", "RAMP"),
        cast=str,
    )
    load = Instrument.control(
        ":OUTP1:LOAD?",
        ":OUTP1:LOAD %.9g",
        """Control the load that programmed levels refer to, in ohms (strictly 0.3 to 1e6).""",
        validator=strict_range,
        values=(0.3, 1e6),
    )
    output_enabled = Instrument.control(
        ":OUTP1?",
        ":OUTP1 %s",
        """Control whether the output relay is closed (bool).""",
        validator=strict_discrete_set,
        values=(True, False),
        set_process=lambda on: "ON" if on else "OFF",
        get_process=bool,
    )
    polarity = Instrument.control(
        ":OUTP1:POL?",
        ":OUTP1:POL %s",
        """Control the polarity (str, strictly "NORM": idle at the low level, or "INV").""",
        validator=strict_discrete_set,
        values=("NORM", "INV"),
        cast=str,
    )
    amplitude = Instrument.control(
        ":VOLT1?",
        ":VOLT1 %.9g",
        """Control the high level minus the low level, in volts (strictly 0.1 to 10).""",
        validator=hardware_range("amplitude", "V", NAME),
        values=(MIN_AMPLITUDE, MAX_LEVEL),
    )
    offset = Instrument.control(
        ":VOLT1:OFFS?",
        ":VOLT1:OFFS %.9g",
        """Control the mean of the high and the low level, in volts (strictly -10 to 10).""",
        validator=hardware_range("offset", "V", NAME),
        values=(-MAX_LEVEL, MAX_LEVEL),
    )
    limit_high = Instrument.control(
        ":VOLT1:LIM:HIGH?",
        ":VOLT1:LIM:HIGH %.9g",
        """Control the highest level that the generator accepts, in volts (strictly -10 to 10).""",
        validator=hardware_range("upper limit", "V", NAME),
        values=(-MAX_LEVEL, MAX_LEVEL),
    )
    limit_low = Instrument.control(
        ":VOLT1:LIM:LOW?",
        ":VOLT1:LIM:LOW %.9g",
        """Control the lowest level that the generator accepts, in volts (strictly -10 to 10).""",
        validator=hardware_range("lower limit", "V", NAME),
        values=(-MAX_LEVEL, MAX_LEVEL),
    )
    limits_enabled = Instrument.control(
        ":VOLT1:LIM:STAT?",
        ":VOLT1:LIM:STAT %s",
        """Control whether the level limits are in force (bool).""",
        validator=strict_discrete_set,
        values=(True, False),
        set_process=lambda on: "ON" if on else "OFF",
        get_process=bool,
    )
    width = Instrument.control(
        ":PULS:WIDT1?",
        ":PULS:WIDT1 %.9g",
        """Control the pulse width at half amplitude, in seconds (strictly 1.5e-9 to 1e6).""",
        validator=hardware_range("pulse width", "s", NAME),
        values=WIDTHS,
    )
    leading_edge = Instrument.control(
        ":FUNC1:PULS:TRAN?",
        ":FUNC1:PULS:TRAN %.9g",
        """Control the leading edge, 10 % to 90 %, in seconds (strictly 1e-9 to 1e3).""",
        validator=hardware_range("leading edge", "s", NAME),
        values=EDGES,
    )
    trailing_edge = Instrument.control(
        ":FUNC1:PULS:TRAN:TRA?",
        ":FUNC1:PULS:TRAN:TRA %.9g",
        """Control the trailing edge, 90 % to 10 %, in seconds (strictly 1e-9 to 1e3).""",
        validator=hardware_range("trailing edge", "s", NAME),
        values=EDGES,
    )
    arm_source = Instrument.control(
        ":ARM:SOUR1?",
        ":ARM:SOUR1 %s",
        """Control what starts a pulse (str, strictly "MAN" for ``*TRG``, "EXT", "IMM", "INT2").""",
        validator=strict_discrete_set,
        values=("MAN", "EXT", "IMM", "INT2"),
        cast=str,
    )
    trigger_count = Instrument.control(
        ":TRIG1:COUN?",
        ":TRIG1:COUN %d",
        """Control how many pulses one trigger sends (int, strictly 1 to 2147483647).""",
        validator=strict_range,
        values=(1, 2147483647),
        cast=int,
    )

    @property
    def identity(self) -> str:
        """Get the reply to ``*IDN?``; asked once."""
        if self._identity is None:
            self._identity = self.ask("*IDN?").strip()
        return self._identity

    def check_identity(self) -> None:
        """Raise WrongInstrumentError unless an 81160A answers."""
        fields = self.identity.split(",")
        if len(fields) < 2 or fields[1].strip() != "81160A":
            raise WrongInstrumentError(
                f"{self.identity!r} answers where a {NAME} is expected. Correct the address."
            )

    def check_errors(self) -> list[Any]:
        """Empty the error queue; raise ReportedError if there was an entry."""
        raise_reported(self.ask(":SYST:ERR?"), self.ask, NAME)
        return []

    def prepare(self, max_amplitude: Volts = MAX_LEVEL) -> None:
        """Restore defaults and set up triggered single pulses, with firmware limits on the levels.

        ``max_amplitude`` is the largest magnitude of a pulse that the generator itself will accept,
        in open-circuit volts; the limits are read back. Raises LimitError, ReportedError, or
        InstrumentError if a limit did not hold.
        """
        if not MIN_AMPLITUDE <= max_amplitude <= MAX_LEVEL:
            raise LimitError(
                f"A limit of ±{max_amplitude:g} V was asked for, but the {NAME} sends "
                f"{MIN_AMPLITUDE:g} to {MAX_LEVEL:g} V open circuit. Lower max_amplitude."
            )
        self.write("*CLS;*RST")
        self.write(":OUTP1 OFF")
        self.function = "PULS"
        self.load = HIGH_IMPEDANCE
        self.arm_source = "MAN"
        self.trigger_count = 1
        self.write(":PULS:HOLD1 WIDT")
        self.leading_edge = FASTEST_EDGE
        self.trailing_edge = FASTEST_EDGE
        self._set_levels(MIN_AMPLITUDE)
        self.limit_high = max_amplitude
        self.limit_low = -max_amplitude
        self.limits_enabled = True
        self.check_errors()
        self._check_limits(max_amplitude)

    def protections(self) -> tuple[Protection, ...]:
        """The level limits, read back, in open-circuit volts.

        The generator counts them across the load it was told of; at 50 Ohm that is half.
        """
        enabled, load = self.limits_enabled, self.load
        levels = {"highest level": self.limit_high, "lowest level": self.limit_low}
        return tuple(
            Protection(
                name=name,
                value=level * (load + SOURCE_IMPEDANCE) / load,
                unit="V",
                in_force=enabled,
            )
            for name, level in levels.items()
        )

    def apply(self, pulse: Pulse) -> None:
        """Send one pulse of open-circuit volts; return when it is over and the output is off.

        Raises LimitError before anything is sent, and ReportedError: if the generator refused a
        setting, it was not triggered.
        """
        self.reach.check(pulse)
        try:
            self._set_up(pulse)
            self.write("*TRG")
            # *OPC? would only say that *TRG was parsed, not that the pulse is over.
            if pulse.width > BUS_LATENCY:
                time.sleep(pulse.width)
            self._command(":OUTP1 OFF")
        except BaseException:
            self.off()
            raise

    def arm_external(self, pulse: Pulse) -> None:
        """Let every trigger at the external input send this pulse, until `off`.

        Raises as `apply` does.
        """
        self.reach.check(pulse)
        try:
            self._set_up(pulse)
            self._command(":ARM:SOUR1 EXT")
        except BaseException:
            self.off()
            raise

    def off(self) -> None:
        """Switch the output off and take triggers from ``*TRG`` only.

        Errors noted earlier are dropped: they must not keep the output from being switched off.
        """
        self._command("*CLS;:OUTP1 OFF;:ARM:SOUR1 MAN")

    def shutdown(self) -> None:
        """Leave the output off."""
        self.off()
        super().shutdown()

    def _set_up(self, pulse: Pulse) -> None:
        """Set the pulse with the output off; close the relay once every setting was accepted."""
        self.off()  # a change of polarity while the output is on would move the idle level
        self._set_levels(pulse.amplitude)
        self.width = pulse.width
        self._check_prepared()  # with one setting refused, the others would make another pulse
        # Once more what keeps the cell at 0 V, in the message that closes the relay: switched off
        # and on a moment ago, the generator would send its factory setting's sine wave.
        levels = ";:".join(f"{name} {value}" for name, value in self._levels(pulse.amplitude))
        doing = ":OUTP1 ON"
        answer = self.ask(f":FUNC1 PULS;:ARM:SOUR1 MAN;:{levels};{doing};*ESR?;:SYST:ERR?")
        events, _, entry = answer.partition(";")
        raise_reported(entry, self.ask, NAME, doing=doing)
        if not events.strip().lstrip("+").isdigit() or int(events) & POWER_ON:
            raise self._lost_its_settings(f"event status {events.strip()!r}")

    def _check_prepared(self) -> None:
        """The error queue, and whether the generator still is as `prepare` left it."""
        answer = self.ask(":FUNC1?;:SYST:ERR?")
        function, _, entry = answer.partition(";")
        raise_reported(entry, self.ask, NAME)
        if function.strip() != "PULS":
            raise self._lost_its_settings(f"its function is {function.strip()!r}")

    def _lost_its_settings(self, sign: str) -> InstrumentError:
        return InstrumentError(
            f"The {NAME} is not as it was prepared ({sign}): was it switched off and on, or set by "
            "hand? The pulse was not sent. Open the bench anew, which prepares it."
        )

    def _levels(self, amplitude: Volts) -> tuple[tuple[str, str], ...]:
        """The commands of `_set_levels`, in its order."""
        return (
            ("OUTP1:POL", "NORM" if amplitude > 0 else "INV"),
            ("VOLT1", f"{abs(amplitude):.9g}"),
            ("VOLT1:OFFS", f"{amplitude / 2:.9g}"),
        )

    def _set_levels(self, amplitude: Volts) -> None:
        """0 V and ``amplitude``, idling at 0 V.

        Amplitude and offset, in this order, pass through no state that the generator would refuse;
        high and low level would, on the way from a positive to a negative pulse.
        """
        self.polarity = "NORM" if amplitude > 0 else "INV"
        self.amplitude = abs(amplitude)
        self.offset = amplitude / 2

    def _command(self, command: str) -> None:
        """Send a command and look into the error queue, in one message."""
        raise_reported(self.ask(f"{command};:SYST:ERR?"), self.ask, NAME, doing=command)

    def _check_limits(self, max_amplitude: Volts) -> None:
        low, high, enabled = self.limit_low, self.limit_high, self.limits_enabled
        if not all(isinstance(limit, float) for limit in (low, high)):
            raise ReplyError(f"The {NAME} answered {low!r} and {high!r} for its level limits.")
        off_by = max(abs(low + max_amplitude), abs(high - max_amplitude))
        if off_by > LIMIT_TOLERANCE or not enabled:
            raise InstrumentError(
                f"The {NAME} was told to keep within ±{max_amplitude:g} V, but its limits read "
                f"back as {low:g} to {high:g} V and are {'on' if enabled else 'off'}. Do not send "
                f"pulses with it; check its firmware and its front panel."
            )
