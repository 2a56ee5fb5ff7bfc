import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossbar.errors import ConfigurationError
from crossbar.geometry import CellAddress, DieGeometry

GEOMETRY = DieGeometry()


def test_the_default_die_has_20_000_cells():
    """Four sub-arrays of 100 rows by 50 columns."""
    assert GEOMETRY.cells == 20_000


@given(index=st.integers(0, GEOMETRY.cells - 1))
def test_index_and_address_are_inverse(index):
    """Every flat index has one address, in numpy's own order."""
    address = GEOMETRY.address(index)

    assert GEOMETRY.index(address) == index
    place = np.unravel_index(index, GEOMETRY.shape)
    assert (address.subarray, address.row, address.column) == place


@pytest.mark.parametrize("cell", [(4, 0, 0), (0, 100, 0), (0, 0, 50), (0, -1, 0)])
def test_a_cell_off_the_die_is_refused(cell):
    """The message names the coordinate and its bound."""
    with pytest.raises(ConfigurationError, match="must be 0 to"):
        GEOMETRY.index(CellAddress(*cell))


def test_indices_off_the_die_are_refused():
    """A whole selection is checked at once."""
    with pytest.raises(ConfigurationError, match="cells 0 to 19999"):
        GEOMETRY.check(np.array([0, 20_000]))
