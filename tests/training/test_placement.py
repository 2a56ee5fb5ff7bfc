import numpy as np
import pytest

from crossbar.errors import ConfigurationError
from crossbar.geometry import DieGeometry
from training.encoding import Encoding
from training.placement import Placement


def test_150_hidden_units_use_every_cell_of_the_die():
    """Three sub-arrays of hidden columns and five copies of ten outputs are 20,000 cells."""
    place = Placement(hidden=150, rows_at_once=5)

    assert place.used.sum() == 20_000
    assert place.hidden_subarrays == 3
    assert place.wirings == ((0, 3), (1, 4), (2,))


def test_a_differential_network_of_75_hidden_units_uses_pairs():
    """Half as many signed columns: 75 hidden units, two copies of the outputs."""
    place = Placement(hidden=75, rows_at_once=5, encoding=Encoding.DIFFERENTIAL)

    assert place.copies == 2
    assert place.used.sum() == 3 * 100 * 50 + 100 * 40


@pytest.mark.parametrize("hidden", [1, 37, 50, 100, 149, 150])
def test_every_hidden_unit_reaches_every_output(hidden):
    """Whatever the number of hidden units, none is left without a row in layer 2."""
    place = Placement(hidden=hidden, rows_at_once=10)

    assert set(place.hidden_of_row.ravel()) == set(range(hidden))
    assert sorted(copy for copies in place.wirings for copy in copies) == list(range(5))


def test_target_states_can_be_written_back_into_the_die():
    """Cells and states name every used cell once, and put back give the same weights."""
    place = Placement(geometry=DieGeometry(subarrays=3), hidden=70, rows_at_once=10)
    low = np.random.default_rng(0).random(place.geometry.shape) < 0.5

    cells, states = place.target_states(low)
    written = np.zeros(place.geometry.cells, dtype=bool)
    written[cells] = states

    assert len(np.unique(cells)) == len(cells) == place.used.sum()
    assert np.array_equal(written.reshape(low.shape), low & place.used)


def test_assigned_columns_hold_the_units_and_others_stay_spare():
    """Three hidden units in three sub-arrays use three columns; the outputs theirs."""
    place = Placement(hidden=3, rows_at_once=10, hidden_columns=(149, 0, 60))

    assert place.hidden_subarrays == 3
    assert place.used[:3].any(axis=1).nonzero()[0].tolist() == [0, 1, 2]
    assert place.used[:3].any(axis=1).nonzero()[1].tolist() == [0, 10, 49]
    assert place.used[3].all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hidden": 2, "hidden_columns": (1, 1)}, "must name 2 of 0 to 149"),
        ({"hidden": 2, "hidden_columns": (1, 150)}, "must name 2 of 0 to 149"),
        ({"hidden": 2, "hidden_columns": (1,)}, "must name 2 of 0 to 149"),
        ({"output_columns": tuple(range(49))}, "must name 50 of 0 to 49"),
        ({"hidden": 151}, "Choose 1 to 150"),
        ({"hidden": 0}, "Choose 1 to 150"),
        ({"hidden": 76, "encoding": Encoding.DIFFERENTIAL}, "Choose 1 to 75"),
        ({"outputs": 51}, "Choose fewer"),
        ({"rows_at_once": 7}, "divisor"),
    ],
)
def test_a_network_that_does_not_fit_is_refused(changes, message):
    """The message says what would fit."""
    with pytest.raises(ConfigurationError, match=message):
        Placement(**({"hidden": 150, "rows_at_once": 10} | changes))


def test_weights_of_another_kind_of_die_are_refused():
    """A solution is programmed only onto the geometry that it was trained for."""
    with pytest.raises(ConfigurationError, match="shape"):
        Placement(hidden=50, rows_at_once=10).target_states(np.ones((2, 100, 50), dtype=bool))
