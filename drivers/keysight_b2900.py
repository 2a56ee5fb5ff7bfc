"""Keysight B2901B, B2902B, B2911B and B2912B source-measure units, used through channel 1.

PyMeasure has no driver for them. Commands after the SCPI command reference (B2910-90030) and the
user's guide; what only hearsay supports (marked so) is read back or not relied on.
"""

import math
import re
from collections.abc import Sequence
from typing import Any

from pymeasure.instruments import Instrument
from pymeasure.instruments.validators import strict_discrete_set

from crossbar.errors import InstrumentError, LimitError, ReplyError
from crossbar.units import Amperes, Volts, format_quantity
from drivers.current_limit import in_force, limited, went_off
from drivers.hardware_range import check_prepared_voltage, hardware_range
from drivers.identity import identity_asked_once, model_field, wrong_instrument
from drivers.protection import Protection
from drivers.scpi_error_queue import raise_reported

NAME = "Keysight B2900"
MODEL = re.compile(r"B29(01|02|11|12)(A|B|BL)")
MAX_VOLTAGE: Volts = 21.0
"""The range in which 1.515 A flow; a bench for cells has no use for the 210 V above it."""
CURRENT_LIMITS: tuple[Amperes, Amperes] = (1e-7, 1.515)
LONGEST_LIST = 2500
"""Values of one list sweep; the B models may take more (not confirmed)."""
CLAMPED = 0b110
"""Bits 1 and 2 of the status element (command reference, table 1-2): any of them is compliance."""
MISSING_STATUS = 2**24
"""Beyond the largest status there is: what comes in its place is "not a number"."""


