"""Keysight B1500A: an SMU that reads cells and an SPGU that writes them, in one mainframe (FLEX).

Commands after PyMeasure 0.16, QCoDeS 0.58 and the public pages of the programming guide; which
limits of the SPGU are not confirmed is said where they stand.
"""

import re
import time
from typing import Any

from pymeasure.instruments import Instrument

from crossbar.errors import InstrumentError, LimitError, ReplyError
from crossbar.pulses import Pulse
from crossbar.units import Amperes, Seconds, Volts, format_quantity
from drivers.hardware_range import hardware_range
from drivers.identity import identity_asked_once, model_field, wrong_instrument
from drivers.protection import Protection
from drivers.pulse_range import PulseRange
from drivers.scpi_error_queue import raise_reported

NAME = "Keysight B1500A"
SMUS = ("B1517A", "B1511A", "B1511B", "B1510A")
PULSE_UNIT = "B1525A"
CURRENT_LIMITS: tuple[Amperes, Amperes] = (1e-9, 0.1)
"""Up to 20 V. The lower end is ours: the SMUs go further down."""
MAX_READ: Volts = 20.0
"""Ours: beyond, the SMUs' largest current becomes less, and beyond 42 V the interlock counts."""
MAX_LEVEL: Volts = 40.0
"""Largest magnitude of an SPGU's level, open circuit."""
EDGE: Seconds = 20e-9
"""The SPGU's own default; faster ones are not available at all levels."""
GRID: Seconds = 10e-9
"""Widths are asked for in whole steps of this; the SPGU's own resolution is not confirmed."""
GRID_TOLERANCE = 1e-6
HIGH_IMPEDANCE = 1e6
"""Largest value of ``SER``: programmed volts are then open-circuit volts to 0.005 %."""
LONGEST_WIDTH: Seconds = 1.0
"""Ours; periods reach 10 s."""
READBACK = 1e-3
"""How closely settings must read back, relatively."""
POLL: Seconds = 1e-3
PATIENCE: Seconds = 5.0
"""On top of the pulse: then it counts as never ended."""
MOST_OLD_ERRORS = 64
DATUM = re.compile(r"([A-Z])([A-Ja-j])I([+-]\d{1,3}\.\d+E[+-]\d{2,3})")
NUMBERS = re.compile(r"(CL|D[VI])\s*(\d+)(?:,(.*))?")
TO_NOTHING, TO_SMU, TO_PULSES = 0, 1, 2


