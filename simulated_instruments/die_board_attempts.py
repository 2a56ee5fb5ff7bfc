"""The attempt sequencer of the emulated die board: what it was told to do, and what came of it."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from crossbar.attempts import AttemptCounts, AttemptList, AttemptPlan
from crossbar.geometry import CellIndices
from crossbar.pulses import Pulse, State
from crossbar.units import Seconds, Volts
from physics.simulated_die import SimulatedDie
from simulated_instruments.scpi_grammar import ScpiError

MAX_READINGS = 1_000_000
"""Readings that one run may keep, two to an attempt."""
MAX_ATTEMPTS = 10**9
LIST_ENTRY = np.dtype([("amplitude", "<f4"), ("width", "<f4"), ("attempts", "<u4")])
"""What ``ATTempt:LIST`` takes for each cell."""


@dataclass(kw_only=True)
class AttemptSequencer:
    """Settings of the ``ATTempt`` subsystem that are no plain numbers, and the last run."""

    restore: Pulse | None = None
    write: Pulse | None = None
    thresholds: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    """(n,) Siemens, one for each selected cell."""
    listed: NDArray = field(default_factory=lambda: np.zeros(0, LIST_ENTRY))
    """(n,) entries, one for each selected cell."""
    plan: AttemptPlan | None = None
    """Of the last run."""
    counts: AttemptCounts | None = None
    busy_until: Seconds = 0.0

    def plan_for(
        self, cells: int, *, initial: State, read_amplitude: Volts, attempts: int, keep: bool
    ) -> AttemptPlan:
        """The plan of a run on so many cells. Raises ScpiError if the settings do not add up."""
        if self.write is None:
            raise ScpiError(-221, "send ATTempt:WRITe first")
        if self.write.amplitude * initial.other.write_sign <= 0:
            raise ScpiError(-221, f"ATTempt:WRITe has the sign that writes {initial.name}")
        if keep and 2 * attempts * cells > MAX_READINGS:
            raise ScpiError(-223, f"a run keeps at most {MAX_READINGS} readings")
        return AttemptPlan(
            initial=initial,
            restore=self._checked_restore(cells, initial, read_amplitude),
            write=self.write,
            read_amplitude=read_amplitude,
            threshold=self.thresholds,
            attempts=attempts,
            keep_readings=keep,
        )

    def list_for(self, cells: int, *, initial: State, read_amplitude: Volts) -> AttemptList:
        """The list of a run on so many cells. Raises ScpiError if the settings do not add up."""
        if len(self.listed) != cells:
            raise ScpiError(-221, f"{len(self.listed)} entries of ATTempt:LIST, {cells} cells")
        amplitude = self.listed["amplitude"].astype(np.float64)
        if np.any(amplitude * initial.other.write_sign <= 0):
            raise ScpiError(-221, f"ATTempt:LIST has a sign that writes {initial.name}")
        return AttemptList(
            initial=initial,
            restore=self._checked_restore(cells, initial, read_amplitude),
            read_amplitude=read_amplitude,
            threshold=self.thresholds,
            amplitude=amplitude,
            width=self.listed["width"].astype(np.float64),
            attempts=self.listed["attempts"].astype(np.int64),
        )

    def _checked_restore(self, cells: int, initial: State, read_amplitude: Volts) -> Pulse:
        """The restore pulse, when it and the thresholds go with the other settings."""
        if self.restore is None:
            raise ScpiError(-221, "send ATTempt:RESTore first")
        if self.restore.amplitude * initial.write_sign <= 0:
            raise ScpiError(
                -221, f"ATTempt:RESTore has the sign that does not write {initial.name}"
            )
        if len(self.thresholds) != cells:
            raise ScpiError(-221, f"{len(self.thresholds)} thresholds, {cells} selected cells")
        if read_amplitude == 0:
            raise ScpiError(-221, "ATTempt:READ is 0 V")
        return self.restore

    def run_list(self, listed: AttemptList, cells: CellIndices, die: SimulatedDie | None) -> None:
        """Run the list, cells that share a pulse together: what happens to one is its own affair.

        The run counts as one whose readings were not kept.
        """
        rejected, errors = np.zeros((2, len(cells)), dtype=np.int64)
        self.plan, self.counts = None, None
        for places, plan in listed.parts():
            if die is None:
                counts = counts_without_die(plan, len(places))
            else:
                counts = die.attempt(cells[places], plan)
            rejected[places], errors[places] = counts.rejected, counts.errors
        most = int(listed.attempts.max(initial=0))
        self.counts = AttemptCounts(attempts=most, rejected=rejected, errors=errors)

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
