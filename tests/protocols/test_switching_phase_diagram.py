import itertools

import pytest

from crossbar.errors import ConfigurationError, LimitError
from crossbar.pulses import State
from protocols.switching_phase_diagram import (
    SwitchingPhaseDiagramParameters,
    boundary_nodes,
    switching_phase_diagram,
)

PARAMETERS = SwitchingPhaseDiagramParameters(sample=6, widths=(10e-9, 50e-9), targets=(State.LOW,))


def switching(point):
    """The share of the attempts that switched."""
    return 1 - point.errors / point.attempts


def test_the_boundary_is_found_to_the_finest_step(die_of):
    """Each cell passes 50 % between two neighbours of the finest row, and a longer pulse does so at
    a lower amplitude.
    """
    with die_of(defect_scale=0.0) as (die, _):
        points = list(switching_phase_diagram(die, PARAMETERS))
    finest = PARAMETERS.amplitude(1) - PARAMETERS.amplitude(0)

    boundary = {}
    for cell, width in itertools.product({p.cell for p in points}, PARAMETERS.widths):
        row = sorted(
            (p.amplitude, switching(p)) for p in points if (p.cell, p.width) == (cell, width)
        )
        above = next(place for place, (_, share) in enumerate(row) if share > 0.5)
        assert row[above][0] - row[above - 1][0] == pytest.approx(finest)
        assert len(row) == PARAMETERS.intervals + 1 + PARAMETERS.refinements
        boundary[cell, width] = row[above][0]
    assert len(boundary) == 12
    assert all(boundary[cell, 50e-9] < boundary[cell, 10e-9] for cell, _ in boundary)


def test_refining_takes_fewer_points_than_the_fine_row(die_of):
    """Twelve points a row in place of the 65 of the finest one."""
    with die_of(defect_scale=0.0) as (die, _):
        points = list(switching_phase_diagram(die, PARAMETERS))

    assert len(points) == 6 * 2 * 12


def test_what_is_stored_is_not_yielded_again(die_of):
    """A resumed run gives the missing points, equal to those of a run without a break."""
    with die_of() as (die, _):
        points = list(switching_phase_diagram(die, PARAMETERS))
    with die_of() as (die, _):
        again = list(
            switching_phase_diagram(die, PARAMETERS, frozenset(p.key for p in points[:30]))
        )

    assert again == points[30:]


def test_only_intervals_that_hold_the_boundary_are_halved():
    """Two crossings are two boundaries; neighbours of the finest row are not halved."""
    assert boundary_nodes({0: False, 4: True, 8: True}) == {2}
    assert boundary_nodes({0: False, 4: True, 8: False}) == {2, 6}
    assert boundary_nodes({0: False, 1: True, 4: True}) == set()


def test_a_diagram_beyond_the_limit_sends_nothing(die_of):
    """The largest amplitude is checked first."""
    with die_of() as (die, _), pytest.raises(LimitError, match="max_amplitude"):
        next(switching_phase_diagram(die, SwitchingPhaseDiagramParameters(stop=3.0)))


def test_a_diagram_needs_a_range():
    """One message names both ends."""
    with pytest.raises(ConfigurationError, match=r"0.5 V < 0.4 V"):
        SwitchingPhaseDiagramParameters(start=0.5, stop=0.4)
