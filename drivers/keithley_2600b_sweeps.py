"""Sweeps and pulse sweeps of a prepared Keithley 2600B, run by its trigger model.

The instrument sources and measures by itself, point after point; pulses are timed by its own
timers, after the manual's recipe: a period timer starts each pulse, a width timer ends it. All
limits are checked before anything is sent, and the current limit is the one of
`Keithley2600B.prepare`, as are ranges and integration time. Pulses are 100 µs and longer: this is
no pulse generator, and rise and fall depend on range, load and limit.
"""

import contextlib
import math
import time
from collections.abc import Sequence

import numpy as np

from crossbar.errors import InstrumentError, LimitError, ReplyError
from crossbar.units import Seconds, Volts, format_quantity
from drivers.current_limit import OVERFLOW
from drivers.keithley_2600b import Keithley2600B, Preparation
from drivers.keithley_2600b_buffers import BufferReadings, read_buffer
from drivers.keithley_2600b_ratings import SHORTEST_PULSE

BUFFER = "smua.nvbuffer1"
SLOWEST_LINE = 50.0
"""Hertz: an integration time in power line cycles is at most this long."""
READING_OVERHEAD: Seconds = 1e-4
"""Beside the integration: 7,000 source-measure points a second at 0.001 NPLC (data sheet)."""
POINT_OVERHEAD: Seconds = 1e-3
"""Time per point that is not integration or delay, estimated generously, for the patience."""
POLL: Seconds = 0.02
PATIENCE: Seconds = 5.0
"""On top of twice the estimated duration."""
MOST_PULSES = 1_048_576
"""The period timer counts to 20 bits."""
NUMBERS_PER_LINE = 40
"""Messages stay below a kilobyte. Not confirmed: the manual gives no length of a line."""
NEGATIVE_ZERO: Volts = -1e-18
"""Bias for negative pulses: 0 counts as positive, and a change of polarity costs 100 µs."""
CONFIGURATION = (
    f"{BUFFER}.clear() {BUFFER}.appendmode = 1 "
    f"{BUFFER}.collecttimestamps = 1 {BUFFER}.collectsourcevalues = 1",
    f"smua.trigger.measure.i({BUFFER}) smua.trigger.measure.action = smua.ENABLE",
    "smua.trigger.source.action = smua.ENABLE smua.trigger.source.limiti = smua.LIMIT_AUTO",
    "smua.trigger.arm.stimulus = 0 smua.trigger.arm.count = 1 smua.trigger.measure.stimulus = 0",
    "smua.trigger.endsweep.action = smua.SOURCE_IDLE",
)
STAIRCASE = (
    "smua.trigger.source.stimulus = 0 smua.trigger.endpulse.stimulus = 0",
    "smua.trigger.endpulse.action = smua.SOURCE_HOLD",
)


def linear_sweep(smu: Keithley2600B, start: Volts, stop: Volts, points: int) -> BufferReadings:
    """Currents at ``points`` equally spaced levels, both ends included; 0 V afterwards.

    Raises LimitError before anything is sent, InstrumentError if the output is or goes off or the
    sweep does not end, ReportedError, ReplyError.
    """
    preparation = smu.require_prepared()
    _check_levels(smu, [start, stop])
    _check_points(points, math.inf)
    source = f"smua.trigger.source.linearv({start:.9g}, {stop:.9g}, {points})"
    return _sweep(smu, preparation, [source, *STAIRCASE], points)


def list_sweep(smu: Keithley2600B, levels: Sequence[Volts]) -> BufferReadings:
    """Currents at the levels, in their order; 0 V afterwards. Raises as `linear_sweep`."""
    preparation = smu.require_prepared()
    _check_levels(smu, levels)
    return _sweep(smu, preparation, [*_listed(levels), *STAIRCASE], len(levels))


def pulse_sweep(
    smu: Keithley2600B, levels: Sequence[Volts], *, width: Seconds, period: Seconds
) -> BufferReadings:
    """One pulse from 0 V for each level, with the current measured near its end.

    The levels of one call have one sign. Raises as `linear_sweep`; LimitError also where the
    model's operating areas do not allow pulses that long or that often, and where the reading does
    not fit into a pulse. Pulses are never repeated: after an error it is not known how many came.
    """
    preparation = smu.require_prepared()
    _check_pulses(smu, preparation, levels, width, period)
    bias = NEGATIVE_ZERO if min(levels) < 0 else 0.0
    configuration = [*_listed(levels), *_pulsed(len(levels), width, period)]
    return _sweep(smu, preparation, configuration, len(levels), bias=bias, period=period)


def _check_levels(smu: Keithley2600B, levels: Sequence[Volts]) -> None:
    """Within the prepared range, and where the output may stay."""
    _check_points(len(levels), math.inf)
    for level in levels:
        smu.check_level(level)
    smu.ratings.check_steady(max(map(abs, levels)), smu.require_prepared().current_limit)


def _check_points(points: int, most: float) -> None:
    if not 1 <= points <= most or points != int(points):
        raise LimitError(
            f"A sweep of {points} points refused: there must be 1 or more"
            + (f", and at most {most:g}." if most < math.inf else ".")
        )


