"""Keysight B1530A WGFMU in a B1500A, through its maker's instrument library (`wgfmu_library`).

No message of the mainframe programs its patterns; the published contract is the library's C
functions. What is known only from memory (edges, shortest pulse, output impedance) is marked so.
"""

import ctypes
from typing import Any

from crossbar.errors import (
    ConfigurationError,
    InstrumentError,
    NotConnectedError,
    ReplyError,
    ReportedError,
    WrongInstrumentError,
)
from crossbar.pulses import Pulse
from crossbar.units import Amperes, Ohms, Seconds, Volts, format_quantity
from drivers.hardware_range import hardware_range
from drivers.keysight_b1500a import whole_steps
from drivers.packages import missing_verbs
from drivers.protection import Protection
from drivers.pulse_range import PulseRange
from drivers.visa import is_resource_name
from drivers.wgfmu_library import (
    AVERAGED,
    COMPLETED,
    CURRENT_RANGES,
    DONE,
    FAST_IV,
    FORCE_3V,
    FORCE_5V,
    MEASURES_CURRENT,
    NAME,
    PG,
    call,
    error_summary,
    load_library,
    whole_from,
)

FORCE_RANGES: dict[int, Volts] = {FORCE_3V: 3.0, FORCE_5V: 5.0}
"""Those that are symmetric; ±5 V is all that pulse mode has."""
SOURCE_IMPEDANCE: Ohms = 50.0
"""In pulse mode; not confirmed."""
EDGE: Seconds = 20e-9
"""Not confirmed to be reached by the output; the library takes 10 ns and more."""
SETTLING: Seconds = 100e-6
"""From the edge of a reading to its first sample. Ours."""
AVERAGING: Seconds = 1e-3
"""Of a reading; the library takes up to 20.97 ms."""
READ_EDGE: Seconds = 1e-6
MAX_READ: Volts = 5.0
VERBS = ("WGFMU_createPattern", "WGFMU_addSequence", "WGFMU_execute", "WGFMU_getMeasureValues")
PULSE, READING, EVENT = "crossbar_pulse", "crossbar_reading", "current"


