import numpy as np
import pytest

from crossbar.errors import ConfigurationError, LimitError
from crossbar.pulses import State
from protocols.read_noise import ReadNoiseParameters, read_noise

TWO = ("0:0:1", "2:7:30")


@pytest.mark.parametrize("execution", ["board", "software"])
def test_each_cell_is_read_at_an_even_pace_in_each_state(die_of, execution):
    """Sixty readings 10 ms apart after the state was written, within half a percent of the cell."""
    parameters = ReadNoiseParameters(cells=TWO, readings=60)
    with die_of(execution=execution, defect_scale=0.0) as (die, simulated):
        traces = list(read_noise(die, parameters))
        truth = simulated.truth.cells

    assert [(t.cell, t.state) for t in traces] == [
        (cell, state) for state in State for cell in (1, 10380)
    ]
    for trace in traces:
        assert np.diff(trace.time) == pytest.approx(0.01, abs=2e-3)
        expected = truth.low_conductance()
        if trace.state is State.HIGH:
            expected = truth.high_conductance(0.1)
        assert np.mean(trace.conductance) == pytest.approx(expected[trace.cell], rel=0.02)
        assert np.std(trace.conductance) < 0.02 * expected[trace.cell]


def test_too_strong_a_read_is_refused_before_the_first_pulse(die_of):
    """Nothing is written."""
    with die_of() as (die, simulated):
        with pytest.raises(LimitError, match="max_read_amplitude"):
            next(read_noise(die, ReadNoiseParameters(read_amplitude=2.0)))
        assert simulated.pulses_given.sum() == 0


def test_a_resumed_run_leaves_out_what_is_stored(die_of):
    """Only the traces that are missing are made."""
    parameters = ReadNoiseParameters(cells=TWO, readings=4)
    with die_of() as (die, _):
        first, *rest = read_noise(die, parameters)
        again = list(read_noise(die, parameters, frozenset({first.key})))
    assert [trace.key for trace in again] == [trace.key for trace in rest]


@pytest.mark.parametrize(
    ("wrong", "said"), [({"aperture": 1.0}, "not longer than interval"), ({"readings": 1}, "two")]
)
def test_impossible_parameters_are_refused(wrong, said):
    """One message, with the remedy."""
    with pytest.raises(ConfigurationError, match=said):
        ReadNoiseParameters(**wrong)
