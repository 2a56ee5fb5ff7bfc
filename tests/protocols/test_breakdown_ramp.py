import numpy as np
import pytest

from crossbar.defect_map import CellClass
from crossbar.errors import ConfigurationError, LimitError
from protocols.breakdown_ramp import BreakdownRampParameters, breakdown_ramp, ramp_amplitudes


def test_a_ramp_within_the_limits_leaves_cells_alive(die_of):
    """At amplitudes that cells are made for, all survive, and the whole ramp is recorded."""
    parameters = BreakdownRampParameters(sample=4, start=0.5, stop=0.7, step=0.1)
    with die_of() as (die, _):
        trains = list(breakdown_ramp(die, parameters))

    assert {train.outcome for train in trains} == {"survived"}
    assert all(train.pulses.tolist() == [0, 1, 1, 1] for train in trains)
    assert np.isnan(trains[0].amplitude[0])
    assert trains[0].amplitude[1:] == pytest.approx([-0.5, -0.6, -0.7])


def test_a_high_ramp_breaks_healthy_cells_for_good(die_of):
    """Healthy cells end broken before the end of the ramp, and stay so."""
    parameters = BreakdownRampParameters(sample=4, start=0.6, stop=2.0, step=0.1, width=1e-6)
    with die_of(max_amplitude=2.0) as (die, simulated):
        trains = list(breakdown_ramp(die, parameters))
        for train in trains:
            if simulated.truth.classes.ravel()[train.cell] == CellClass.HEALTHY:
                after = die.read(np.array([train.cell]), 0.1).conductance[0]
                assert train.outcome == "broken"
                assert after > 1.5 * train.conductance[0]
                assert len(train.pulses) < len(ramp_amplitudes(parameters)) + 1


def test_a_ramp_beyond_the_limit_sends_nothing(die_of):
    """The last pulse is checked before the first is sent."""
    with die_of() as (die, _):
        before = die.read(np.arange(8), 0.1).conductance
        with pytest.raises(LimitError, match="max_amplitude"):
            next(breakdown_ramp(die, BreakdownRampParameters(stop=9.0)))
        after = die.read(np.arange(8), 0.1).conductance

    assert after == pytest.approx(before, rel=0.1)


def test_a_ramp_reaches_its_end_in_spite_of_rounding():
    """0.6 to 1.0 V by 0.05 V are nine amplitudes."""
    assert ramp_amplitudes(BreakdownRampParameters()) == pytest.approx(np.linspace(0.6, 1.0, 9))


def test_a_falling_ramp_is_refused():
    """The message names both ends."""
    with pytest.raises(ConfigurationError, match=r"start 2 V .* stop 1 V"):
        BreakdownRampParameters(start=2.0, stop=1.0)
