"""Adaptive write error rate: the amplitude for a wanted error rate, in the fewest attempts.

In every round each cell and direction gets one block of attempts with one pulse, the one from which
most is learned about its amplitude after what was counted so far (`analysis.amplitude_design`),
until the interval is narrow enough or the budget is spent. Where the hardware takes lists, a round
is one operation for all cells.

What cells do above the pulses that tell most, such as hop back, would go unseen. So at the end
``check_attempts`` are made at the amplitude found, and as many a step above it: records of their
own (``stopped_by`` "check"), of which neither the design nor the fit of the amplitude knows.

The records are those of `protocols.write_error_rate`, and what comes next is a function of them: a
run that was broken off goes on with the pulses that it would have given.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from analysis.amplitude_density import (
    DELTA_RANGE,
    AmplitudeForWer,
    Expectation,
    observed_points,
)
from analysis.amplitude_design import AmplitudeDesign, Blocks
from analysis.amplitude_interval import fit_amplitudes
from analysis.intervals import check_confidence, clopper_pearson
from crossbar.attempts import AttemptList
from crossbar.errors import ConfigurationError
from crossbar.geometry import CellIndices
from crossbar.memory_die import MemoryDie
from crossbar.pulses import Pulse, State
from crossbar.records import WerPoint
from crossbar.units import Ratio, Seconds, Siemens, Volts
from protocols.attempts import run_list
from protocols.cell_choice import chosen_cells
from protocols.distinct import check_distinct
from protocols.restoring import Restoring

STEPS_PER_VOLT = 1000
"""Amplitudes are multiples of a millivolt; no pulse is given twice to a cell, so that every record
has a pulse of its own."""
DESIGN, CHECK = "design", "check"
"""What a block was made for, as its record's ``stopped_by`` says."""