class KeysightB1500A(Instrument):
    """One SMU and one SPGU output of a B1500A: they read and write the same cell, in turns.

    Only one of the two is ever connected: the SMU's switch opens before a pulse and the SPGU's
    before a reading, so that neither loads the other. With ``selector`` a 16440A stands in between
    (first port), which is then switched along.

    Amplitudes are *open-circuit volts*: the SPGU is told of a load of 1 MOhm (``SER``), so that it
    does not send twice what it is asked for into a cell of high impedance. It has no limits of its
    own: `prepare` notes the largest amplitude, and `apply` reads every level back before it starts
    the pulse. The SMU's compliance is in every command that sets its voltage.

    Not a subclass of PyMeasure's ``AgilentB1500``: that one logs what data says of compliance, and
    sends periods as ``%f``, which makes those below 0.5 us zero.

    A command that failed is never repeated: after an exception the state of the cell is unknown.
    """

    reach = PulseRange(
        name=NAME, smallest=0.01, largest=MAX_LEVEL, shortest=50e-9, longest=LONGEST_WIDTH
    )
    """50 ns and 10 mV are not confirmed."""

    def __init__(
        self,
        adapter: Any,
        name: str = NAME,
        *,
        smu: int | None = None,
        pulse_output: int | None = None,
        selector: bool = False,
        **kwargs: Any,
    ) -> None:
        """``smu`` is a slot (1 to 10) and ``pulse_output`` an SPGU's channel such as 401; without
        them the first of each is taken.
        """
        super().__init__(adapter, name, includeSCPI=False, **kwargs)
        self._chosen = (smu, pulse_output)
        self._units: tuple[int, int] | None = None
        self._selector = selector
        self._max_amplitude: Volts | None = None
        self._max_current: Amperes | None = None

    identity = identity_asked_once()

    def check_identity(self) -> None:
        """Raise WrongInstrumentError unless a B1500A answers."""
        if model_field(self.identity) != "B1500A":
            raise wrong_instrument(self.identity, NAME)

    def check_errors(self) -> list[Any]:
        """Empty the error queue; raise ReportedError if there was an entry."""
        self._check("since the last check")
        return []

    @property
    def modules(self) -> dict[int, str]:
        """Get the model in each slot that is not empty (``UNT?``). Raises ReplyError."""
        reply = self.ask("UNT?").strip()
        found = [entry.split(",")[0].strip() for entry in reply.split(";")]
        if len(found) != 10:
            raise ReplyError(
                f"The {NAME} answered {reply[:80]!r} when asked for its modules; expected ten "
                "entries such as B1517A,0. Clear the connection and reopen it."
            )
        return {slot: model for slot, model in enumerate(found, 1) if model != "0"}

    @property
    def smu(self) -> int:
        """The slot of the SMU in use. Raises InstrumentError if there is none."""
        return self._channels()[0]

    @property
    def pulse_output(self) -> int:
        """The SPGU channel in use. Raises InstrumentError if there is none."""
        return self._channels()[1]

    def prepare(self, max_amplitude: Volts = MAX_LEVEL, max_current: Amperes = 1e-3) -> None:
        """Restore defaults, set the SMU's compliance and read it back; the SMU stays on at 0 V.

        ``max_amplitude`` is the largest magnitude that `apply` and `measure` will pass. Raises
        LimitError before anything is sent, ReportedError, or InstrumentError if the compliance did
        not hold; the outputs are off then.
        """
        hardware_range("largest amplitude", "V", NAME)(
            max_amplitude, (self.reach.smallest, MAX_LEVEL)
        )
        hardware_range("current limit", "A", NAME)(max_current, CURRENT_LIMITS)
        self._max_amplitude = self._max_current = None
        try:
            self.write("*RST")
            self._forget_errors()
            if self._selector:
                self.write("ERMOD 1")
            # Self-calibration every 30 minutes would come between readings: CM 0.
            self._command("FMT 1,0;TM 1;CM 0;AV -1;SIM 0;SPRM 1,1")
            self._route(TO_SMU)
            self._command(f"CN {self.smu};DV {self.smu},0,0,{max_current:.9g}")
            self._check_compliance(max_current)
        except BaseException:
            self.off()
            raise
        self._max_amplitude, self._max_current = max_amplitude, max_current

    def protections(self) -> tuple[Protection, ...]:
        """The SMU's compliance, read back; none while its switch is open. The SPGU has none."""
        learned = self._learned()
        if learned is None:
            return ()
        return (Protection(name="current limit", value=learned, unit="A"),)

    def measure(self, voltage: Volts) -> tuple[Amperes, bool]:
        """Current at this voltage, and whether the compliance clamped it; 0 V afterwards.

        Raises LimitError and InstrumentError before anything is sent, ReportedError, ReplyError.
        """
        max_amplitude, limit = self._require_prepared()
        most = min(max_amplitude, MAX_READ)
        hardware_range("voltage", "V", NAME)(voltage, (-most, most))
        try:
            self._route(TO_SMU)
            self._command(f"CL {self.pulse_output};CN {self.smu}")
            self._command(f"DV {self.smu},0,{voltage:.9g},{limit:.9g}")
            current, in_compliance = self._current(self.ask(f"TI {self.smu},0"), limit)
            self._command(f"DV {self.smu},0,0,{limit:.9g}")
        except BaseException:
            self.off()
            raise
        return current, in_compliance

    def apply(self, pulse: Pulse) -> None:
        """Send one pulse of open-circuit volts; return when it is over and the SPGU is off.

        Raises LimitError before anything is sent, ReportedError, and InstrumentError if levels or
        times did not read back as they were set: then it was not started.
        """
        self.reach.check(pulse)
        max_amplitude, _ = self._require_prepared()
        self.reach.check_prepared(pulse, max_amplitude)
        width = whole_steps(pulse.width)
        output = self.pulse_output
        try:
            self._command(f"CL {self.smu};CL {output}")
            self._route(TO_PULSES)
            self._set_up(output, pulse.amplitude, width)
            self._command(f"CN {output};SPUPD {output}")
            self._command("SRP")
            self._wait(width)
            self._command(f"SPP;CL {output}")
        except BaseException:
            self.off()
            raise

    def off(self) -> None:
        """Stop pulses, go to 0 V and open every output switch. Safe at any time.

        Errors noted earlier are dropped: they must not keep the outputs from being switched off.
        """
        self.write("SPP")
        self.write("DZ")
        self.write("CL")
        if self._selector:
            self.write(f"ERSSP 0,{TO_NOTHING}")
        self._forget_errors()

    def shutdown(self) -> None:
        """Leave the outputs off."""
        self.off()
        super().shutdown()

    def _channels(self) -> tuple[int, int]:
        """SMU and SPGU output, looked up once."""
        if self._units is None:
            modules = self.modules
            smu, output = self._chosen
            smus = [slot for slot, model in modules.items() if model in SMUS]
            outputs = [100 * slot + 1 for slot, model in modules.items() if model == PULSE_UNIT]
            smu = smu or next(iter(smus), None)
            output = output or next(iter(outputs), None)
            if smu not in smus or output is None or modules.get(output // 100) != PULSE_UNIT:
                raise InstrumentError(
                    f"The {NAME} has {', '.join(f'{m} in {s}' for s, m in modules.items())}, and "
                    f"SMU {smu} and SPGU output {output} were to be used. An SMU and a B1525A are "
                    "needed; correct the slots, or drive pulses from another instrument."
                )
            self._units = smu, output
        return self._units

    def _set_up(self, output: int, amplitude: Volts, width: Seconds) -> None:
        """Everything about the pulse, and read back: the SPGU keeps no limit of its own.

        All of it every time: a mainframe that was switched off and on would run freely instead.
        """
        period = max(2 * width, 1e-6)
        self._command(f"SIM 0;SPRM 1,1;SPPER {period:.9g};SPM {output},1")
        self._command(
            f"SER {output},{HIGH_IMPEDANCE:.9g};SPT {output},1,0,{width:.9g},{EDGE:g},{EDGE:g};"
            f"SPV {output},1,0,{amplitude:.9g}"
        )
        expected = {
            f"SPV? {output},1": (0.0, amplitude),
            f"SPT? {output},1": (0.0, width, EDGE, EDGE),
            f"SER? {output}": (HIGH_IMPEDANCE,),
            f"SPM? {output}": (1.0,),
            "SPRM?": (1.0, 1.0),
        }
        for query, values in expected.items():
            reply = self.ask(query).strip()
            if not same_numbers(reply, values):
                raise InstrumentError(
                    f"The {NAME} answered {reply[:60]!r} to {query}, but was told "
                    f"{', '.join(f'{value:g}' for value in values)}. The pulse was not sent. Is "
                    "another program using the instrument?"
                )

    def _wait(self, width: Seconds) -> None:
        """Until the SPGU has sent its pulse; InstrumentError if it does not end."""
        deadline = time.monotonic() + width + PATIENCE
        while (state := self.ask("SPST?").strip()) not in ("0", "+0"):
            if time.monotonic() > deadline:
                raise InstrumentError(
                    f"The {NAME} still reports a pulse of {format_quantity(width, 's')} under way "
                    f"({state!r}). It was switched off; the state of the cell is unknown."
                )
            time.sleep(max(POLL, width / 10))

    def _route(self, where: int) -> None:
        if self._selector:
            self._command(f"ERSSP 0,{where}")

    def _learned(self) -> Amperes | None:
        """The compliance of the SMU from ``*LRN?``, None while its switch is open."""
        reply = self.ask(f"*LRN? {self.smu}").strip()
        match = NUMBERS.fullmatch(reply)
        fields = (match[3] or "").split(",") if match else []
        try:
            if match and match[1] == "CL" and int(match[2]) == self.smu:
                return None
            if match and match[1] == "DV" and int(match[2]) == self.smu:
                return abs(float(fields[2]))
        except (ValueError, IndexError):
            pass
        raise ReplyError(
            f"The {NAME} answered {reply[:60]!r} when asked how its SMU {self.smu} is set; "
            "expected something like DV1,0,0,0.001,0,0. Prepare it again."
        )

    def _check_compliance(self, max_current: Amperes) -> None:
        found = self._learned()
        if found is None or abs(found - max_current) > READBACK * max_current:
            read = "an open switch" if found is None else format_quantity(found, "A")
            raise InstrumentError(
                f"The {NAME} was told to limit the current to {format_quantity(max_current, 'A')}, "
                f"but reads back {read}. Its outputs stay off; check its firmware."
            )

    def _require_prepared(self) -> tuple[Volts, Amperes]:
        if self._max_amplitude is None or self._max_current is None:
            raise InstrumentError(f"The {NAME} has no limits yet: prepare it first.")
        return self._max_amplitude, self._max_current

    def _current(self, reply: str, limit: Amperes) -> tuple[Amperes, bool]:
        """The reading in a reply such as ``NAI+001.234E-06``. Raises ReplyError."""
        match = DATUM.fullmatch(reply.strip())
        if match is None or match[1] not in "NTC":
            raise ReplyError(
                f"The {NAME} answered {reply[:60]!r} to a measurement; expected something like "
                "NAI+001.234E-06 (V would be an overflow, X an oscillation). Its outputs were "
                "switched off; check the wiring and prepare it again."
            )
        return float(match[3]), match[1] == "C"

    def _command(self, line: str) -> None:
        """Send a line and look into the error queue."""
        self.write(line)
        self._check(line)

    def _check(self, doing: str) -> None:
        raise_reported(self.ask("ERRX?"), lambda _: self.ask("ERRX?"), NAME, doing=doing)

    def _forget_errors(self) -> None:
        """Read the error queue until it is empty; a queue that never ends is left as it is."""
        for _ in range(MOST_OLD_ERRORS):
            if self.ask("ERRX?").strip().startswith(("+0,", "0,")):
                return


def whole_steps(width: Seconds, instrument: str = NAME) -> Seconds:
    """A width as it is; LimitError if it is not on the grid of 10 ns: nothing is rounded."""
    steps = round(width / GRID)
    if abs(steps * GRID - width) > GRID_TOLERANCE * GRID:
        raise LimitError(
            f"A pulse width of {format_quantity(width, 's')} was asked for, but the {instrument} "
            f"takes multiples of {format_quantity(GRID, 's')}. Nothing was sent; ask for one."
        )
    return width


def same_numbers(reply: str, expected: tuple[float, ...]) -> bool:
    """Whether a reply has just these numbers, as closely as settings read back."""
    try:
        found = [float(field) for field in reply.split(",")]
    except ValueError:
        return False
    return len(found) == len(expected) and all(
        abs(a - b) <= READBACK * abs(b) for a, b in zip(found, expected, strict=True)
    )
