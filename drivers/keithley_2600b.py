"""Keithley 2600B SourceMeters, models 2601B to 2636B (reference manual 2600BS-901-01 rev. F).

PyMeasure's own `Keithley2600` is not used: it formats with ``%f``, so that a limit of 100 nA goes
out as 0.000000 and the old limit silently stays; it clips voltages; its `measure_nplc` cannot be
set to 1.

Queries are Lua: a reply exists only after ``print``. Timeouts surface as the link reports them.
"""

import math
import re
from dataclasses import dataclass

from pymeasure.instruments import Instrument

from crossbar.errors import ConfigurationError, InstrumentError, ReplyError, WrongInstrumentError
from crossbar.units import Amperes, Seconds, Volts, format_quantity
from drivers.current_limit import OVERFLOW
from drivers.hardware_range import check_prepared_voltage, hardware_range
from drivers.identity import identity_asked_once
from drivers.keithley_2600b_channel import NAME, SourceMeasureUnit, as_truth
from drivers.keithley_2600b_ratings import ANY_MODEL, MODELS, Ratings
from drivers.protection import Protection
from drivers.tsp_error_queue import raise_reported
from drivers.tsp_link import synchronize

IDENTITY = re.compile(r"Model\s+(26\d\dB)", re.IGNORECASE)
FIRST, LAST = min(MODELS), max(MODELS)
IDENTIFIER = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """What `Keithley2600B.prepare` set."""

    current_limit: Amperes
    max_voltage: Volts
    nplc: float
    measure_delay: Seconds