@dataclass(frozen=True, kw_only=True)
class AdaptiveWriteErrorRateParameters:
    """Cells, what is wanted of them, and which pulses may be given."""

    cells: tuple[str, ...] = ()
    """Cells as "subarray:row:column"; empty takes ``sample`` cells spread over the die."""
    sample: int = 8
    wer: Ratio = 1e-6
    """The amplitude at which pulses of ``width`` fail at this rate is wanted."""
    width: Seconds = 20e-9
    """The working width."""
    other_rates: tuple[Ratio, ...] = (1e-9, 1e-12)
    """Amplitudes for these rates are told as well, from the same counts."""
    relative_width: Ratio = 0.01
    """Stop when ln(high/low) of the amplitude's interval is no more than this."""
    confidence: Ratio = 0.95
    pulse_widths: tuple[Seconds, ...] = (5e-9, 10e-9, 20e-9, 50e-9)
    """That pulses may have."""
    largest_amplitude: Volts = 0.9
    """That pulses may have; within the limits at each of the widths."""
    targets: tuple[State, ...] = (State.LOW, State.HIGH)
    """Directions: the state that the write aims at."""
    max_attempts: int = 1_000_000
    """Budget per cell and direction, rejected attempts included, those of the check not."""
    check_attempts: int = 5_000
    """At the amplitude found, and as many a step above, to see whether the cell does there what the
    fit says; 0 for none. Errors that one in a thousand pulses makes are seen then (ours)."""
    check_step: Ratio = 0.2
    """How far above the amplitude found, relative; never above ``largest_amplitude``."""
    first_block: int = 200
    growth: Ratio = 0.3
    """A block has at most this share of the attempts made before it."""
    expected_delta: Ratio = 60.0
    """What cells are thought to be like decides with which pulses it begins, and nothing else."""
    expected_vc0: Volts = 0.4
    expected_tau_d: Seconds = 1.9e-9
    barrier_exponent: Ratio = 2.0
    """That the design supposes; the fits take that of [analysis] in the bench file."""
    restore_amplitude: Volts = 0.9
    restore_width: Seconds = 200e-9
    read_amplitude: Volts = 0.1
    parallel: int = 500
    """Cells measured at the same time where the hardware can."""
    min_window: Ratio = 1.15
    """LOW conducts at least this times HIGH, or the cell has no window to decide by."""

    def __post_init__(self) -> None:
        _ = self.quantities  # which refuse what cannot be asked for
        check_confidence(self.confidence)
        if not self.pulse_widths or not self.targets:
            raise ConfigurationError("adaptive_write_error_rate needs pulse_widths and targets.")
        if min(self.sample, self.max_attempts, self.first_block, self.parallel) < 1:
            raise ConfigurationError(
                "sample, max_attempts, first_block and parallel must be at least 1."
            )
        if self.check_attempts < 0:
            raise ConfigurationError(
                f"check_attempts must be 0 (no check) or more, got {self.check_attempts!r}."
            )
        if not 0 < self.relative_width < 1:
            raise ConfigurationError(
                f"relative_width must lie between 0 and 1, got {self.relative_width!r}; 0.01 asks "
                "for the amplitude to ±0.5 %."
            )
        positive = ("largest_amplitude", "growth", "expected_vc0", "check_step")
        for name in (*positive, "expected_tau_d"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ConfigurationError(
                    f"{name} must be positive and finite, got {getattr(self, name)!r}."
                )
        if not DELTA_RANGE[0] <= self.expected_delta <= DELTA_RANGE[1]:
            raise ConfigurationError(
                f"expected_delta must lie between {DELTA_RANGE[0]:g} and {DELTA_RANGE[1]:g}, where "
                f"the switching model does, got {self.expected_delta!r}."
            )
        check_distinct(self, "targets")

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
    def quantities(self) -> tuple[AmplitudeForWer, ...]:
        """The wanted one first."""
        rates = (self.wer, *self.other_rates)
        return tuple(
            AmplitudeForWer(wer=rate, width=self.width, barrier_exponent=self.barrier_exponent)
            for rate in rates
        )

    @property
    def design(self) -> AmplitudeDesign:
        """How the next pulse is chosen."""
        return AmplitudeDesign(
            quantity=self.quantities[0],
            expectation=Expectation(
                delta=self.expected_delta, vc0=self.expected_vc0, tau_d=self.expected_tau_d
            ),
            widths=self.pulse_widths,
            largest=self.largest_amplitude,
            relative_width=self.relative_width,
            confidence=self.confidence,
            max_attempts=self.max_attempts,
            first_block=self.first_block,
            growth=self.growth,
        )


@dataclass(kw_only=True)
class Pair:
    """A cell and a direction, and what was counted so far."""

    cell: int
    target: State
    points: list[WerPoint] = field(default_factory=list)
    checks: list[WerPoint] = field(default_factory=list)
    """Check attempts: at the amplitude found, then above it."""
    threshold: Siemens = 0.0
    """Set when the cell has been read in both states."""

    @property
    def closed(self) -> bool:
        """Whether the last block had no valid attempt: no window, or one that was lost."""
        return any(point.attempts == 0 for point in self.points)

    @property
    def spent(self) -> int:
        """Attempts so far, rejected ones included."""
        return sum(point.attempts + point.rejected for point in self.points)

    def unused_amplitude(self, wanted: Volts, width: Seconds, largest: Volts) -> Volts:
        """The nearest magnitude that was not given yet at this width, up to the largest."""
        points = [*self.points, *self.checks]
        given = [round(abs(p.amplitude) * STEPS_PER_VOLT) for p in points if p.width == width]
        top = int(largest * STEPS_PER_VOLT * (1 + 1e-12))
        free = np.setdiff1d(np.arange(1, top + 1), given)
        if not len(free):
            raise ConfigurationError(
                f"Cell {self.cell} was given every amplitude up to {largest:g} V at {width:g} s. "
                "Allow larger ones by largest_amplitude, or more pulse_widths."
            )
        return int(free[np.argmin(np.abs(free - wanted * STEPS_PER_VOLT))]) / STEPS_PER_VOLT


def adaptive_write_error_rate(
    die: MemoryDie,
    parameters: AdaptiveWriteErrorRateParameters,
    earlier: Sequence[WerPoint] = (),
) -> Iterator[WerPoint]:
    """Yield one record a cell, direction and block; those of ``earlier`` are made already."""
    working = (parameters.width,) if parameters.check_attempts else ()
    for width in (*parameters.pulse_widths, *working):  # refuse the whole run before its first one
        die.limits.check_pulse(Pulse.writing(State.LOW, parameters.largest_amplitude, width))
    known: dict[tuple[int, State, bool], list[WerPoint]] = {}
    for point in earlier:
        known.setdefault((point.cell, point.target, point.stopped_by == CHECK), []).append(point)
    cells = chosen_cells(parameters.cells, parameters.sample, die.geometry)
    at_once = min(parameters.parallel, die.access.cells_at_once)
    for start in range(0, len(cells), at_once):
        pairs = [
            Pair(
                cell=cell,
                target=target,
                points=known.get((cell, target, False), []),
                checks=known.get((cell, target, True), []),
            )
            for target in parameters.targets
            for cell in cells[start : start + at_once].tolist()
        ]
        yield from _measure_batch(die, parameters, pairs)
        if parameters.check_attempts:
            yield from _check_batch(die, parameters, pairs)


def _measure_batch(
    die: MemoryDie, parameters: AdaptiveWriteErrorRateParameters, pairs: list[Pair]
) -> Iterator[WerPoint]:
    """Round after round, until every pair is finished."""
    pairs, _ = _unfinished(parameters.design, pairs)
    yield from _set_thresholds(die, parameters, pairs)
    while True:
        pairs, blocks = _unfinished(parameters.design, pairs)
        if not pairs:
            return
        for target in parameters.targets:
            places = [place for place, pair in enumerate(pairs) if pair.target is target]
            if places:
                here = [pairs[place] for place in places]
                yield from _make_blocks(die, parameters, here, blocks.rows(np.array(places)))


def _unfinished(design: AmplitudeDesign, pairs: list[Pair]) -> tuple[list[Pair], Blocks]:
    """The pairs that are to go on, and how."""
    going = [pair for pair in pairs if not pair.closed]
    seen = observed_points([pair.points for pair in going])
    blocks = design.next_blocks(seen, np.array([pair.spent for pair in going], dtype=np.int64))
    places = np.flatnonzero(blocks.attempts)
    return [going[place] for place in places], blocks.rows(places)


def _set_thresholds(
    die: MemoryDie, parameters: AdaptiveWriteErrorRateParameters, pairs: list[Pair]
) -> Iterator[WerPoint]:
    """Read the cells in both states; a pair without a window is closed by a record that says so."""
    if not pairs:
        return
    cells = np.unique([pair.cell for pair in pairs]).astype(np.intp)
    threshold, has_window = parameters.restoring.thresholds(die, cells)
    found = dict(zip(cells.tolist(), zip(threshold, has_window, strict=True), strict=True))
    for pair in pairs:
        pair.threshold, window = found[pair.cell]
        if not window:
            pulse = Pulse.writing(pair.target, parameters.largest_amplitude, parameters.width)
            point = _point(parameters, pair, pulse, (0, 0, 0), "none", "no window")
            pair.points.append(point)
            yield point


def _check_batch(
    die: MemoryDie, parameters: AdaptiveWriteErrorRateParameters, pairs: list[Pair]
) -> Iterator[WerPoint]:
    """Attempts at the amplitude found, then above: a list each for all cells of a direction. A pair
    without a sound amplitude has none.
    """
    pairs = [pair for pair in pairs if not pair.closed and len(pair.checks) < 2]
    if not pairs:
        return
    fits = fit_amplitudes(
        observed_points([pair.points for pair in pairs]),
        parameters.quantities[0],
        parameters.confidence,
    )
    found = {
        (pair.cell, pair.target): volts
        for pair, volts, sound in zip(pairs, fits.estimate.tolist(), fits.converged, strict=True)
        if sound
    }
    pairs = _told_apart(die, parameters, [p for p in pairs if (p.cell, p.target) in found])
    for target in parameters.targets:
        for done, step in enumerate((1.0, 1.0 + parameters.check_step)):
            here = [
                pair
                for pair in pairs
                if pair.target is target
                and len(pair.checks) == done
                and (not done or found[pair.cell, target] < parameters.largest_amplitude)
            ]
            if here:
                blocks = Blocks(
                    amplitude=step * np.array([found[pair.cell, target] for pair in here]),
                    width=np.full(len(here), parameters.width),
                    attempts=np.full(len(here), parameters.check_attempts),
                )
                yield from _make_blocks(die, parameters, here, blocks, CHECK)


def _told_apart(
    die: MemoryDie, parameters: AdaptiveWriteErrorRateParameters, pairs: list[Pair]
) -> list[Pair]:
    """The pairs whose states can be told apart; a resumed run may have to read them for it."""
    unread = [pair for pair in pairs if not pair.threshold]
    if unread:
        cells = np.unique([pair.cell for pair in unread]).astype(np.intp)
        threshold, has_window = parameters.restoring.thresholds(die, cells)
        known = dict(zip(cells.tolist(), (threshold * has_window).tolist(), strict=True))
        for pair in unread:
            pair.threshold = known[pair.cell]
    return [pair for pair in pairs if pair.threshold]


def _make_blocks(
    die: MemoryDie,
    parameters: AdaptiveWriteErrorRateParameters,
    pairs: list[Pair],
    blocks: Blocks,
    purpose: str = DESIGN,
) -> Iterator[WerPoint]:
    """One block of each of these pairs, which share their target."""
    target, largest = pairs[0].target, parameters.largest_amplitude
    pulses = [
        Pulse.writing(target, pair.unused_amplitude(volts, width, largest), width)
        for pair, volts, width in zip(
            pairs, blocks.amplitude.tolist(), blocks.width.tolist(), strict=True
        )
    ]
    cells: CellIndices = np.array([pair.cell for pair in pairs], dtype=np.intp)
    counts, execution = run_list(
        die,
        cells,
        AttemptList(
            initial=target.other,
            restore=parameters.restoring.pulse(target.other),
            read_amplitude=parameters.read_amplitude,
            threshold=np.array([pair.threshold for pair in pairs]),
            amplitude=np.array([pulse.amplitude for pulse in pulses]),
            width=np.array([pulse.width for pulse in pulses]),
            attempts=blocks.attempts,
        ),
    )
    for place, (pair, pulse) in enumerate(zip(pairs, pulses, strict=True)):
        errors, rejected = int(counts.errors[place]), int(counts.rejected[place])
        valid = int(blocks.attempts[place]) - rejected
        point = _point(parameters, pair, pulse, (valid, errors, rejected), execution, purpose)
        (pair.checks if purpose == CHECK else pair.points).append(point)
        yield point


def _point(
    parameters: AdaptiveWriteErrorRateParameters,
    pair: Pair,
    pulse: Pulse,
    counts: tuple[int, int, int],
    execution: str,
    stopped_by: str,
) -> WerPoint:
    """The record of a block, from its valid attempts, errors and rejected attempts."""
    attempts, errors, rejected = counts
    low, high = clopper_pearson(errors, attempts, parameters.confidence)
    return WerPoint(
        cell=pair.cell,
        target=pair.target,
        amplitude=pulse.amplitude,
        width=pulse.width,
        attempts=attempts,
        errors=errors,
        rejected=rejected,
        interval_low=float(low),
        interval_high=float(high),
        confidence=parameters.confidence,
        execution=execution,
        stopped_by=stopped_by,
    )
