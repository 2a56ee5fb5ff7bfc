"""Keithley 2400 SourceMeter, as a voltage source that measures current.

On PyMeasure's `Keithley2400`; commands after the Series 2400 user's manual (2400S-900-01).
"""

import math
from typing import Any

from pymeasure.instruments import Instrument
from pymeasure.instruments.keithley import Keithley2400 as PyMeasureKeithley2400

from crossbar.errors import ReplyError
from crossbar.units import Amperes, Volts
from drivers.current_limit import check_read_back, in_force, limited, went_off
from drivers.hardware_range import check_prepared_voltage, hardware_range
from drivers.identity import identity_asked_once, model_field, wrong_instrument
from drivers.protection import Protection
from drivers.scpi_error_queue import raise_reported

NAME = "Keithley 2400"
MODEL = "MODEL 2400"
MAX_VOLTAGE: Volts = 21.0
"""Up to here 1.05 A flow; a bench for cells has no use for the 210 V above it."""
CURRENT_LIMITS: tuple[Amperes, Amperes] = (1e-8, 1.05)
"""The manual's least is 0.1 % of the lowest range, 1 nA."""
LINE_CYCLES = (0.01, 10.0)
LOWEST_RANGE: Amperes = 1e-6
CLAMPED = 1 << 3 | 1 << 16
"""Bits of the status element: compliance, and compliance at the end of the range."""


class Keithley2400(PyMeasureKeithley2400):
    """PyMeasure's driver with the verbs of a bench's SMU.

    Overridden is what rounded to six digits (``compliance_current``, ``source_voltage``,
    ``current_nplc``), ``check_errors``, which logged, and ``shutdown``, which took 0.6 s to switch
    off. Construction sends nothing: `prepare` selects current and status as the elements of a
    reading, and PyMeasure's own ``current``, ``voltage`` and ``measure_all`` need
    ``reset_data_format`` first.
    """

    def __init__(self, adapter: Any, name: str = NAME, **kwargs: Any) -> None:
        # Past PyMeasure's constructor, whose only other act is to send the data format.
        super(PyMeasureKeithley2400, self).__init__(adapter, name, **kwargs)
        self.current_limit_set: Amperes | None = None
        """What `prepare` set; None while the output is off."""
        self.voltage_limit_set: Volts = MAX_VOLTAGE

    source_voltage = Instrument.control(
        ":SOUR:VOLT?",
        ":SOUR:VOLT %.9g",
        """Control the voltage, in volts (float, strictly from -21 to 21).""",
        validator=hardware_range("voltage", "V", NAME),
        values=(-MAX_VOLTAGE, MAX_VOLTAGE),
    )
    compliance_current = Instrument.control(
        ":SENS:CURR:PROT?",
        ":SENS:CURR:PROT %.9g",
        """Control the compliance, in amperes (float, strictly from 1e-8 to 1.05).""",
        validator=hardware_range("current limit", "A", NAME),
        values=CURRENT_LIMITS,
    )
    current_nplc = Instrument.control(
        ":SENS:CURR:NPLC?",
        ":SENS:CURR:NPLC %.9g",
        """Control the integration time, in power line cycles (float, strictly from 0.01 to 10).""",
        validator=hardware_range("integration time in line cycles", "", NAME),
        values=LINE_CYCLES,
    )

    identity = identity_asked_once()

    def check_identity(self) -> None:
        """Raise WrongInstrumentError unless a 2400 answers."""
        if model_field(self.identity).upper() != MODEL:
            raise wrong_instrument(self.identity, NAME)

    def check_errors(self) -> list[Any]:
        """Empty the error queue; raise ReportedError if there was an entry."""
        raise_reported(self.ask(":SYST:ERR?"), self.ask, NAME)
        return []

    def prepare(
        self, max_current: Amperes, *, max_voltage: Volts = MAX_VOLTAGE, nplc: float = 0.1
    ) -> None:
        """Restore defaults, set the compliance and read it back, and switch the output on at 0 V.

        ``max_voltage`` bounds `measure` until the next preparation; the computer keeps it.

        Raises LimitError before anything is sent, ReportedError, or InstrumentError if the
        compliance did not hold; the output stays off then.
        """
        hardware_range("current limit", "A", NAME)(max_current, CURRENT_LIMITS)
        hardware_range("voltage limit", "V", NAME)(max_voltage, (0.0, MAX_VOLTAGE))
        self.off()
        self.write("*CLS;*RST")
        self.write(':SOUR:FUNC VOLT;:SOUR:VOLT:MODE FIX;:SENS:FUNC "CURR";:FORM:ELEM CURR,STAT')
        self.source_voltage = 0.0
        # A compliance has to be 0.1 % of the present range at least: go to the lowest one first.
        self.write(f":SENS:CURR:RANG {LOWEST_RANGE:.9g}")
        self.compliance_current = max_current
        self.write(":SENS:CURR:RANG:AUTO ON")
        self.current_nplc = nplc
        self.check_errors()
        check_read_back(self.compliance_current, max_current, NAME)
        self.enable_source()
        self.check_errors()
        self.current_limit_set = max_current
        self.voltage_limit_set = max_voltage

    def measure(self, voltage: Volts) -> tuple[Amperes, bool]:
        """Current at this voltage, and whether the compliance clamped it; 0 V afterwards.

        One round trip. Raises LimitError and InstrumentError before anything is sent, ReportedError
        and ReplyError.
        """
        limit = in_force(self.current_limit_set, NAME)
        check_prepared_voltage(voltage, self.voltage_limit_set, NAME)
        reply = self.ask(f":SOUR:VOLT {voltage:.9g};:READ?;:SOUR:VOLT 0;:OUTP?;:SYST:ERR:COUN?")
        current, status, output, errors = self._numbers(reply)
        if errors:
            self.off()
            self.check_errors()
        if not output:
            self.current_limit_set = None
            raise went_off(NAME, "output enable line, overheating, or its front panel")
        clamped = bool(int(status) & CLAMPED)
        return limited(current, clamped, limit=limit, sign=voltage, instrument=NAME), clamped

    def _numbers(self, reply: str) -> list[float]:
        """Current, status word, output and error count; off, and ReplyError, if they are not."""
        parts = reply.strip().split(";")
        fields = [field for part in parts for field in part.split(",")]
        try:
            numbers = [float(field) for field in fields]
        except ValueError:
            numbers = []
        if len(parts) == 3 and len(numbers) == 4 and all(map(math.isfinite, numbers)):
            return numbers
        # After an error the rest of a message may be skipped, the return to 0 V included.
        self.off()
        self.check_errors()
        raise ReplyError(
            f"The {NAME} answered {reply[:80]!r} to a measurement, not current and status, output "
            "and error count; its output was switched off. Prepare it again."
        )

    def protections(self) -> tuple[Protection, ...]:
        """The compliance, read back; it holds as long as a voltage is sourced."""
        return (
            Protection(
                name="current limit",
                value=self.compliance_current,
                unit="A",
                in_force=self.source_mode == "voltage",
            ),
        )

    def off(self) -> None:
        """Stop sweeps, go to 0 V and switch the output off. Safe at any time."""
        self.current_limit_set = None
        self.write(":ABOR;:SOUR:VOLT 0;:OUTP OFF")

    def shutdown(self) -> None:
        """Leave the output off."""
        self.off()
        Instrument.shutdown(self)
