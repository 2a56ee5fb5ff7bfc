"""Write attempts timed by the SourceMeter: a TSP script restores and reads, a generator writes."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib import resources
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from crossbar.attempts import AttemptCounts, AttemptPlan
from crossbar.errors import ConfigurationError, ReplyError
from crossbar.geometry import CellAddress, CellIndices, DieGeometry
from crossbar.pulses import Pulse, State
from crossbar.units import Seconds, format_quantity
from drivers.keithley_2600b import Keithley2600B

SCRIPT = "write_attempts"
SHORTEST_RESTORE: Seconds = 100e-6
"""The SMU's shortest pulse."""
MAX_BATCH = 1000
"""Attempts per call of the script."""
BATCH_DURATION: Seconds = 2.5
"""A batch answers after about this time at the latest, well within a link's usual timeout."""
LINE_FREQUENCY = 50.0
"""For the estimate of a batch's duration; 60 Hz lines are faster."""
READING_OVERHEAD: Seconds = 0.5e-3
"""Per reading, on top of integration and delay. Ours; the specifications suggest 0.15 ms."""
TRIGGER_LATENCY: Seconds = 20e-6
"""From the digital line to the end of a generator's edges, generously."""


class TriggeredGenerator(Protocol):
    """A pulse generator that an external trigger fires."""

    def arm_external(self, pulse: Pulse) -> None:
        """Send this pulse, in volts at the generator, at every trigger until `off`."""

    def off(self) -> None:
        """Switch the output off and ignore triggers."""


class BoardSelector(Protocol):
    """A board that connects a cell to the SMU and the generator at once."""

    def select(self, cell: CellAddress) -> None:
        """Connect this cell and no other."""

    def release(self) -> None:
        """Open every path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one call of the script found."""

    rejected: int
    errors: int
    readings: NDArray[np.float64]
    """(attempts, 2) Siemens as in `AttemptCounts.readings`; (0, 2) if they were not kept."""


