import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossbar.errors import LimitError, StorageError
from crossbar.stress import SMALLEST_RESERVE, StressLedger


class Disk:
    """Keeps what the ledger wrote last."""

    def __init__(self, fails=False):
        self.pulses, self.exact, self.writes, self.fails = None, None, 0, fails

    def __call__(self, pulses, exact):
        if self.fails:
            raise StorageError("disk full")
        self.pulses, self.exact, self.writes = pulses.copy(), exact, self.writes + 1


def ledger(disk, budget=10**6, cells=8):
    return StressLedger(
        pulses=np.zeros(cells, np.int64), budget=budget, source="bench.toml [limits.mtj]", keep=disk
    )


@given(
    st.lists(st.tuples(st.sets(st.integers(0, 7), min_size=1), st.integers(1, 5000)), max_size=30)
)
def test_the_disk_never_counts_too_few(charges):
    """Whenever the process dies, what is on the disk covers what was sent; settled, it is exact."""
    disk, truth = Disk(), np.zeros(8, np.int64)
    counted = ledger(disk)
    for cells, pulses in charges:
        where = np.array(sorted(cells))
        counted.charge(where, pulses)
        truth[where] += pulses
        assert (disk.pulses >= truth).all()
    counted.settle()
    if charges:
        assert (disk.pulses == truth).all()
        assert disk.exact


def test_the_budget_is_refused_before_anything_is_entered():
    disk = Disk()
    counted = ledger(disk, budget=100)
    counted.charge(np.array([1]), 90)
    with pytest.raises(LimitError, match=r"cell 1 refused.* 101.*budget is 100.*\[limits\.mtj\]"):
        counted.charge(np.array([0, 1]), 11)
    assert counted.pulses.tolist() == [0, 90, 0, 0, 0, 0, 0, 0]
    counted.charge(np.array([1]), 10)


def test_most_pulses_do_not_wait_for_the_disk():
    disk = Disk()
    counted = ledger(disk)
    for _ in range(SMALLEST_RESERVE):
        counted.charge(np.array([3]))
    assert disk.writes == 1


def test_what_cannot_be_entered_is_not_sent():
    """A full disk stops the pulses, not only the records."""
    with pytest.raises(StorageError):
        ledger(Disk(fails=True)).charge(np.array([0]))
