from dataclasses import replace

import numpy as np
import pytest

from crossbar.errors import DataError
from training.solution import Solution


def test_arrays_and_back_is_the_same_solution(ideal):
    """Everything survives storage, the placement included."""
    again = Solution.from_arrays(ideal.to_arrays())

    assert again.placement == ideal.placement
    assert again.trained == "ideal"
    assert again.checksum == ideal.checksum


def test_assigned_columns_survive_storage(ideal):
    """And tell the solution from the one that is not assigned."""
    place = replace(ideal.placement, hidden_columns=tuple(reversed(range(50))))
    moved = replace(ideal, placement=place)

    assert Solution.from_arrays(moved.to_arrays()).placement == place
    assert moved.checksum != ideal.checksum


def test_the_checksum_sees_a_single_cell(ideal):
    """One other state is another solution."""
    other = ideal.target_low.copy()
    other[0, 0, 0] ^= True

    assert replace(ideal, target_low=other).checksum != ideal.checksum


def test_arrays_that_lack_something_are_refused(ideal):
    """The message names what is missing."""
    arrays = ideal.to_arrays()
    del arrays["drive"]

    with pytest.raises(DataError, match="drive"):
        Solution.from_arrays(arrays)


def test_drive_stays_within_what_a_row_may_get(ideal):
    """Activations never exceed one, so row voltages never exceed the read amplitude."""
    assert np.all((ideal.drive >= 0) & (ideal.drive <= 1))