@dataclass(kw_only=True)
class ScriptedSequencer:
    """Runs attempts cell after cell, thousands per second at 0.001 NPLC, one round trip a batch.

    The SMU must have been prepared; it stays so, at 0 V, unless something goes wrong. A call that
    timed out is not repeated. The SMU's path resistance (tens of ohms) is neglected.
    """

    smu: Keithley2600B
    generator: TriggeredGenerator
    selector: BoardSelector
    geometry: DieGeometry
    digital_line: int = 1
    """The SMU's digital line that goes to the generator's external trigger input."""
    generator_volts: Callable[[Pulse], Pulse]
    """From the pulse at the cell to the pulse at the generator."""
    _uploaded: bool = field(default=False, init=False)

    @property
    def execution(self) -> str:
        """ "instrument": the SMU keeps the time."""
        return "instrument"

    def accepts(self, plan: AttemptPlan) -> bool:
        """Whether the SMU can restore: not shorter than 100 µs, and within its voltage."""
        prepared = self.smu.preparation
        reach = prepared.max_voltage if prepared else self.smu.ratings.max_voltage
        return (
            plan.restore.width >= SHORTEST_RESTORE
            and abs(plan.restore.amplitude) <= reach
            and abs(plan.read_amplitude) <= reach
        )

    def attempt(self, cells: CellIndices, plan: AttemptPlan) -> AttemptCounts:
        """Run the plan on the (n,) cells.

        Raises ConfigurationError for a plan that `accepts` refuses or whose threshold the current
        limit hides, InstrumentError if the SMU is not prepared, ReportedError, ReplyError,
        NoReplyError. After any exception the outputs are off and no cell is selected.
        """
        self._check(plan)
        rejected, errors = np.zeros(len(cells), np.int64), np.zeros(len(cells), np.int64)
        readings: list[NDArray[np.float64]] = []
        with ExitStack() as cleanup:
            cleanup.callback(self.selector.release)
            cleanup.callback(self.generator.off)
            stop_smu = cleanup.enter_context(ExitStack())
            stop_smu.callback(setattr, self, "_uploaded", False)  # who knows what became of it
            stop_smu.callback(self.smu.off)
            stop_smu.callback(self.smu.synchronize)
            self._upload()
            for place, cell in enumerate(cells):
                self.selector.select(self.geometry.address(int(cell)))
                self.generator.arm_external(self.generator_volts(plan.write))
                batches = self._run(plan, float(plan.threshold[place]))
                rejected[place] = sum(batch.rejected for batch in batches)
                errors[place] = sum(batch.errors for batch in batches)
                readings.append(np.concatenate([batch.readings for batch in batches]))
            stop_smu.pop_all()  # nothing went wrong: the SMU stays prepared
        return AttemptCounts(
            attempts=plan.attempts,
            rejected=rejected,
            errors=errors,
            readings=np.stack(readings) if plan.keep_readings and readings else None,
        )

    def _check(self, plan: AttemptPlan) -> None:
        prepared = self.smu.require_prepared()
        if not self.accepts(plan):
            raise ConfigurationError(
                f"The SMU cannot restore with {plan.restore.amplitude:g} V for "
                f"{format_quantity(plan.restore.width, 's')}: it takes "
                f"{format_quantity(SHORTEST_RESTORE, 's')} or more, within "
                f"±{prepared.max_voltage:g} V. Change the restore pulse, or let the board or "
                "software keep the time."
            )
        largest = float(np.max(plan.threshold, initial=0.0)) * abs(plan.read_amplitude)
        if largest >= prepared.current_limit:
            raise ConfigurationError(
                f"A threshold of {format_quantity(largest, 'A')} cannot be told from the current "
                f"limit of {format_quantity(prepared.current_limit, 'A')}. Raise the limit, or "
                "read at a lower voltage."
            )

    def _upload(self) -> None:
        """Once per session; the instrument keeps the functions until it is switched off."""
        if not self._uploaded:
            text = resources.files(__package__).joinpath(f"{SCRIPT}.tsp").read_text("utf-8")
            self.smu.load_script(SCRIPT, text)
            self._uploaded = True
        self.smu.call("prepare_attempts", self.digital_line, replies=0)
        self.smu.check_errors()

    def _run(self, plan: AttemptPlan, threshold: float) -> list[Batch]:
        """All attempts on the selected cell, batch after batch."""
        size = self._batch_size(plan)
        batches = []
        for first in range(0, plan.attempts, size):
            batches.append(self._run_batch(plan, threshold, min(size, plan.attempts - first)))
        return batches or [Batch(rejected=0, errors=0, readings=np.empty((0, 2)))]

    def _batch_size(self, plan: AttemptPlan) -> int:
        prepared = self.smu.require_prepared()
        reading = prepared.nplc / LINE_FREQUENCY + prepared.measure_delay + READING_OVERHEAD
        attempt = plan.restore.width + 2 * reading + plan.write.width + TRIGGER_LATENCY
        return max(1, min(MAX_BATCH, int(BATCH_DURATION / attempt)))

    def _run_batch(self, plan: AttemptPlan, threshold: float, attempts: int) -> Batch:
        lines = self.smu.call(
            "run_attempts",
            attempts,
            plan.restore.amplitude,
            plan.restore.width,
            plan.read_amplitude,
            threshold,
            plan.initial is State.LOW,
            self.digital_line,
            plan.write.width + TRIGGER_LATENCY,
            plan.keep_readings,
            replies=3 if plan.keep_readings else 1,
        )
        counts = _numbers(lines[0], "\t")
        if len(counts) == 3 and counts[2] > 0:
            self.smu.check_errors()
        if len(counts) != 3 or not all(0 <= n <= attempts and n == int(n) for n in counts[:2]):
            raise ReplyError(
                f"The script answered {lines[0]!r} instead of the numbers of rejected attempts and "
                f"errors among {attempts}."
            )
        rejected, errors = int(counts[0]), int(counts[1])
        readings = np.empty((0, 2))
        if plan.keep_readings:
            readings = _readings(lines[1], lines[2], plan, threshold)
            if len(readings) != attempts or int(np.isnan(readings[:, 1]).sum()) != rejected:
                raise ReplyError(
                    f"The script counted {rejected} rejected of {attempts} attempts, but its "
                    "readings say otherwise."
                )
        return Batch(rejected=rejected, errors=errors, readings=readings)


def _readings(before: str, after: str, plan: AttemptPlan, threshold: float) -> NDArray[np.float64]:
    """(attempts, 2) Siemens: readings after the writes go to the attempts that were not rejected.

    Raises ReplyError if they are not as many.
    """
    verify = _numbers(before, ",") / plan.read_amplitude
    valid = (verify >= threshold) == (plan.initial is State.LOW)
    result = np.column_stack([verify, np.full(len(verify), np.nan)])
    final = _numbers(after, ",") / plan.read_amplitude
    if valid.any():
        if len(final) != np.count_nonzero(valid):
            raise ReplyError(
                f"The script sent {len(final)} readings after {np.count_nonzero(valid)} writes."
            )
        result[valid, 1] = final
    return result


def _numbers(reply: str, separator: str) -> NDArray[np.float64]:
    try:
        return np.array([float(text) for text in reply.split(separator)])
    except ValueError:
        raise ReplyError(f"{reply!r} is not a list of numbers.") from None
