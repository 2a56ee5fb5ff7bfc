"""Keithley 4200A-SCS under KXCI: pulses from a 4225-PMU, currents from an SMU, behind one 4225-RPM.

Commands after Keithley's published KXCI examples and PyMeasure's ``Keithley4200``; ranges after the
KXCI programming manual (4200A-KXCI-907-01) as public programs quote it. KXCI must run on the
mainframe (Clarius closed, Ethernet, string terminator "None" in KCon: then NUL ends messages both
ways). Over GPIB there is no ``ACK``, and this driver does not work.
"""

import math
import re
import time
from typing import Any

from pymeasure.instruments import Instrument

from crossbar.errors import (
    InstrumentError,
    LimitError,
    ReplyError,
    ReportedError,
    WrongInstrumentError,
)
from crossbar.pulses import Pulse
from crossbar.units import Amperes, Seconds, Volts, format_quantity
from drivers.hardware_range import hardware_range
from drivers.protection import Protection
from drivers.pulse_range import PulseRange

NAME = "Keithley 4200A-SCS"
LARGEST_LOAD = 1e7
"""``:PMU:LOAD`` in ohms: programmed volts are then open-circuit volts to 0.0005 %."""
MAX_VOLTAGE: Volts = 21.0
"""Of the SMU: the range in which 105 mA flow; a bench for cells has no use for the 210 V above."""
CURRENT_LIMITS: tuple[Amperes, Amperes] = (1e-7, 0.105)
"""Of a 4200-SMU without preamplifier; KXCI would raise a smaller limit to 100 nA by itself."""
SOURCE_RANGE: Volts = 10.0
"""The PMU's faster range; its other one, 40 V, is not used."""
MIN_AMPLITUDE: Volts = 10e-3
"""Ours: an offset of the output is about as large."""
WIDTHS: tuple[Seconds, Seconds] = (60e-9, 0.5)
"""60 ns: the data sheet's, from memory (KXCI takes 40 ns); 0.5 s: half of the longest period."""
WIDTH_STEP: Seconds = 10e-9
FASTEST_EDGE: Seconds = 20e-9
OFF_TIME: Seconds = 1e-6
"""Between the end of the pulse and of its period; at least 40 ns."""
MEASURE_RANGE: Amperes = 0.2
"""Fixed: automatic ranging would send the pulse more than once. Nothing is measured in a pulse."""
NO_ERROR = re.compile(r"\s*|.*\(0\)\s*|.*no error.*", re.IGNORECASE | re.DOTALL)
"""What public programs take for no error: nothing, or "No error. (0)"."""
NORMAL_INTEGRATION = "IT2"
"""One power line cycle."""
READING = re.compile(r"([LVXCTN])[A-DG-J]I\s*([+-]?\d+\.?\d*(?:\s*E\s*[+-]?\d+)?)", re.IGNORECASE)
"""``NAI+1.2345E-06``: status, channel letter, I, amperes."""
UNUSABLE = {"L": "the interval was too short", "V": "overflow", "X": "the SMU oscillates"}
TO_PMU, TO_SMU = 0, 2
PADDING = "\0\r\n "
"""What may surround a reply, by the terminators that are set in KCon."""
POLL_INTERVAL: Seconds = 1e-3
PATIENCE: Seconds = 10.0
"""How long a pulse may take beyond its width until it counts as hanging."""

_check_voltage = hardware_range("voltage", "V", NAME)
_check_current_limit = hardware_range("current limit", "A", NAME)
_check_amplitude_limit = hardware_range("amplitude limit", "V", NAME)


