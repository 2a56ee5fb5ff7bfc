"""Write attempts by the fastest means the bench offers: hardware where it can, else software."""

import numpy as np
from numpy.typing import NDArray

from crossbar.attempts import AttemptCounts, AttemptList, AttemptPlan, ListCounts
from crossbar.geometry import CellIndices
from crossbar.memory_die import MemoryDie
from crossbar.pulses import State


def run_attempts(die: MemoryDie, cells: CellIndices, plan: AttemptPlan) -> AttemptCounts:
    """Run the plan on the (n,) cells; `execution_of` says by whom."""
    sequencer = die.sequencer_for(plan)
    if sequencer is None:
        return software_attempts(die, cells, plan)
    return die.attempt(cells, plan, sequencer)


def execution_of(die: MemoryDie, plan: AttemptPlan) -> str:
    """ "board", "instrument" or "software": who will keep the time of this plan."""
    sequencer = die.sequencer_for(plan)
    return "software" if sequencer is None else sequencer.execution


def run_list(die: MemoryDie, cells: CellIndices, listed: AttemptList) -> tuple[ListCounts, str]:
    """Run the list on the (n,) cells, and say who kept the time.

    One operation where the hardware takes lists; else cells that share a pulse go together.
    """
    if die.lister is not None:
        return die.attempt_list(cells, listed, die.lister), "board"
    rejected, errors = np.zeros((2, len(cells)), np.int64)
    execution = "software"
    for places, plan in listed.parts():
        execution = execution_of(die, plan)
        counts = run_attempts(die, cells[places], plan)
        rejected[places], errors[places] = counts.rejected, counts.errors
    return ListCounts(rejected=rejected, errors=errors), execution


def software_attempts(die: MemoryDie, cells: CellIndices, plan: AttemptPlan) -> AttemptCounts:
    """The same attempts, one read and one write at a time: slow, and the reference for the others.

    Limits are checked by ``die.write`` and ``die.read``, before the first byte of each.
    """
    die.limits.check_pulse(plan.write)  # refuse before the first restore, not after it
    rejected = np.zeros(len(cells), np.int64)
    errors = np.zeros(len(cells), np.int64)
    readings = np.full((len(cells), plan.attempts, 2), np.nan) if plan.keep_readings else None
    for attempt in range(plan.attempts):
        die.write(cells, plan.restore)
        before = die.read(cells, plan.read_amplitude).conductance
        valid = _is_low(before, plan) == (plan.initial is State.LOW)
        rejected += ~valid
        if readings is not None:
            readings[:, attempt, 0] = before
        if not valid.any():
            continue
        die.write(cells[valid], plan.write)
        after = die.read(cells[valid], plan.read_amplitude).conductance
        reached = (after >= plan.threshold[valid]) == (plan.target is State.LOW)
        errors[valid] += ~reached
        if readings is not None:
            readings[valid, attempt, 1] = after
    return AttemptCounts(
        attempts=plan.attempts, rejected=rejected, errors=errors, readings=readings
    )


def _is_low(conductance: NDArray[np.float64], plan: AttemptPlan) -> NDArray[np.bool_]:
    return conductance >= plan.threshold
