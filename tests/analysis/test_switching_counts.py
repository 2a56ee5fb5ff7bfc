import dataclasses

import numpy as np
import pytest

from analysis.switching_counts import SwitchingCounts, gather_counts
from crossbar.errors import DataError
from crossbar.pulses import State
from crossbar.records import WerPoint


def point(cell: int, target: State, amplitude: float, attempts: int, errors: int) -> WerPoint:
    """A measured point; only what the fit reads matters."""
    return WerPoint(
        cell=cell,
        target=target,
        amplitude=target.write_sign * amplitude,
        width=1e-8,
        attempts=attempts,
        errors=errors,
        rejected=0,
        interval_low=0.0,
        interval_high=1.0,
        confidence=0.95,
        execution="board",
        stopped_by="precision" if attempts else "no window",
    )


def test_points_are_sorted_into_rows_by_cell_and_target():
    """Rows come in order of cell, LOW before HIGH; short rows are padded with empty points."""
    counts = gather_counts(
        [
            point(7, State.HIGH, 0.5, 100, 3),
            point(2, State.HIGH, 0.5, 100, 5),
            point(2, State.LOW, 0.4, 200, 7),
            point(2, State.HIGH, 0.6, 300, 1),
        ]
    )

    assert counts.cells.tolist() == [2, 2, 7]
    assert counts.targets == (State.LOW, State.HIGH, State.HIGH)
    assert counts.errors.tolist() == [[7, 0], [5, 1], [3, 0]]
    assert counts.attempts.tolist() == [[200, 0], [100, 300], [100, 0]]
    assert counts.amplitude.tolist() == [[0.4, 0.4], [0.5, 0.6], [0.5, 0.5]]


def test_cells_without_a_window_have_no_row():
    """A point without valid attempts says nothing about a cell."""
    counts = gather_counts([point(1, State.LOW, 0.5, 0, 0), point(2, State.LOW, 0.5, 10, 1)])

    assert counts.cells.tolist() == [2]


def test_nothing_to_fit_is_an_error():
    """Only empty points raise."""
    with pytest.raises(DataError, match="nothing to fit"):
        gather_counts([point(1, State.LOW, 0.5, 0, 0)])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"errors": np.array([[11]])}, "11 errors in 10 attempts"),
        ({"amplitude": np.array([[-0.5]])}, "positive magnitudes"),
        ({"width": np.ones((1, 2))}, "width of shape"),
        ({"targets": ()}, "1 cells came with 0 targets"),
    ],
)
def test_counts_that_cannot_be_are_refused(change, message):
    """Shapes, signs and counts are checked when the counts are made."""
    sound = SwitchingCounts(
        cells=np.array([0]),
        targets=(State.LOW,),
        amplitude=np.array([[0.5]]),
        width=np.array([[1e-8]]),
        attempts=np.array([[10]]),
        errors=np.array([[1]]),
    )
    with pytest.raises(DataError, match=message):
        dataclasses.replace(sound, **change)
