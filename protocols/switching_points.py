"""A fixed number of attempts at one condition, on cells whose own threshold tells their states.

What read disturb and the phase diagram share: they ask how often a pulse switches, where
`protocols.write_error_rate` asks how seldom it fails.
"""

import numpy as np
from numpy.typing import NDArray

from analysis.intervals import clopper_pearson
from crossbar.attempts import AttemptPlan
from crossbar.geometry import CellIndices
from crossbar.memory_die import MemoryDie
from crossbar.records import WerPoint
from crossbar.units import Ratio
from protocols.attempts import execution_of, run_attempts
from protocols.conditions import Condition
from protocols.restoring import Restoring

CONFIDENCE: Ratio = 0.95


def switching_points(
    die: MemoryDie,
    cells: CellIndices,
    threshold: NDArray[np.float64],
    *,
    condition: Condition,
    attempts: int,
    restoring: Restoring,
) -> list[WerPoint]:
    """Make the attempts on the (n,) cells, decided by their (n,) thresholds in siemens.

    A record each; 1 - errors / attempts is the switching probability.
    """
    target, pulse = condition.target, condition.pulse
    plan = AttemptPlan(
        initial=target.other,
        restore=restoring.pulse(target.other),
        write=pulse,
        read_amplitude=restoring.read_amplitude,
        threshold=threshold,
        attempts=attempts,
    )
    counts = run_attempts(die, cells, plan)
    valid = attempts - counts.rejected
    low, high = clopper_pearson(counts.errors, valid, CONFIDENCE)
    execution = execution_of(die, plan)
    return [
        WerPoint(
            cell=int(cell),
            target=target,
            amplitude=pulse.amplitude,
            width=pulse.width,
            attempts=int(valid[place]),
            errors=int(counts.errors[place]),
            rejected=int(counts.rejected[place]),
            interval_low=float(low[place]),
            interval_high=float(high[place]),
            confidence=CONFIDENCE,
            execution=execution,
            stopped_by="budget",
        )
        for place, cell in enumerate(cells)
    ]