class Keithley4200A(Instrument):
    """One RPM of a 4200A-SCS: the PMU's channel and the SMU that share its needle.

    Amplitudes are open-circuit volts behind 50 Ohm. A PMU has no current limit, and no limit of its
    amplitude: ``max_amplitude`` is kept here. Load-line compensation and automatic ranging, which
    send trial pulses, stay off. The SMU is off whenever the RPM switches.

    Not a subclass of PyMeasure's ``Keithley4200``: that one drops the status letter of a reading,
    so that a current limit that clamps is not seen, and asks for the options when constructed.

    A command that failed is never repeated: after an exception the state of the cell is unknown.
    """

    reach = PulseRange(
        name=NAME,
        smallest=MIN_AMPLITUDE,
        largest=SOURCE_RANGE,
        shortest=WIDTHS[0],
        longest=WIDTHS[1],
    )

    def __init__(
        self, adapter: Any, name: str = NAME, *, smu: int = 1, pulse_channel: int = 1, **kwargs: Any
    ) -> None:
        """``smu`` (1 to 8) is wired to the RPM of ``pulse_channel`` (two to a card: 1 is PMU1-1,
        4 is PMU2-2).
        """
        super().__init__(adapter, name, includeSCPI=False, **kwargs)
        self.smu = smu
        self.pulse_channel = pulse_channel
        self.rpm = f"PMU{(pulse_channel + 1) // 2}-{(pulse_channel - 1) % 2 + 1}"
        self._identity: str | None = None
        self.max_amplitude: Volts | None = None
        """What `prepare` was told; None before."""
        self.max_current: Amperes = CURRENT_LIMITS[0]

    @property
    def identity(self) -> str:
        """Get the reply to ``ID``; asked once."""
        if self._identity is None:
            self._identity = self._answer("ID")
        return self._identity

    def check_identity(self) -> None:
        """Raise WrongInstrumentError unless a 4200A's KXCI answers, with its own command set."""
        if not self.identity.startswith("KI4200A"):
            raise WrongInstrumentError(
                f"{self.identity!r} answers where the KXCI of a {NAME} is expected. Correct the "
                "address, or choose the 4200A command set in KCon."
            )

    def check_errors(self) -> list[Any]:
        """Raise ReportedError if KXCI holds an error, and clear it."""
        error = self._answer(":ERROR:LAST:GET")
        if not NO_ERROR.fullmatch(error):
            self._command(":ERROR:LAST:CLEAR")
            raise ReportedError(f"The {NAME} reported: {error}.")
        return []

    def prepare(self, max_amplitude: Volts, max_current: Amperes) -> None:
        """Restore defaults, outputs off, the RPM at the SMU, the SMU at 0 V with this limit.

        Pulses and voltages beyond ``max_amplitude`` (open-circuit volts) are refused by this
        driver, as the PMU has no limit. KXCI has no query for the SMU's limit: it cannot be read
        back. Raises LimitError before anything is sent, ReportedError.
        """
        _check_amplitude_limit(max_amplitude, (MIN_AMPLITUDE, SOURCE_RANGE))
        _check_current_limit(max_current, CURRENT_LIMITS)
        self.off()
        self._command("BC")
        self._command("*RST")
        self._route(TO_SMU)
        self._command(f"US;DV{self.smu},0,0,{max_current:.9g}")
        self._command(NORMAL_INTEGRATION)
        self.check_errors()
        self.max_amplitude, self.max_current = max_amplitude, max_current

    def apply(self, pulse: Pulse) -> None:
        """Send one pulse of open-circuit volts; return when it is over and the output is off.

        Raises LimitError and InstrumentError before anything is sent, and ReportedError: if a
        setting was refused, nothing was sent to the cell.
        """
        self._check(pulse)
        try:
            self._command(f"US;DV{self.smu}")
            self._set_up(pulse)
            self._command(f":PMU:OUTPUT:STATE {self.pulse_channel}, 1")
            self._command(":PMU:EXECUTE")
            self._wait(pulse.width)
            self._command(f":PMU:OUTPUT:STATE {self.pulse_channel}, 0")
            self.check_errors()
        except BaseException:
            self.off()
            raise

    def measure(self, voltage: Volts) -> tuple[Amperes, bool]:
        """Current at this voltage, and whether the limit clamped it; 0 V afterwards.

        Raises LimitError and InstrumentError before anything is sent, ReportedError, and ReplyError
        for a reading that is none.
        """
        _check_voltage(voltage, (-MAX_VOLTAGE, MAX_VOLTAGE))
        if self.max_amplitude is None:
            raise InstrumentError(f"The {NAME} has no limits yet: prepare it before reading.")
        self._check_amplitude("Voltage", voltage, self.max_amplitude)
        limit = f"{self.max_current:.9g}"
        try:
            self._route(TO_SMU)
            self._command(f"US;DV{self.smu},0,{voltage:.9g},{limit}")
            reply = self._answer(f"TI{self.smu}")
            self._command(f"DV{self.smu},0,0,{limit}")
            self.check_errors()  # a KXCI that answers ACK to everything tells only here
        except BaseException:
            self.off()
            raise
        return self._current(reply)

    def off(self) -> None:
        """Switch the SMU and the PMU's output off. Safe at any time.

        An error that KXCI held until now is dropped: it was told, or belongs to somebody else.
        """
        try:
            self._command(f"US;DV{self.smu}")
        finally:
            if self._answer(f":PMU:OUTPUT:STATE {self.pulse_channel}, 0") != "ACK":
                # A card that nobody initialized yet may refuse; this resets its outputs as well.
                self._command(":PMU:INIT 0")
            self._command(":ERROR:LAST:CLEAR")

    def protections(self) -> tuple[Protection, ...]:
        """None: KXCI has no query for the SMU's current limit, and a PMU has no limits."""
        return ()

    def shutdown(self) -> None:
        """Leave everything off."""
        self.off()
        super().shutdown()

    def _check(self, pulse: Pulse) -> None:
        self.reach.check(pulse)
        if self.max_amplitude is None:
            raise InstrumentError(f"The {NAME} has no limits yet: prepare it before pulsing.")
        self._check_amplitude("Pulse", pulse.amplitude, self.max_amplitude)
        steps = pulse.width / WIDTH_STEP
        if not math.isclose(steps, round(steps), rel_tol=1e-6):
            raise LimitError(
                f"Pulse width of {format_quantity(pulse.width, 's')} refused: the {NAME} takes "
                f"multiples of {format_quantity(WIDTH_STEP, 's')}. Change the width."
            )

    @staticmethod
    def _check_amplitude(what: str, volts: Volts, limit: Volts) -> None:
        if abs(volts) > limit:
            raise LimitError(
                f"{what} of {volts:g} V refused: the {NAME} was prepared for at most {limit:g} V. "
                "Prepare it anew, or change the voltage."
            )

    def _set_up(self, pulse: Pulse) -> None:
        """Everything anew after ``:PMU:INIT``, which KXCI wants first; the amplitude at the end."""
        channel = self.pulse_channel
        period = pulse.width + FASTEST_EDGE + OFF_TIME
        self._command(":PMU:INIT 0")
        self._route(TO_PMU)
        self._command(f":PMU:SOURCE:RANGE {channel}, {SOURCE_RANGE:g}")
        self._command(f":PMU:LOAD {channel}, {LARGEST_LOAD:.9g}")
        self._command(f":PMU:LLEC:CONFIGURE {channel}, 0")
        self._command(":PMU:MEASURE:MODE 0")
        self._command(f":PMU:MEASURE:RANGE {channel}, 2, {MEASURE_RANGE:.9g}")
        self._command(":PMU:PULSE:BURST:COUNT 1")
        self._command(
            f":PMU:PULSE:TIMES {channel}, {period:.9g}, {pulse.width:.9g}, {FASTEST_EDGE:.9g}, "
            f"{FASTEST_EDGE:.9g}, 0"
        )
        self._command(f":PMU:PULSE:TRAIN {channel}, 0, {pulse.amplitude:.9g}")
        self.check_errors()

    def _route(self, mode: int) -> None:
        """Switch the RPM; told every time, for it may have been switched off and on."""
        self._command(f":PMU:RPM:CONFIGURE {self.rpm}, {mode}")

    def _wait(self, width: Seconds) -> None:
        """Until the test is over. Raises InstrumentError if it does not end."""
        deadline = time.monotonic() + width + PATIENCE
        while (status := self._answer(":PMU:TEST:STATUS?")) != "0":
            if status != "1":
                raise ReportedError(f"The {NAME} answered {status!r} to :PMU:TEST:STATUS?.")
            if time.monotonic() > deadline:
                raise InstrumentError(
                    f"The {NAME} has not finished a pulse of {format_quantity(width, 's')} after "
                    f"{PATIENCE:g} s more; its output was switched off. Look at its screen."
                )
            time.sleep(max(POLL_INTERVAL, width / 10))

    def _current(self, reply: str) -> tuple[Amperes, bool]:
        match = READING.fullmatch(reply)
        if match is None:
            raise ReplyError(f"The {NAME} answered {reply!r} to TI{self.smu}, which is no current.")
        status = match[1].upper()
        if status in UNUSABLE:
            raise ReplyError(f"The {NAME} measured {reply!r}: {UNUSABLE[status]}. Measure again.")
        return float(re.sub(r"\s", "", match[2])), status == "C"

    def _answer(self, command: str) -> str:
        return self.ask(command).strip(PADDING)

    def _command(self, command: str) -> None:
        reply = self._answer(command)
        if reply != "ACK":
            raise ReportedError(f"The {NAME} answered {reply!r} to {command!r} instead of ACK.")
