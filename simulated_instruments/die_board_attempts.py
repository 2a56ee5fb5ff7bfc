"""The attempt sequencer of the emulated die board: what it was told to do, and what came of it."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from crossbar.attempts import AttemptCounts, AttemptPlan
from crossbar.geometry import CellIndices
from crossbar.pulses import Pulse, State
from crossbar.units import Seconds, Volts
from physics.simulated_die import SimulatedDie
from simulated_instruments.scpi_grammar import ScpiError

MAX_READINGS = 1_000_000
"""Readings that one run may keep, two to an attempt."""


@dataclass(kw_only=True)
class AttemptSequencer:
    """Settings of the ``ATTempt`` subsystem that are no plain numbers, and the last run."""

    restore: Pulse | None = None
    write: Pulse | None = None
    thresholds: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    """(n,) Siemens, one for each selected cell."""
    plan: AttemptPlan | None = None
    """Of the last run."""
    counts: AttemptCounts | None = None
    busy_until: Seconds = 0.0

    def plan_for(
        self, cells: int, *, initial: State, read_amplitude: Volts, attempts: int, keep: bool
    ) -> AttemptPlan:
        """The plan of a run on so many cells. Raises ScpiError if the settings do not add up."""
        if self.restore is None or self.write is None:
            raise ScpiError(-221, "send ATTempt:RESTore and ATTempt:WRITe first")
        if self.restore.amplitude * initial.write_sign <= 0:
            raise ScpiError(
                -221, f"ATTempt:RESTore has the sign that does not write {initial.name}"
            )
        if self.write.amplitude * initial.other.write_sign <= 0:
            raise ScpiError(-221, f"ATTempt:WRITe has the sign that writes {initial.name}")
        if len(self.thresholds) != cells:
            raise ScpiError(-221, f"{len(self.thresholds)} thresholds, {cells} selected cells")
        if keep and 2 * attempts * cells > MAX_READINGS:
            raise ScpiError(-223, f"a run keeps at most {MAX_READINGS} readings")
        if read_amplitude == 0:
            raise ScpiError(-221, "ATTempt:READ is 0 V")
        return AttemptPlan(
            initial=initial,
            restore=self.restore,
            write=self.write,
            read_amplitude=read_amplitude,
            threshold=self.thresholds,
            attempts=attempts,
            keep_readings=keep,
        )

    def run(self, plan: AttemptPlan, cells: CellIndices, die: SimulatedDie | None) -> None:
        """Run the plan; ``die`` is None with nothing at the pads."""
        self.plan = plan
        self.counts = None
        if die is None or not len(cells):
            self.counts = counts_without_die(plan, len(cells))
        else:
            self.counts = die.attempt(cells, plan)

    def finished(self, now: Seconds) -> AttemptCounts:
        """Counts of the last run. Raises ScpiError before it is over."""
        if self.counts is None or now < self.busy_until:
            raise ScpiError(-230, "no finished attempt run; ask ATTempt:WAIT? until it answers 0")
        return self.counts

    def readings(self, now: Seconds) -> NDArray[np.float64]:
        """(n, attempts, 2) amperes of the last run. Raises ScpiError if it kept none."""
        kept = self.finished(now).readings
        if kept is None or self.plan is None:
            raise ScpiError(-230, "the run kept no readings; send ATTempt:KEEP ON before it")
        return kept * self.plan.read_amplitude


def counts_without_die(plan: AttemptPlan, cells: int) -> AttemptCounts:
    """What a run finds with nothing at the pads: every cell reads 0 A, which is HIGH.

    From LOW every attempt is rejected; from HIGH every one ends in the state where it began.
    """
    every_attempt = np.full(cells, plan.attempts, dtype=np.int64)
    none = np.zeros(cells, dtype=np.int64)
    from_low = plan.initial is State.LOW
    readings = None
    if plan.keep_readings:
        readings = np.zeros((cells, plan.attempts, 2))
        readings[..., 1] = np.nan if from_low else 0.0
    return AttemptCounts(
        attempts=plan.attempts,
        rejected=every_attempt if from_low else none,
        errors=none if from_low else every_attempt,
        readings=readings,
    )