class Keithley2600B(Instrument):
    """One SourceMeter, used through channel A. A `crossbar.ports.CurrentMeter`.

    Construction sends nothing. `check_identity` first, then `prepare`, which switches the output on
    at 0 V; it stays on, because its relay would wear and bounce with every reading, until `off`.
    """

    smua: SourceMeasureUnit = Instrument.ChannelCreator(SourceMeasureUnit, "smua")

    def __init__(self, adapter: object, name: str = NAME, **kwargs: object) -> None:
        super().__init__(adapter, name, includeSCPI=False, **kwargs)
        self.ratings: Ratings = ANY_MODEL
        self.preparation: Preparation | None = None
        """None while the output is off."""

    identity = identity_asked_once()

    def check_identity(self) -> None:
        """Adopt the model's ratings, or raise WrongInstrumentError naming what answered."""
        model = IDENTITY.search(self.identity)
        ratings = MODELS.get(model[1].upper()) if model else None
        if ratings is None:
            raise WrongInstrumentError(
                f"{self.name}: expected a Keithley {FIRST} to {LAST}, but {self.identity!r} "
                "answers. Correct the address of this instrument, or its type."
            )
        self.ratings = ratings
        self.smua.level_values = (-ratings.max_voltage, ratings.max_voltage)
        self.smua.source_range_values = (0.0, ratings.max_voltage)
        self.smua.current_limit_values = (ratings.smallest_current_limit, ratings.max_current)
        self.smua.measure_range_values = (0.0, ratings.max_current)

    def check_errors(self) -> list[object]:
        """Empty the error queue. Raises ReportedError with all entries, if there were any."""
        raise_reported(self.ask, self.name)
        return []

    def synchronize(self) -> None:
        """Bring the link back in step (`tsp_link`); levels and the output stay as they are."""
        synchronize(self.write, self.read, self.name)

    def prepare(
        self,
        current_limit: Amperes,
        *,
        max_voltage: Volts = 2.0,
        nplc: float = 0.1,
        measure_delay: Seconds = 2e-4,
    ) -> None:
        """Get ready to source volts and measure current; the output is on, at 0 V, afterwards.

        ``max_voltage`` bounds what is sourced until the next preparation. All ranges are fixed,
        since range changes glitch: those that hold ``max_voltage`` and the current limit.
        ``measure_delay`` lets source and current range settle (manual: 50 to 110 and 80 to 150 µs
        down to 100 µA; more below). Raises LimitError before anything is sent, ReportedError, or
        InstrumentError if the current limit reads back differently.
        """
        bounds = (self.ratings.smallest_current_limit, self.ratings.max_current)
        hardware_range("current limit", "A", self.name)(current_limit, bounds)
        hardware_range("voltage limit", "V", self.name)(
            max_voltage, (0.0, self.ratings.max_voltage)
        )
        self.off()
        self.synchronize()
        self.write("format.data = format.ASCII format.asciiprecision = 16")
        self.smua.source_function = 1
        self.smua.source_range = max_voltage
        self.smua.current_limit = current_limit
        self._verify_current_limit(current_limit)
        self.smua.measure_range = current_limit
        self.smua.nplc = nplc
        self.smua.measure_delay = measure_delay
        self.smua.autozero = 1
        self.check_errors()
        self.smua.output = True
        self.preparation = Preparation(
            current_limit=current_limit,
            max_voltage=max_voltage,
            nplc=nplc,
            measure_delay=measure_delay,
        )

    def measure(self, voltage: Volts) -> tuple[float, bool]:
        """Current in amperes at this voltage, and whether the limit clamped it; 0 V afterwards.

        One round trip. Raises LimitError beyond what was prepared, InstrumentError if the output
        is off, ReportedError, ReplyError. A clamped reading is the limit, and no resistance.
        """
        preparation = self.require_prepared()
        self.check_level(voltage)
        reply = self.ask(
            f"smua.source.levelv = {voltage:.9g} "
            "local i, clamped = smua.measure.i(), smua.source.compliance "
            "smua.source.levelv = 0 "
            "print(i, clamped, smua.source.output, errorqueue.count)"
        )
        fields = reply.strip().split("\t")
        if len(fields) != 4:
            raise ReplyError(f"{self.name} answered {reply!r} to a measurement, not four values.")
        current, in_compliance = self.number(fields[0]), as_truth(fields[1])
        if self.number(fields[3]):
            self.check_errors()
        if not self.number(fields[2]):
            raise self._went_off()
        if abs(current) < OVERFLOW:
            return current, in_compliance
        if in_compliance:
            return math.copysign(preparation.current_limit, current), True
        raise ReplyError(
            f"{self.name} reports an overflow ({fields[0]}) at {voltage:g} V without being in "
            "compliance. Was its current range changed by hand? Prepare it again."
        )

    def check_level(self, voltage: Volts) -> None:
        """Raise LimitError beyond what was prepared, InstrumentError if nothing is prepared."""
        check_prepared_voltage(voltage, self.require_prepared().max_voltage, self.name)

    def check_output(self) -> None:
        """Raise InstrumentError if the output went off by itself."""
        if not self.smua.output:
            raise self._went_off()

    def protections(self) -> tuple[Protection, ...]:
        """The current limit, read back."""
        return (Protection(name="current limit", value=self.smua.current_limit, unit="A"),)

    def require_prepared(self) -> Preparation:
        """What was prepared, or InstrumentError if the output is off."""
        if self.preparation is None:
            raise InstrumentError(f"The output of {self.name} is off: prepare it before reading.")
        return self.preparation

    def off(self) -> None:
        """End a sweep, level to 0 V, output off. Safe at any time."""
        self.preparation = None
        self.write("smua.abort() smua.source.levelv = 0 smua.source.output = smua.OUTPUT_OFF")

    def shutdown(self) -> None:
        """Output off, as PyMeasure calls it at the end of a ``with`` block."""
        self.off()
        super().shutdown()

    def number(self, text: str) -> float:
        """A reply that must be a number, or ReplyError with its text."""
        try:
            return float(text)
        except ValueError:
            raise ReplyError(
                f"{self.name} answered {text!r} where a number was expected."
            ) from None

    def load_script(self, name: str, text: str) -> None:
        """Upload a TSP script and run it once, which defines the functions in it.

        Raises ConfigurationError for an impossible name or text, ReportedError if the instrument
        does not accept the script.
        """
        lines = text.splitlines()
        if not IDENTIFIER.fullmatch(name) or any(line.strip() == "endscript" for line in lines):
            raise ConfigurationError(
                f"Script {name!r} refused: the name must be an identifier, and no line of the "
                "script may read 'endscript', which would end its upload."
            )
        self.write("\n".join([f"loadscript {name}", *lines, "endscript"]))
        self.check_errors()
        self.write(f"{name}()")
        self.check_errors()

    def call(self, function: str, *arguments: float | bool, replies: int = 1) -> list[str]:
        """Call a function of an uploaded script; the ``replies`` lines that it prints.

        Never repeated: after a timeout nobody knows how far the script came. `synchronize` then.
        """
        if not IDENTIFIER.fullmatch(function):
            raise ConfigurationError(f"{function!r} is not the name of a script function.")
        self.write(f"{function}({', '.join(map(_as_lua, arguments))})")
        return [self.read().strip() for _ in range(replies)]

    def _went_off(self) -> InstrumentError:
        self.preparation = None
        return InstrumentError(
            f"The output of {self.name} went off by itself: overload, interlock, or the OUTPUT "
            "key. Look at its display, then prepare it again."
        )

    def _verify_current_limit(self, asked: Amperes) -> None:
        found = self.smua.current_limit
        if not math.isclose(found, asked, rel_tol=1e-6):
            self.check_errors()
            raise InstrumentError(
                f"{self.name} has a current limit of {format_quantity(found, 'A')} after "
                f"{format_quantity(asked, 'A')} was set; its output stays off."
            )


def _as_lua(value: float | bool) -> str:
    """A literal that arrives bit by bit: thresholds are compared on both sides."""
    return str(value).lower() if isinstance(value, bool) else repr(value)
