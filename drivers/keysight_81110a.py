"""Agilent/Keysight 81110A pulse generator with an 81111A output: single pulses over GPIB."""

import time
from typing import Any

from pymeasure.instruments import Instrument
from pymeasure.instruments.validators import strict_discrete_set, strict_range

from crossbar.errors import InstrumentError, LimitError, WrongInstrumentError
from crossbar.pulses import Pulse
from crossbar.units import Seconds, Volts, format_quantity
from drivers.hardware_range import hardware_range
from drivers.protection import Protection
from drivers.pulse_range import PulseRange
from drivers.scpi_error_queue import raise_reported

NAME = "Keysight 81110A"
HIGH_IMPEDANCE = 999e3
"""Value of ``OUTP1:IMP:EXT``: programmed volts are then open-circuit volts to 0.005 %. The largest
one that the instrument takes is from memory, not confirmed."""
MIN_AMPLITUDE: Volts = 0.2
"""100 mVpp into 50 Ohm is the smallest amplitude; open circuit that is twice as much."""
MAX_LEVEL: Volts = 10.0
"""The 81111A's window is +-10 V, from memory. Ours: open-circuit volts, the safe reading."""
WIDTHS: tuple[Seconds, Seconds] = (3.03e-9, 999.5)
EDGES: tuple[Seconds, Seconds] = (2e-9, 200e-3)
FASTEST_EDGE: Seconds = 2e-9
WIDTH_TOLERANCE = 0.01
"""How closely a width must read back, as a fraction; the instrument adjusts it with a warning."""
MODELS = ("HP81110A", "81110A")
LIMIT_TOLERANCE: Volts = 1e-3
"""How closely a limit must read back."""
BUS_LATENCY: Seconds = 1e-3
"""A message takes about as long; pulses shorter than this are over before the next one arrives."""


class Keysight81110A(Instrument):
    """Output 1 of an 81110A, as a source of single pulses from 0 V to an amplitude and back.

    Amplitudes are *open-circuit volts*: `prepare` tells the generator that its load has a high
    impedance, so that it does not halve what it is asked for (levels refer to ``OUTP:IMP:EXT``;
    with the factory setting of 50 Ohm a high-impedance cell would get twice the programmed volts).
    What arrives at a cell behind the 50 Ohm source is worked out in ``die_access``.

    The output idles at the *low* level, and with inverted polarity at the *high* level. Positive
    pulses are therefore sent with normal polarity and the low level at 0 V, negative ones with
    inverted polarity and the high level at 0 V: the cell sees 0 V before and after.

    The instrument adjusts a width that its edges do not allow, and only warns (``SYST:WARN``, whose
    format is not confirmed), so the width is read back before the trigger.

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

    load = Instrument.control(
        ":OUTP1:IMP:EXT?",
        ":OUTP1:IMP:EXT %.9g",
        """Control the load that programmed levels refer to, in ohms (strictly 0.1 to 999e3).""",
        validator=strict_range,
        values=(0.1, 999e3),
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
        """Control the high level minus the low level, in volts (strictly 0.2 to 10).""",
        validator=hardware_range("amplitude", "V", NAME),
        values=(MIN_AMPLITUDE, MAX_LEVEL),
    )
    offset = Instrument.control(
        ":VOLT1:OFF?",
        ":VOLT1:OFF %.9g",
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
        """Control the pulse width at half amplitude, in seconds (strictly 3.03e-9 to 999.5).""",
        validator=hardware_range("pulse width", "s", NAME),
        values=WIDTHS,
    )
    leading_edge = Instrument.control(
        ":PULS:TRAN1?",
        ":PULS:TRAN1 %.9g",
        """Control the leading edge, 10 % to 90 %, in seconds (strictly 2e-9 to 0.2).""",
        validator=hardware_range("leading edge", "s", NAME),
        values=EDGES,
    )
    trailing_edge = Instrument.control(
        ":PULS:TRAN1:TRA?",
        ":PULS:TRAN1:TRA %.9g",
        """Control the trailing edge, 90 % to 10 %, in seconds (strictly 2e-9 to 0.2).""",
        validator=hardware_range("trailing edge", "s", NAME),
        values=EDGES,
    )
    arm_source = Instrument.control(
        ":ARM:SOUR?",
        ":ARM:SOUR %s",
        """Control what starts a pulse (str, strictly "MAN" for ``*TRG``, "EXT", "IMM", "INT2").""",
        validator=strict_discrete_set,
        values=("MAN", "EXT", "IMM", "INT2"),
        cast=str,
    )
    trigger_count = Instrument.control(
        ":TRIG:COUN?",
        ":TRIG:COUN %d",
        """Control how many pulses one trigger sends (int, strictly 1 to 65536).""",
        validator=strict_range,
        values=(1, 65536),
        cast=int,
    )

    @property
    def identity(self) -> str:
        """Get the reply to ``*IDN?``; asked once."""
        if self._identity is None:
            self._identity = self.ask("*IDN?").strip()
        return self._identity

    def check_identity(self) -> None:
        """Raise WrongInstrumentError unless an 81110A answers."""
        fields = self.identity.split(",")
        if len(fields) < 2 or fields[1].strip() not in MODELS:
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
        self.load = HIGH_IMPEDANCE
        self.arm_source = "MAN"
        self.write(":ARM:MODE STAR;SENS EDGE")
        self.write(":TRIG:SOUR IMM")
        self.write(":DIG:PATT OFF")  # it changes the trigger count, which therefore comes next
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
        """The level limits, read back, in open-circuit volts."""
        enabled = self.limits_enabled
        return (
            Protection(name="highest level", value=self.limit_high, unit="V", in_force=enabled),
            Protection(name="lowest level", value=self.limit_low, unit="V", in_force=enabled),
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
            self._command(":ARM:SOUR EXT")
        except BaseException:
            self.off()
            raise

    def off(self) -> None:
        """Switch the output off and take triggers from ``*TRG`` only.

        Errors noted earlier are dropped: they must not keep the output from being switched off.
        """
        self._command("*CLS;:OUTP1 OFF;:ARM:SOUR MAN")

    def shutdown(self) -> None:
        """Leave the output off."""
        self.off()
        super().shutdown()

    def _set_up(self, pulse: Pulse) -> None:
        """Set the pulse with the output off; close the relay once every setting was accepted."""
        self.off()  # a change of polarity while the output is on would move the idle level
        self._set_levels(pulse.amplitude)
        self.width = pulse.width
        self.check_errors()  # with one setting refused, the others would make another pulse
        self._check_width(pulse.width)
        self._command(":OUTP1 ON")

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

    def _check_width(self, width: Seconds) -> None:
        actual = self.width
        if abs(actual - width) > WIDTH_TOLERANCE * width:
            raise InstrumentError(
                f"The {NAME} was told a pulse width of {format_quantity(width, 's')}, but reads "
                f"back {format_quantity(actual, 's')}: its edges or its period do not allow it. "
                f"Nothing was sent; ask for a longer pulse."
            )

    def _check_limits(self, max_amplitude: Volts) -> None:
        low, high, enabled = self.limit_low, self.limit_high, self.limits_enabled
        off_by = max(abs(low + max_amplitude), abs(high - max_amplitude))
        if off_by > LIMIT_TOLERANCE or not enabled:
            raise InstrumentError(
                f"The {NAME} was told to keep within ±{max_amplitude:g} V, but its limits read "
                f"back as {low:g} to {high:g} V and are {'on' if enabled else 'off'}. Do not send "
                f"pulses with it; check its firmware and its front panel."
            )