class KeysightB2900(Instrument):
    """Channel 1 of a B2900, as a voltage source that measures current.

    Of its own accord a B2900 switches outputs *on* when a measurement starts (``OUTP:ON:AUTO``);
    `prepare` ends that. Compliance clamps; output protection, off by default and off here, would
    switch the output off instead.
    """

    def __init__(self, adapter: Any, name: str = NAME, **kwargs: Any) -> None:
        super().__init__(adapter, name, includeSCPI=False, **kwargs)
        self.current_limit_set: Amperes | None = None
        """What `prepare` set; None while the output is off."""
        self.voltage_limit_set: Volts = MAX_VOLTAGE

    level = Instrument.control(
        ":SOUR1:VOLT?",
        ":SOUR1:VOLT %.9g",
        """Control the voltage, in volts (strictly -21 to 21).""",
        validator=hardware_range("voltage", "V", NAME),
        values=(-MAX_VOLTAGE, MAX_VOLTAGE),
    )
    current_limit = Instrument.control(
        ":SENS1:CURR:PROT?",
        ":SENS1:CURR:PROT %.9g",
        """Control the compliance, in amperes (strictly 1e-7 to 1.515).""",
        validator=hardware_range("current limit", "A", NAME),
        values=CURRENT_LIMITS,
    )
    nplc = Instrument.control(
        ":SENS1:CURR:NPLC?",
        ":SENS1:CURR:NPLC %.9g",
        """Control the integration time, in power line cycles (strictly 4e-4 to 100).""",
        validator=hardware_range("integration time in line cycles", "", NAME),
        values=(4e-4, 100.0),
    )
    output_enabled = Instrument.control(
        ":OUTP1?",
        ":OUTP1 %s",
        """Control whether the output is on (bool).""",
        validator=strict_discrete_set,
        values=(True, False),
        set_process=lambda on: "ON" if on else "OFF",
        get_process=bool,
    )
    switches_on_by_itself = Instrument.control(
        ":OUTP1:ON:AUTO?",
        ":OUTP1:ON:AUTO %s",
        """Control whether a measurement switches the output on (bool).""",
        validator=strict_discrete_set,
        values=(True, False),
        set_process=lambda on: "ON" if on else "OFF",
        get_process=bool,
    )

    identity = identity_asked_once()

    def check_identity(self) -> None:
        """Raise WrongInstrumentError unless a B2901 to B2912 answers."""
        if not MODEL.fullmatch(model_field(self.identity)):
            raise wrong_instrument(self.identity, NAME)

    def check_errors(self) -> list[Any]:
        """Empty the error queue; raise ReportedError if there was an entry."""
        raise_reported(self.ask(":SYST:ERR?"), self.ask, NAME)
        return []

    def prepare(
        self, max_current: Amperes, *, max_voltage: Volts = MAX_VOLTAGE, nplc: float = 0.1
    ) -> None:
        """Restore defaults, set the limit and read it back, and switch the output on at 0 V.

        ``max_voltage`` bounds `measure` until the next preparation; the computer keeps it.

        Raises LimitError before anything is sent, ReportedError, or InstrumentError if the limit
        did not hold; the output stays off then.
        """
        hardware_range("current limit", "A", NAME)(max_current, CURRENT_LIMITS)
        hardware_range("voltage limit", "V", NAME)(max_voltage, (0.0, MAX_VOLTAGE))
        self.off()
        self.write("*CLS;*RST")
        self.switches_on_by_itself = False
        self.write(":SOUR1:FUNC:MODE VOLT;:SOUR1:VOLT:MODE FIX")
        self.level = 0.0
        self.current_limit = max_current
        self.write(':SENS1:FUNC "VOLT","CURR";:FORM ASC;:FORM:ELEM:SENS VOLT,CURR')
        self.nplc = nplc
        self.check_errors()
        found, automatic = self.current_limit, self.switches_on_by_itself
        if not math.isclose(found, max_current, rel_tol=1e-6) or automatic:
            raise InstrumentError(
                f"The {NAME} was told to limit the current to {format_quantity(max_current, 'A')} "
                f"and not to switch itself on, but reads back {format_quantity(found, 'A')} and "
                f"{'ON' if automatic else 'OFF'}. Its output stays off; check its firmware."
            )
        self.output_enabled = True
        self.check_errors()
        self.current_limit_set = max_current
        self.voltage_limit_set = max_voltage

    def measure(self, voltage: Volts) -> tuple[Amperes, bool]:
        """Current at this voltage, and whether the limit clamped it; 0 V afterwards.

        One round trip. Raises LimitError and InstrumentError before anything is sent, ReportedError
        and ReplyError.
        """
        limit = in_force(self.current_limit_set, NAME)
        check_prepared_voltage(voltage, self.voltage_limit_set, NAME)
        reply = self.ask(
            f":SOUR1:VOLT {voltage:.9g};:MEAS? (@1);:SENS1:CURR:PROT:TRIP?;:SOUR1:VOLT 0;"
            ":OUTP1?;:SYST:ERR:COUN?"
        )
        parts = reply.strip().split(";")
        if len(parts) != 4:
            # After an error the rest of the message is skipped, the return to 0 V included.
            self.off()
            self.check_errors()
            raise ReplyError(
                f"The {NAME} answered {reply!r} to a measurement, not four values; its output was "
                "switched off. Prepare it again."
            )
        _, current = self._numbers(parts[0], 2)
        tripped, output, errors = self._numbers(",".join(parts[1:]), 3)
        if errors:
            self.check_errors()
        if not output:
            self.current_limit_set = None
            raise went_off(NAME, "interlock, overload, or its front panel")
        clamped = bool(tripped)
        return limited(current, clamped, limit=limit, sign=current, instrument=NAME), clamped

    def sweep(self, voltages: Sequence[Volts]) -> list[tuple[Amperes, bool]]:
        """Current and clamping at each voltage, stepped by the instrument; 0 V afterwards.

        Raises as `measure` does, and LimitError for an empty list or more than 2500 voltages.
        """
        limit = in_force(self.current_limit_set, NAME)
        if not 1 <= len(voltages) <= LONGEST_LIST:
            raise LimitError(
                f"A sweep of {len(voltages)} voltages was asked for, but the {NAME} takes 1 to "
                f"{LONGEST_LIST}. Split it."
            )
        for voltage in voltages:
            check_prepared_voltage(voltage, self.voltage_limit_set, NAME)
        count = len(voltages)
        try:
            self.write(":SOUR1:LIST:VOLT " + ",".join(f"{voltage:.9g}" for voltage in voltages))
            self.write(f":SOUR1:VOLT:MODE LIST;:TRIG1:ALL:SOUR AINT;COUN {count}")
            self.check_errors()
            self.write(":INIT (@1)")
            self.ask("*OPC?")
            currents = self._numbers(self.ask(":FETC:ARR:CURR? (@1)"), count)
            status = self._numbers(self.ask(":FETC:ARR:STAT? (@1)"), count)
            self.write(":SOUR1:VOLT:MODE FIX;:SOUR1:VOLT 0")
            self.check_errors()
        except BaseException:
            self.off()
            raise
        flags = [self._clamped(bits) for bits in status]
        return [
            (limited(current, clamped, limit=limit, sign=current, instrument=NAME), clamped)
            for current, clamped in zip(currents, flags, strict=True)
        ]

    def protections(self) -> tuple[Protection, ...]:
        """The compliance, read back."""
        return (Protection(name="current limit", value=self.current_limit, unit="A"),)

    def off(self) -> None:
        """Stop sweeps, go to 0 V and switch the output off. Safe at any time."""
        self.current_limit_set = None
        self.write(":ABOR;:SOUR1:VOLT 0;:OUTP1 OFF")

    def shutdown(self) -> None:
        """Leave the output off."""
        self.off()
        super().shutdown()

    def _numbers(self, reply: str, count: int) -> list[float]:
        try:
            numbers = [float(field) for field in reply.strip().split(",")]
        except ValueError:
            numbers = []
        if len(numbers) != count:
            raise ReplyError(
                f"The {NAME} answered {reply[:80]!r} where {count} numbers were expected. Clear "
                "the connection and prepare it again."
            )
        return numbers

    def _clamped(self, bits: float) -> bool:
        if not 0 <= bits < MISSING_STATUS:
            raise ReplyError(
                f"The {NAME} answered {bits:g} where the status of a reading was expected: the "
                "sweep has fewer readings than voltages. Prepare it again."
            )
        return bool(int(bits) & CLAMPED)
