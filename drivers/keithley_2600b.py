"""Keithley 2600B SourceMeters, models 2601B to 2636B (reference manual 2600BS-901-01 rev. F).

PyMeasure's own `Keithley2600` is not used: it formats with ``%f``, so that a limit of 100 nA goes
out as 0.000000 and the old limit silently stays; it clips voltages; its `measure_nplc` cannot be
set to 1.

Queries are Lua: a reply exists only after ``print``. Timeouts surface as the link reports them.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from pymeasure.instruments import Channel, Instrument
from pymeasure.instruments.validators import strict_discrete_set, strict_range

from crossbar.errors import (
    ConfigurationError,
    InstrumentError,
    LimitError,
    ReplyError,
    ReportedError,
    WrongInstrumentError,
)
from crossbar.units import Amperes, Seconds, Volts, format_quantity

OVERFLOW = 9.9e37
"""At or above this, a reading says that the value lies beyond the range (9.91e37)."""
IN_STEP = "in step"
MAX_STALE_REPLIES = 1000
IDENTITY = re.compile(r"Model\s+(26\d\dB)", re.IGNORECASE)
NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratings:
    """What a family of models can do."""

    max_voltage: Volts
    max_current: Amperes
    smallest_current_limit: Amperes


RATINGS = {
    "260": Ratings(max_voltage=40.0, max_current=3.0, smallest_current_limit=10e-9),
    "261": Ratings(max_voltage=200.0, max_current=1.5, smallest_current_limit=10e-9),
    "263": Ratings(max_voltage=200.0, max_current=1.5, smallest_current_limit=100e-12),
}
"""By the first three digits of the model."""
ANY_MODEL = Ratings(max_voltage=40.0, max_current=1.5, smallest_current_limit=10e-9)
"""What all of them can do; holds until `Keithley2600B.check_identity` has read the model."""


def as_number(value: object) -> float:
    """A reply that must be a number, or ReplyError with its text."""
    if isinstance(value, float):
        return value
    raise ReplyError(f"The Keithley 2600B answered {value!r} where a number was expected.")


def as_truth(value: object) -> bool:
    """A reply that must be ``true`` or ``false``, or ReplyError with its text."""
    if value in ("true", "false"):
        return value == "true"
    raise ReplyError(f"The Keithley 2600B answered {value!r} where true or false was expected.")


def as_switch(value: object) -> bool:
    """A reply that must be 0 or 1."""
    return bool(as_number(value))


def as_integer(value: object) -> int:
    """A reply that must be an enumeration: those are numbers here."""
    return int(as_number(value))


class SourceMeasureUnit(Channel):
    """``smua``: the property table. Values in SI units; nothing is clipped."""

    source_function = Channel.control(
        "print({ch}.source.func)", "{ch}.source.func = %d",
        """Control what is sourced (0 OUTPUT_DCAMPS, 1 OUTPUT_DCVOLTS).""",
        validator=strict_discrete_set, values=(0, 1), get_process=as_integer,
    )  # fmt: skip
    level = Channel.control(
        "print({ch}.source.levelv)", "{ch}.source.levelv = %.9g",
        """Control the sourced voltage, in volts (strictly within the model's rating).""",
        validator=strict_range, values=(-40.0, 40.0), dynamic=True, get_process=as_number,
    )  # fmt: skip
    source_range = Channel.control(
        "print({ch}.source.rangev)", "{ch}.source.rangev = %.9g",
        """Control the source range, in volts: the smallest that fits is taken, and reads back.""",
        validator=strict_range, values=(0.0, 40.0), dynamic=True, get_process=as_number,
    )  # fmt: skip
    source_autorange = Channel.control(
        "print({ch}.source.autorangev)", "{ch}.source.autorangev = %d",
        """Control whether the source range follows the level (bool).""",
        validator=strict_discrete_set, values=(False, True), get_process=as_switch,
    )  # fmt: skip
    current_limit = Channel.control(
        "print({ch}.source.limiti)", "{ch}.source.limiti = %.9g",
        """Control the current limit, in amperes (strictly within the model's rating).""",
        validator=strict_range, values=(10e-9, 1.5), dynamic=True, get_process=as_number,
    )  # fmt: skip
    output = Channel.control(
        "print({ch}.source.output)", "{ch}.source.output = %d",
        """Control whether the output is on (bool).""",
        validator=strict_discrete_set, values=(False, True), get_process=as_switch,
    )  # fmt: skip
    off_mode = Channel.control(
        "print({ch}.source.offmode)", "{ch}.source.offmode = %d",
        """Control what off means (0 NORMAL: 0 V; 1 ZERO; 2 HIGH_Z: a relay opens).""",
        validator=strict_discrete_set, values=(0, 1, 2), get_process=as_integer,
    )  # fmt: skip
    in_compliance = Channel.measurement(
        "print({ch}.source.compliance)",
        """Get whether the current limit clamps the source at this moment (bool).""",
        get_process=as_truth,
    )
    sense = Channel.control(
        "print({ch}.sense)", "{ch}.sense = %d",
        """Control how the voltage is sensed (0 SENSE_LOCAL, 1 SENSE_REMOTE: four wires).""",
        validator=strict_discrete_set, values=(0, 1), get_process=as_integer,
    )  # fmt: skip
    current = Channel.measurement(
        "print({ch}.measure.i())",
        """Measure the current, in amperes, at the present level.""",
        get_process=as_number,
    )
    voltage = Channel.measurement(
        "print({ch}.measure.v())",
        """Measure the voltage, in volts, at the present level.""",
        get_process=as_number,
    )
    nplc = Channel.control(
        "print({ch}.measure.nplc)", "{ch}.measure.nplc = %.9g",
        """Control the integration time, in power line cycles (strictly 0.001 to 25).""",
        validator=strict_range, values=(0.001, 25), get_process=as_number,
    )  # fmt: skip
    measure_range = Channel.control(
        "print({ch}.measure.rangei)", "{ch}.measure.rangei = %.9g",
        """Control the current range, in amperes: the smallest that fits is taken.""",
        validator=strict_range, values=(0.0, 1.5), dynamic=True, get_process=as_number,
    )  # fmt: skip
    measure_autorange = Channel.control(
        "print({ch}.measure.autorangei)", "{ch}.measure.autorangei = %d",
        """Control autoranging of the current (0 off, 1 on, 2 follow the limit).""",
        validator=strict_discrete_set, values=(0, 1, 2), get_process=as_integer,
    )  # fmt: skip
    measure_delay = Channel.control(
        "print({ch}.measure.delay)", "{ch}.measure.delay = %.9g",
        """Control the wait before a measurement, in seconds (strictly 0 to 1000).""",
        validator=strict_range, values=(0, 1000), get_process=as_number,
    )  # fmt: skip
    autozero = Channel.control(
        "print({ch}.measure.autozero)", "{ch}.measure.autozero = %d",
        """Control when the reference is measured (0 never, 1 once now, 2 before each reading).""",
        validator=strict_discrete_set, values=(0, 1, 2), get_process=as_integer,
    )  # fmt: skip


