import numpy as np
import pytest
import torch

from crossbar.errors import LimitError
from crossbar.pulses import State
from physics.switching import log_wer
from protocols.read_disturb import ReadDisturbParameters, read_disturb

PARAMETERS = ReadDisturbParameters(
    sample=60, amplitudes=(0.25, 0.3), widths=(100e-6,), targets=(State.HIGH,), attempts=20_000
)


def test_the_intervals_cover_the_disturb_of_the_cells(die_of):
    """Measured through the board: the 95 % intervals hold the truth as often as they should."""
    with die_of(defect_scale=0.0) as (die, simulated):
        points = list(read_disturb(die, PARAMETERS))

    truth, covered, seen = simulated.truth.cells, 0, 0
    for point in points:
        current = abs(point.amplitude) / truth.vc0_high[point.cell]
        duration = point.width / truth.tau_d[point.cell]
        chain = (current, duration, truth.delta[point.cell])
        wer = float(log_wer(*(torch.tensor(float(x)) for x in chain)).exp())
        covered += point.interval_low <= wer <= point.interval_high
        seen += point.errors < point.attempts
    assert seen > 10
    assert covered >= 0.9 * len(points)


def test_a_voltage_that_is_no_read_is_refused_before_the_first_pulse(die_of):
    """Read disturb stays below the read limit."""
    with die_of() as (die, _), pytest.raises(LimitError, match="max_read_amplitude"):
        next(read_disturb(die, ReadDisturbParameters(amplitudes=(0.1, 0.5))))


@pytest.mark.parametrize("execution", ["board", "software"])
def test_a_resumed_run_leaves_out_what_is_stored(die_of, execution):
    """Only what is missing is measured again, and it is the same."""
    parameters = ReadDisturbParameters(
        sample=3, amplitudes=(0.2, 0.3), widths=(1e-6,), attempts=5, restore_width=200e-9
    )
    with die_of(execution=execution) as (die, _):
        points = list(read_disturb(die, parameters))
    stored = frozenset(point.key for point in points[::2])
    with die_of(execution=execution) as (die, _):
        again = list(read_disturb(die, parameters, stored))

    assert again == points[1::2]
    assert np.all([point.attempts + point.rejected == 5 for point in points])
