"""Keithley 2450 SourceMeter in its SCPI command set, as a voltage source that measures current.

On PyMeasure's `Keithley2450`; commands after the reference manual 2450-901-01.
"""

import math
from typing import Any

from pymeasure.instruments import Instrument
from pymeasure.instruments.keithley import Keithley2450 as PyMeasureKeithley2450

from crossbar.errors import InstrumentError, ReplyError
from crossbar.units import Amperes, Volts
from drivers.current_limit import check_read_back, in_force, limited, went_off
from drivers.hardware_range import check_prepared_voltage, hardware_range
from drivers.identity import identity_asked_once, model_field, wrong_instrument
from drivers.protection import Protection
from drivers.scpi_error_queue import raise_reported

NAME = "Keithley 2450"
MODEL = "MODEL 2450"
MAX_VOLTAGE: Volts = 21.0
"""Up to here 1.05 A flow; a bench for cells has no use for the 210 V above it."""
CURRENT_LIMITS: tuple[Amperes, Amperes] = (1e-9, 1.05)
LINE_CYCLES = (0.01, 10.0)


class Keithley2450(PyMeasureKeithley2450):
    """PyMeasure's driver with the verbs of a bench's SMU.

    Overridden is what clipped or rounded (``compliance_current``, ``source_voltage``,
    ``current_nplc``), ``check_errors``, which logged, and ``shutdown``, which took 0.6 s to switch
    off. PyMeasure's other properties are as they were; its buffer methods are those of a 2400 and
    end in the error queue.
    """

    def __init__(self, adapter: Any, name: str = NAME, **kwargs: Any) -> None:
        super().__init__(adapter, name, **kwargs)
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
        ":SOUR:VOLT:ILIM?",
        ":SOUR:VOLT:ILIM %.9g",
        """Control the current limit, in amperes (float, strictly from 1e-9 to 1.05).""",
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
        """Raise WrongInstrumentError unless a 2450 answers."""
        if model_field(self.identity).upper() != MODEL:
            raise wrong_instrument(
                self.identity,
                NAME,
                "Correct the address; a 2450 that says it is a 2400 has the command set SCPI 2400 "
                "selected.",
            )

    def check_errors(self) -> list[Any]:
        """Empty the error queue; raise ReportedError if there was an entry."""
        raise_reported(self.ask(":SYST:ERR?"), self.ask, NAME)
        return []

    def prepare(
        self, max_current: Amperes, *, max_voltage: Volts = MAX_VOLTAGE, nplc: float = 0.1
    ) -> None:
        """Restore defaults, set the limit and read it back, and switch the output on at 0 V.

        ``max_voltage`` bounds `measure` until the next preparation; the computer keeps it.

        Raises LimitError before anything is sent, ReportedError, or InstrumentError if the command
        set is not SCPI or the limit did not hold; the output stays off then.
        """
        hardware_range("current limit", "A", NAME)(max_current, CURRENT_LIMITS)
        hardware_range("voltage limit", "V", NAME)(max_voltage, (0.0, MAX_VOLTAGE))
        self._check_language()
        self.off()
        self.write("*CLS;*RST")
        self.write(':SOUR:FUNC VOLT;:SENS:FUNC "CURR"')
        self.source_voltage = 0.0
        # With an automatic range, as after *RST, the range does not constrain the limit.
        self.write(":SENS:CURR:RANG:AUTO ON")
        self.compliance_current = max_current
        self.current_nplc = nplc
        self.check_errors()
        check_read_back(self.compliance_current, max_current, NAME)
        self.enable_source()
        self.check_errors()
        self.current_limit_set = max_current
        self.voltage_limit_set = max_voltage

    def _check_language(self) -> None:
        language = self.ask("*LANG?").strip()
        if language != "SCPI":
            raise InstrumentError(
                f"The {NAME} has the command set {language!r}, but SCPI is needed. Nothing was "
                "set; send *LANG SCPI, or choose it in its menu, and switch it off and on."
            )

    def measure(self, voltage: Volts) -> tuple[Amperes, bool]:
        """Current at this voltage, and whether the limit clamped it; 0 V afterwards.

        One round trip. Raises LimitError and InstrumentError before anything is sent, ReportedError
        and ReplyError.
        """
        limit = in_force(self.current_limit_set, NAME)
        check_prepared_voltage(voltage, self.voltage_limit_set, NAME)
        reply = self.ask(
            f":SOUR:VOLT {voltage:.9g};:READ?;:SOUR:VOLT:ILIM:TRIP?;:SOUR:VOLT 0;:OUTP?;"
            ":SYST:ERR:COUN?"
        )
        current, tripped, output, errors = self._numbers(reply)
        if errors:
            self.off()
            self.check_errors()
        if not output:
            self.current_limit_set = None
            raise went_off(NAME, "interlock, overload, or its front panel")
        clamped = bool(tripped)
        return limited(current, clamped, limit=limit, sign=voltage, instrument=NAME), clamped

    def _numbers(self, reply: str) -> list[float]:
        """The four answers of a measurement; switches off, and raises, if they are not there."""
        try:
            numbers = [float(field) for field in reply.strip().split(";")]
        except ValueError:
            numbers = []
        if len(numbers) == 4 and all(map(math.isfinite, numbers)):
            return numbers
        # After an error the rest of a message may be skipped, the return to 0 V included.
        self.off()
        self.check_errors()
        raise ReplyError(
            f"The {NAME} answered {reply[:80]!r} to a measurement, not four numbers; its output "
            "was switched off. Prepare it again."
        )

    def protections(self) -> tuple[Protection, ...]:
        """The current limit, read back; it holds as long as a voltage is sourced."""
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
