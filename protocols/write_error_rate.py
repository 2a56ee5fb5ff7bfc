"""Write error rate: how often a write fails, per cell, direction, amplitude and width.

First each cell is written and read in both states, which gives its own decision threshold; a cell
without a window is recorded as such and left alone. Then, for every condition, attempts are made in
growing chunks until the interval is tight enough or the budget is spent (`analysis.stopping`).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.stopping import StoppedInterval, StoppingRule
from crossbar.attempts import AttemptPlan
from crossbar.errors import ConfigurationError
from crossbar.geometry import CellIndices
from crossbar.memory_die import MemoryDie
from crossbar.pulses import State
from crossbar.records import Key, WerPoint
from crossbar.units import Ratio, Seconds, Siemens, Volts
from protocols.attempts import execution_of, run_attempts
from protocols.cell_choice import chosen_cells
from protocols.conditions import Condition, conditions_of
from protocols.distinct import check_distinct
from protocols.formed_check import check_formed
from protocols.restoring import Restoring


@dataclass(frozen=True, kw_only=True)
class WriteErrorRateParameters:
    """Cells, conditions, and when a point is good enough."""

    cells: tuple[str, ...] = ()
    """Cells as "subarray:row:column"; empty takes ``sample`` cells spread over the die."""
    sample: int = 8
    amplitudes: tuple[Volts, ...] = (0.3, 0.35, 0.4, 0.5, 0.7, 0.9)
    """Magnitudes at the cell; the sign follows from the direction. Low ones at long widths tell
    delta, high ones vc0 and tau_d (`benchmarks/fit_coverage.py`)."""
    widths: tuple[Seconds, ...] = (5e-9, 10e-9, 20e-9, 50e-9)
    targets: tuple[State, ...] = (State.LOW, State.HIGH)
    """Directions: the state that the write aims at."""
    restore_amplitude: Volts = 0.9
    restore_width: Seconds = 200e-9
    """From 100 us on, a bench without the board can run the loop on the SMU."""
    read_amplitude: Volts = 0.1
    formed_above: Siemens = 0.0
    """Cells that need FORMING conduct this much once they are formed; 0 for those that need none
    (`protocols.formed_check`)."""
    relative_width: Ratio = 0.5
    """Stop when ln(upper/lower) of the interval is below this."""
    max_attempts: int = 100_000
    """Budget per cell and condition, rejected attempts included."""
    first_chunk: int = 10_000
    confidence: Ratio = 0.95
    interval: StoppedInterval = StoppedInterval.CLOPPER_PEARSON
    """What tells when a point is good enough, and is stored with it."""
    parallel: int = 500
    """Cells measured at the same time where the hardware can."""
    min_window: Ratio = 1.15
    """LOW conducts at least this times HIGH, or the cell has no window to decide by."""

    def __post_init__(self) -> None:
        for name in ("amplitudes", "widths", "targets"):
            if not getattr(self, name):
                raise ConfigurationError(f"write_error_rate needs at least one of {name}.")
        if any(not amplitude > 0 for amplitude in self.amplitudes):
            raise ConfigurationError(
                f"amplitudes must be positive magnitudes, got {self.amplitudes}; the direction "
                "(targets) gives the sign."
            )
        if min(self.sample, self.max_attempts, self.first_chunk, self.parallel) < 1:
            raise ConfigurationError(
                "sample, max_attempts, first_chunk and parallel must be at least 1."
            )
        check_distinct(self, "amplitudes", "widths", "targets")

    @property
    def restoring(self) -> Restoring:
        """How cells are brought to a state."""
        return Restoring(
            amplitude=self.restore_amplitude,
            width=self.restore_width,
            read_amplitude=self.read_amplitude,
            min_window=self.min_window,
        )

    @property
    def stopping(self) -> StoppingRule:
        """When a point is good enough."""
        return StoppingRule(
            relative_width=self.relative_width,
            max_attempts=self.max_attempts,
            first_chunk=self.first_chunk,
            confidence=self.confidence,
            kind=self.interval,
        )


def write_error_rate(
    die: MemoryDie, parameters: WriteErrorRateParameters, done: frozenset[Key] = frozenset()
) -> Iterator[WerPoint]:
    """Yield one record a cell and condition, leaving out those in ``done``."""
    conditions = conditions_of(parameters.targets, parameters.widths, parameters.amplitudes)
    for condition in conditions:  # refuse the whole run before the first pulse of it
        die.limits.check_pulse(condition.pulse)
    cells = chosen_cells(parameters.cells, parameters.sample, die.geometry)
    check_formed(die, cells, parameters.read_amplitude, parameters.formed_above)
    at_once = min(parameters.parallel, die.access.cells_at_once)
    for start in range(0, len(cells), at_once):
        batch = np.array(
            [
                cell
                for cell in cells[start : start + at_once]
                if any(condition.key(int(cell)) not in done for condition in conditions)
            ],
            dtype=np.intp,
        )
        if len(batch):
            yield from _measure_batch(die, parameters, conditions, batch, done)


def _measure_batch(
    die: MemoryDie,
    parameters: WriteErrorRateParameters,
    conditions: list[Condition],
    cells: CellIndices,
    done: frozenset[Key],
) -> Iterator[WerPoint]:
    threshold, has_window = parameters.restoring.thresholds(die, cells)
    for condition in conditions:
        open_cells = np.array([condition.key(int(cell)) not in done for cell in cells])
        for cell in cells[open_cells & ~has_window]:
            yield _point_without_window(int(cell), condition, parameters)
        measured = open_cells & has_window
        if measured.any():
            yield from _measure_condition(
                die, parameters, condition, cells[measured], threshold[measured]
            )


def _measure_condition(
    die: MemoryDie,
    parameters: WriteErrorRateParameters,
    condition: Condition,
    cells: CellIndices,
    threshold: NDArray[np.float64],
) -> Iterator[WerPoint]:
    rule, initial = parameters.stopping, condition.target.other
    attempts, errors, rejected = (np.zeros(len(cells), np.int64) for _ in range(3))
    execution = "software"
    while (chunk := rule.next_chunk(errors, attempts, rejected)).any():
        # Cells with the same chunk go to the hardware together, whoever else is still running.
        for size in np.unique(chunk[chunk > 0]):
            now = chunk == size
            plan = AttemptPlan(
                initial=initial,
                restore=parameters.restoring.pulse(initial),
                write=condition.pulse,
                read_amplitude=parameters.read_amplitude,
                threshold=threshold[now],
                attempts=int(size),
            )
            execution = execution_of(die, plan)
            counts = run_attempts(die, cells[now], plan)
            rejected[now] += counts.rejected
            errors[now] += counts.errors
            attempts[now] += counts.attempts - counts.rejected
    low, high = rule.interval(errors, attempts)
    reasons = rule.reason(errors, attempts, rejected)
    for place, cell in enumerate(cells):
        yield WerPoint(
            cell=int(cell),
            target=condition.target,
            amplitude=condition.pulse.amplitude,
            width=condition.pulse.width,
            attempts=int(attempts[place]),
            errors=int(errors[place]),
            rejected=int(rejected[place]),
            interval_low=float(low[place]),
            interval_high=float(high[place]),
            confidence=parameters.confidence,
            execution=execution,
            stopped_by=reasons[place],
        )


def _point_without_window(
    cell: int, condition: Condition, parameters: WriteErrorRateParameters
) -> WerPoint:
    return WerPoint(
        cell=cell,
        target=condition.target,
        amplitude=condition.pulse.amplitude,
        width=condition.pulse.width,
        attempts=0,
        errors=0,
        rejected=0,
        interval_low=0.0,
        interval_high=1.0,
        confidence=parameters.confidence,
        execution="none",
        stopped_by="no window",
    )