class KeysightWgfmu:
    """One WGFMU channel; constructed on the library's object with a session open.

    Pulses go out in pulse mode (PG), behind 50 Ohm, as a pattern from 0 V to the amplitude and back
    that runs once; amplitudes are *open-circuit volts*. Readings are short pulses in Fast I/V mode,
    whose current is averaged over their end. The channel is disconnected outside of both.

    There is no compliance: nothing limits the current into the cell. ``max_current`` chooses the
    measurement range, and a reading at its end is reported as clamped.

    A pulse is never repeated: after an exception the state of the cell is unknown.
    """

    reach = PulseRange(name=NAME, smallest=0.01, largest=5.0, shortest=100e-9, longest=1.0)
    """100 ns is not confirmed; 1 s is ours."""

    def __init__(self, library: Any, *, channel: int | None = None) -> None:
        """``channel`` is slot * 100 + output, such as 501; without it the first one is taken."""
        self.library = library
        self._chosen = channel
        self._channel: int | None = None
        self._max_amplitude: Volts | None = None
        self._ranges: tuple[int, int] = (FORCE_5V, max(CURRENT_RANGES))

    @staticmethod
    def open_library(address: str) -> Any:
        """The library, its session with the mainframe at a VISA address open.

        Raises ConfigurationError for what is no address, and NotConnectedError.
        """
        if not is_resource_name(address):
            raise ConfigurationError(
                f"{address!r} is not the address of a {NAME}: write the VISA address of its "
                "B1500A, such as GPIB0::17::INSTR."
            )
        library = load_library()
        try:
            call(library, "openSession", address)
        except ReportedError as error:
            raise NotConnectedError(
                f"{NAME} at {address} does not answer: is the B1500A on, is EasyEXPERT closed, and "
                f"is its address right in bench.toml? ({error})"
            ) from error
        return library

    @property
    def identity(self) -> str:
        """Get which library and channels answer: a channel has no identity to ask for."""
        return f"{NAME} ({type(self.library).__qualname__}, channels {self._channels()})"

    def check_identity(self) -> None:
        """Raise WrongInstrumentError unless the library has its functions and the channel."""
        missing = missing_verbs(self.library, VERBS)
        if missing:
            raise WrongInstrumentError(
                f"{type(self.library).__qualname__} lacks {', '.join(missing)}; the {NAME} library "
                "is expected. Construct the driver on what open_library gives."
            )
        _ = self.channel

    def check_errors(self) -> list[Any]:
        """Raise ReportedError if the library has noted an error since it was asked last."""
        if summary := error_summary(self.library):
            raise ReportedError(f"The {NAME} reported {summary!r} since the last check.")
        return []

    @property
    def channel(self) -> int:
        """The channel in use. Raises WrongInstrumentError if the mainframe does not have it."""
        if self._channel is None:
            found = self._channels()
            chosen = self._chosen if self._chosen is not None else next(iter(found), None)
            if chosen not in found:
                raise WrongInstrumentError(
                    f"The mainframe has the WGFMU channels {found or 'none'}, and {chosen} was to "
                    "be used. A B1530A is needed; correct the channel or the address."
                )
            self._channel = chosen
        return self._channel

    def prepare(self, max_amplitude: Volts = 5.0, max_current: Amperes = 1e-3) -> None:
        """Reset the channels, choose force and current ranges and read them back; disconnected.

        Raises LimitError before anything is sent, ReportedError, or InstrumentError if a range did
        not hold.
        """
        hardware_range("largest amplitude", "V", NAME)(
            max_amplitude, (self.reach.smallest, self.reach.largest)
        )
        hardware_range("current limit", "A", NAME)(
            max_current, (1e-9, max(CURRENT_RANGES.values()))
        )
        self._max_amplitude = None
        self.off()
        force = next(n for n, volts in FORCE_RANGES.items() if max_amplitude <= volts)
        current = next(n for n, most in CURRENT_RANGES.items() if max_current <= most * 1.000001)
        self._ranges = force, current
        for mode in (FAST_IV, PG):
            self._set_up(mode)
        found = (
            whole_from(self.library, "getForceVoltageRange", self.channel),
            whole_from(self.library, "getMeasureCurrentRange", self.channel),
        )
        if found != self._ranges:
            raise InstrumentError(
                f"The {NAME} was told the ranges {self._ranges}, but reads back {found}. Do not "
                "use it; is another program connected to the mainframe?"
            )
        self._max_amplitude = max_amplitude

    def protections(self) -> tuple[Protection, ...]:
        """The force range, read back: no level beyond it comes out. There is no current limit."""
        number = whole_from(self.library, "getForceVoltageRange", self.channel)
        if number not in FORCE_RANGES:
            return ()
        most = FORCE_RANGES[number]
        return (
            Protection(name="highest level", value=most, unit="V"),
            Protection(name="lowest level", value=-most, unit="V"),
        )

    def apply(self, pulse: Pulse) -> None:
        """Send one pulse of open-circuit volts; return when it is over and disconnected.

        Raises LimitError before anything is sent, InstrumentError, and ReportedError.
        """
        self.reach.check(pulse)
        self.reach.check_prepared(pulse, self._require_prepared())
        width = whole_steps(pulse.width, NAME)
        amplitude = float(pulse.amplitude)
        # At half amplitude the pulse is as wide as its flat part and one edge.
        vectors = [(EDGE, amplitude), (width - EDGE, amplitude), (EDGE, 0.0), (EDGE, 0.0)]
        try:
            self._pattern(PULSE, vectors)
            self._check_pattern(PULSE, amplitude)
            self._run(PULSE, PG)
        except BaseException:
            self.off()
            raise

    def measure(self, voltage: Volts) -> tuple[Amperes, bool]:
        """Current at this voltage, and whether it is at the end of its range; 0 V afterwards.

        Raises LimitError and InstrumentError before anything is sent, ReportedError, ReplyError.
        """
        most = min(self._require_prepared(), MAX_READ)
        hardware_range("voltage", "V", NAME)(voltage, (-most, most))
        level = float(voltage)
        vectors = [(READ_EDGE, level), (SETTLING + AVERAGING, level), (READ_EDGE, 0.0)]
        try:
            self._pattern(READING, vectors)
            start = READ_EDGE + SETTLING
            event = (READING, EVENT, start, 1, AVERAGING, AVERAGING, AVERAGED)
            call(self.library, "setMeasureEvent", *event)
            current = self._run(READING, FAST_IV)[-1]
        except BaseException:
            self.off()
            raise
        full_scale = CURRENT_RANGES[self._ranges[1]]
        return current, abs(current) >= full_scale

    def off(self) -> None:
        """Stop what runs and disconnect every channel. Safe at any time.

        Errors noted earlier are dropped: they must not keep the outputs from being switched off.
        """
        self.library.WGFMU_abortChannel(self.channel)  # an error where nothing runs
        call(self.library, "initialize")
        error_summary(self.library)

    def shutdown(self) -> None:
        """Leave the outputs off, and close the session."""
        self.off()
        call(self.library, "closeSession")

    def _channels(self) -> list[int]:
        count = whole_from(self.library, "getChannelIdSize")
        if count <= 0:
            return []
        ids, size = (ctypes.c_int * count)(), (ctypes.c_int * 1)(count)
        call(self.library, "getChannelIds", ids, size)
        return list(ids)[: size[0]]

    def _require_prepared(self) -> Volts:
        if self._max_amplitude is None:
            raise InstrumentError(f"The {NAME} has no limits yet: prepare it first.")
        return self._max_amplitude

    def _set_up(self, mode: int) -> None:
        """Mode and ranges; the library transfers them to the channel when it runs."""
        force, current = self._ranges
        call(self.library, "setOperationMode", self.channel, mode)
        call(self.library, "setForceVoltageRange", self.channel, force)
        call(self.library, "setMeasureMode", self.channel, MEASURES_CURRENT)
        call(self.library, "setMeasureCurrentRange", self.channel, current)
        call(self.library, "setMeasureEnabled", self.channel, int(mode == FAST_IV))

    def _pattern(self, name: str, vectors: list[tuple[Seconds, Volts]]) -> None:
        """One pattern from 0 V, and nothing else left in the library."""
        call(self.library, "clear")
        call(self.library, "createPattern", name, 0.0)
        for duration, volts in vectors:
            call(self.library, "addVector", name, duration, volts)

    def _check_pattern(self, name: str, amplitude: Volts) -> None:
        """The library rounds what it is given: InstrumentError if its levels are others."""
        size = whole_from(self.library, "getPatternForceValueSize", name)
        times, levels = (ctypes.c_double * max(size, 1))(), (ctypes.c_double * max(size, 1))()
        length = (ctypes.c_int * 1)(size)
        call(self.library, "getPatternForceValues", name, 0, length, times, levels)
        allowed = (0.0, amplitude)
        if size < 4 or any(min(abs(v - a) for a in allowed) > 1e-3 for v in levels):
            raise InstrumentError(
                f"The {NAME} holds the levels {[round(v, 4) for v in levels]} V for a pulse of "
                f"{amplitude:g} V. It was not sent; is another program using the library?"
            )

    def _run(self, name: str, mode: int) -> list[Amperes]:
        """Run a pattern once; currents, where there are any."""
        channel = self.channel
        call(self.library, "addSequence", channel, name, 1.0)
        self._set_up(mode)
        call(self.library, "connect", channel)
        call(self.library, "execute")
        call(self.library, "waitUntilCompleted")
        self._check_completed()
        currents = self._currents() if mode == FAST_IV else []
        call(self.library, "disconnect", channel)
        return currents

    def _check_completed(self) -> None:
        state, spent, total = (ctypes.c_int * 1)(), (ctypes.c_double * 1)(), (ctypes.c_double * 1)()
        call(self.library, "getChannelStatus", self.channel, state, spent, total)
        if state[0] not in (COMPLETED, DONE):
            raise InstrumentError(
                f"The {NAME} stopped with status {state[0]} after {format_quantity(spent[0], 's')}"
                f" of {format_quantity(total[0], 's')}. The state of the cell is unknown."
            )

    def _currents(self) -> list[Amperes]:
        done, total = (ctypes.c_int * 1)(), (ctypes.c_int * 1)()
        call(self.library, "getMeasureValueSize", self.channel, done, total)
        if done[0] < 1 or done[0] != total[0]:
            raise ReplyError(
                f"The {NAME} has {done[0]} of {total[0]} readings after it completed. Prepare it "
                "again."
            )
        times, values = (ctypes.c_double * done[0])(), (ctypes.c_double * done[0])()
        size = (ctypes.c_int * 1)(done[0])
        call(self.library, "getMeasureValues", self.channel, 0, size, times, values)
        currents = list(values)
        if any(current != current for current in currents):
            raise ReplyError(f"The {NAME} answered NaN for a current. Prepare it again.")
        return currents
