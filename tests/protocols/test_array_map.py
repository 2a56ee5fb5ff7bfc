import numpy as np
import pytest

from crossbar.defect_map import CellClass
from protocols.array_map import ArrayMapParameters, array_map


def test_the_board_maps_a_die_as_it_is(die_of):
    """One record; healthy cells read their conductance in each state within the read noise."""
    with die_of() as (die, simulated):
        (block,) = array_map(die, ArrayMapParameters())

    healthy = simulated.truth.classes.ravel() == CellClass.HEALTHY
    truth = simulated.truth.cells
    assert block.low[healthy] == pytest.approx(truth.low_conductance()[healthy], rel=0.03)
    assert block.high[healthy] == pytest.approx(truth.high_conductance(0.1)[healthy], rel=0.03)
    assert not block.in_compliance.any()


def test_bench_instruments_find_what_the_board_finds(die_of):
    """Row by row through SMU and generator: the same conductances, to the noise of two readings."""
    parameters = ArrayMapParameters()
    with die_of() as (die, _):
        (whole,) = array_map(die, parameters)
    done = frozenset(("block", first) for first in range(50, 20_000, 50))
    with die_of(execution="software") as (die, _):
        (row,) = array_map(die, parameters, done)

    assert len(row.low) == 50
    close = np.abs(np.log(row.low / whole.low[:50])) < 0.05
    opens = whole.low[:50] < 20e-6
    assert np.all(close | opens)


def test_blocks_that_are_stored_are_left_out(die_of):
    """A resumed run goes on where it stopped."""
    with die_of() as (die, _):
        assert list(array_map(die, ArrayMapParameters(), frozenset({("block", 0)}))) == []