class Keithley2600B(Instrument):
    """One SourceMeter, used through channel A. A `crossbar.ports.CurrentMeter`.

    Construction sends nothing. `check_identity` first, then `prepare`, which switches the output on
    at 0 V; it stays on, because its relay would wear and bounce with every reading, until `off`.
    """

    smua: SourceMeasureUnit = Instrument.ChannelCreator(SourceMeasureUnit, "smua")  # type: ignore[assignment]

    def __init__(
        self, adapter: object, name: str = "Keithley 2600B SourceMeter", **kwargs: object
    ) -> None:
        super().__init__(adapter, name, includeSCPI=False, **kwargs)  # type: ignore[arg-type]
        self.ratings = ANY_MODEL
        self.ready_for: Volts = 0.0
        """Largest voltage that `measure` takes: `prepare`'s, and 0 while the output is off."""
        self._identity: str | None = None

    @property
    def identity(self) -> str:
        """The reply to ``*IDN?``, read once."""
        if self._identity is None:
            self._identity = self.ask("*IDN?").strip()
        return self._identity

    def check_identity(self) -> None:
        """Adopt the model's ratings, or raise WrongInstrumentError naming what answered."""
        model = IDENTITY.search(self.identity)
        ratings = RATINGS.get(model[1][:3]) if model else None
        if ratings is None:
            raise WrongInstrumentError(
                f"{self.name}: expected a Keithley 2601B to 2636B, but {self.identity!r} answers. "
                "Correct the address of this instrument, or its type."
            )
        self.ratings = ratings
        self.smua.level_values = (-ratings.max_voltage, ratings.max_voltage)
        self.smua.source_range_values = (0.0, ratings.max_voltage)
        self.smua.current_limit_values = (ratings.smallest_current_limit, ratings.max_current)
        self.smua.measure_range_values = (0.0, ratings.max_current)

    def check_errors(self) -> list[object]:
        """Empty the error queue. Raises ReportedError with all entries, if there were any."""
        entries = []
        while (entry := self._next_error()) is not None:
            entries.append(entry)
        if entries:
            raise ReportedError(f"{self.name} reports: {'; '.join(entries)}.")
        return []

    def synchronize(self) -> None:
        """Stop a running script, drop unread replies and old errors, and silence prompts.

        Afterwards the next reply answers the next query, whatever an earlier program or a timeout
        left behind. Levels and the output stay as they are.
        """
        self.write("abort")  # also ends a script whose endscript never came
        self.write("*CLS")
        self.write(f'localnode.prompts = 0 localnode.showerrors = 0 print("{IN_STEP}")')
        for _ in range(MAX_STALE_REPLIES):
            if self.read().strip() == IN_STEP:
                return
        raise ReplyError(
            f"{self.name} kept sending other replies ({MAX_STALE_REPLIES} of them) when asked to "
            "print a mark. Power it down and up again."
        )

    def prepare(
        self,
        current_limit: Amperes,
        *,
        voltage_range: Volts = 2.0,
        nplc: float = 0.1,
        measure_delay: Seconds = 2e-4,
    ) -> None:
        """Get ready to source volts and measure current; the output is on, at 0 V, afterwards.

        All ranges are fixed, since range changes glitch: the current range is the one that holds
        the limit. ``measure_delay`` lets source and current range settle (manual: 50 to 110 and
        80 to 150 µs down to 100 µA; more below). Raises LimitError before anything is sent,
        ReportedError, or InstrumentError if the current limit reads back differently.
        """
        self._check_rating("Current limit", current_limit, "A", self.ratings.max_current)
        if current_limit < self.ratings.smallest_current_limit:
            raise LimitError(
                f"Current limit of {format_quantity(current_limit, 'A')} refused: {self.name} "
                f"needs at least {format_quantity(self.ratings.smallest_current_limit, 'A')}."
            )
        self._check_rating("Voltage range", voltage_range, "V", self.ratings.max_voltage)
        self.off()
        self.synchronize()
        self.write("format.data = format.ASCII format.asciiprecision = 16")
        self.smua.source_function = 1
        self.smua.source_range = voltage_range
        self.smua.current_limit = current_limit
        self._verify_current_limit(current_limit)
        self.smua.measure_range = current_limit
        self.smua.nplc = nplc
        self.smua.measure_delay = measure_delay
        self.smua.autozero = 1
        self.check_errors()
        self.smua.output = True
        self.ready_for = voltage_range

    def measure(self, voltage: Volts) -> tuple[float, bool]:
        """Current in amperes at this voltage, and whether the limit clamped it; 0 V afterwards.

        One round trip. Raises LimitError beyond the prepared range, InstrumentError if the output
        is off, ReportedError, ReplyError. A clamped reading is the limit, and no resistance.
        """
        self._check_ready(voltage)
        reply = self.ask(
            f"smua.source.levelv = {voltage:.9g} "
            "local i, clamped = smua.measure.i(), smua.source.compliance "
            "smua.source.levelv = 0 "
            "print(i, clamped, smua.source.output, errorqueue.count)"
        )
        fields = reply.strip().split("\t")
        if len(fields) != 4:
            raise ReplyError(f"{self.name} answered {reply!r} to a measurement, not four values.")
        current, in_compliance = self._number(fields[0]), as_truth(fields[1])
        if self._number(fields[3]):
            self.check_errors()
        if not self._number(fields[2]):
            self.ready_for = 0.0
            raise InstrumentError(
                f"The output of {self.name} went off by itself: overload, interlock, or the OUTPUT "
                "key. Look at its display, then prepare it again."
            )
        if not abs(current) < OVERFLOW and not in_compliance:
            raise ReplyError(
                f"{self.name} reports an overflow ({fields[0]}) at {voltage:g} V without being in "
                "compliance. Was its current range changed by hand? Prepare it again."
            )
        return current if abs(current) < OVERFLOW else math.copysign(math.inf, current), (
            in_compliance
        )

    def off(self) -> None:
        """Level to 0 V and output off. Safe at any time."""
        self.ready_for = 0.0
        self.write("smua.source.levelv = 0 smua.source.output = smua.OUTPUT_OFF")

    def shutdown(self) -> None:
        """Output off, as PyMeasure calls it at the end of a ``with`` block."""
        self.off()
        super().shutdown()

    def load_script(self, name: str, text: str) -> None:
        """Upload a TSP script and run it once, which defines the functions in it.

        Raises ConfigurationError for an impossible name or text, ReportedError if the instrument
        does not accept the script.
        """
        lines = text.splitlines()
        if not NAME.fullmatch(name) or any(line.strip() == "endscript" for line in lines):
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
        if not NAME.fullmatch(function):
            raise ConfigurationError(f"{function!r} is not the name of a script function.")
        self.write(f"{function}({', '.join(map(_as_lua, arguments))})")
        return [self.read().strip() for _ in range(replies)]

    def _next_error(self) -> str | None:
        reply = self.ask("print(errorqueue.next())").strip()
        fields = reply.split("\t")
        if len(fields) < 2:
            raise ReplyError(f"{self.name} answered {reply!r} for an entry of its error queue.")
        code = int(self._number(fields[0]))  # text for "no error" differs between topics
        return f"{code}, {fields[1]}" if code else None

    def _number(self, text: str) -> float:
        try:
            return float(text)
        except ValueError:
            raise ReplyError(
                f"{self.name} answered {text!r} where a number was expected."
            ) from None

    def _check_ready(self, voltage: Volts) -> None:
        if not self.ready_for:
            raise InstrumentError(f"The output of {self.name} is off: prepare it before reading.")
        self._check_rating("Voltage", voltage, "V", self.ready_for)

    def _check_rating(self, quantity: str, value: float, symbol: str, bound: float) -> None:
        if not abs(value) <= bound:
            raise LimitError(
                f"{quantity} of {format_quantity(value, symbol)} refused: the limit is "
                f"±{format_quantity(bound, symbol)}, set by the model or the prepared range of "
                f"{self.name}. Lower it, or prepare a larger range."
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


def read_numbers(reply: str) -> Sequence[float]:
    """The numbers of a ``printbuffer`` reply. Raises ReplyError."""
    try:
        return [float(text) for text in reply.split(",")]
    except ValueError:
        raise ReplyError(f"{reply!r} is not a list of readings.") from None