def _check_pulses(
    smu: Keithley2600B,
    preparation: Preparation,
    levels: Sequence[Volts],
    width: Seconds,
    period: Seconds,
) -> None:
    _check_points(len(levels), MOST_PULSES)
    for level in levels:
        smu.check_level(level)
    if min(levels) < 0 < max(levels):
        raise LimitError(
            "Pulses of both signs in one sweep refused: a change of polarity costs this instrument "
            "100 µs of the pulse. Send positive and negative levels in sweeps of their own."
        )
    reading = _reading_time(preparation)
    if not max(SHORTEST_PULSE, reading) <= width < period < math.inf:
        raise LimitError(
            f"Pulses of {format_quantity(width, 's')} every {format_quantity(period, 's')} "
            f"refused: {smu.name} needs {format_quantity(SHORTEST_PULSE, 's')} for a pulse, "
            f"{format_quantity(reading, 's')} for the reading in it (integration and measure "
            "delay), and a pause after it. Lengthen width and period, or prepare less integration."
        )
    highest = max(map(abs, levels))
    smu.ratings.check_pulses(highest, preparation.current_limit, width, period)


def _reading_time(preparation: Preparation) -> Seconds:
    return preparation.measure_delay + preparation.nplc / SLOWEST_LINE + READING_OVERHEAD


def _listed(levels: Sequence[Volts]) -> list[str]:
    """Hand over a list in lines of bearable length."""
    texts = [f"{level:.9g}" for level in levels]
    parts = [
        f"for _, v in ipairs({{{', '.join(texts[first : first + NUMBERS_PER_LINE])}}}) do "
        "table.insert(sweep_levels, v) end"
        for first in range(0, len(texts), NUMBERS_PER_LINE)
    ]
    return [
        "sweep_levels = {}",
        *parts,
        "smua.trigger.source.listv(sweep_levels) sweep_levels = nil",
    ]


def _pulsed(count: int, width: Seconds, period: Seconds) -> list[str]:
    """The first timer starts each pulse, beginning with the arming; the second one ends it."""
    return [
        "trigger.timer[1].reset() trigger.timer[2].reset()",
        # A count of 0 would be endless; one event after the last pulse starts nothing.
        f"trigger.timer[1].delay = {period:.9g} trigger.timer[1].count = {max(1, count - 1)}",
        "trigger.timer[1].passthrough = true "
        "trigger.timer[1].stimulus = smua.trigger.ARMED_EVENT_ID",
        f"trigger.timer[2].delay = {width:.9g} "
        "trigger.timer[2].stimulus = trigger.timer[1].EVENT_ID",
        "smua.trigger.source.stimulus = trigger.timer[1].EVENT_ID",
        "smua.trigger.endpulse.stimulus = trigger.timer[2].EVENT_ID",
        "smua.trigger.endpulse.action = smua.SOURCE_IDLE",
    ]


def _sweep(
    smu: Keithley2600B,
    preparation: Preparation,
    configuration: Sequence[str],
    points: int,
    *,
    bias: Volts = 0.0,
    period: Seconds = 0.0,
) -> BufferReadings:
    """Configure, run, wait, fetch. Whatever happens, the level is 0 V afterwards."""
    for line in (*CONFIGURATION, *configuration, f"smua.trigger.count = {points}"):
        smu.write(line)
    capacity = int(smu.number(smu.ask(f"print({BUFFER}.capacity)")))
    smu.check_errors()
    _check_points(points, capacity)
    duration = points * max(period, _reading_time(preparation) + POINT_OVERHEAD)
    try:
        smu.write(f"smua.source.levelv = {bias:.9g} smua.trigger.initiate()")
        _wait(smu, duration)
    except BaseException:
        with contextlib.suppress(InstrumentError):  # the first error is the one to tell
            smu.write("smua.abort() smua.source.levelv = 0")
        raise
    smu.write("smua.source.levelv = 0")
    smu.check_output()
    smu.check_errors()
    return _unclamped(smu, preparation, read_buffer(smu, BUFFER), points)


def _wait(smu: Keithley2600B, duration: Seconds) -> None:
    """Until the sweep is over. Asking does not disturb it."""
    polls = math.ceil((2 * duration + PATIENCE) / POLL)
    for _ in range(polls):
        if not smu.number(smu.ask("print(status.operation.sweeping.condition)")):
            return
        time.sleep(POLL)
    raise InstrumentError(
        f"A sweep of {smu.name} that should take {format_quantity(duration, 's')} did not end. It "
        "was stopped. Does it wait for a trigger, or is a measure range set to autorange?"
    )


def _unclamped(
    smu: Keithley2600B, preparation: Preparation, found: BufferReadings, points: int
) -> BufferReadings:
    """The readings, with the limit where a clamped one overflowed its range."""
    if len(found) != points:
        raise ReplyError(f"{smu.name} has {len(found)} readings of a sweep of {points} points.")
    beyond = np.abs(found.readings) >= OVERFLOW
    if np.any(beyond & ~found.in_compliance):
        raise ReplyError(
            f"{smu.name} reports an overflow without being in compliance. Was its current range "
            "changed by hand? Prepare it again."
        )
    found.readings[beyond] = np.copysign(preparation.current_limit, found.readings[beyond])
    return found
