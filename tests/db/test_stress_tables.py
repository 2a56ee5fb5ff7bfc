import numpy as np
import pytest

from crossbar.geometry import DieAddress, DieGeometry
from db.store import Store

DIE = DieAddress(2, 1)


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "lab.sqlite") as opened:
        yield opened


def test_counts_come_back_and_the_last_ones_count(store):
    wafer = store.wafer("w", DieGeometry(subarrays=1, rows=2, columns=3), "mtj")
    assert store.stress(wafer, DIE) is None

    for pulses, exact in ((np.arange(6), False), (np.arange(6) * 10**12, True)):
        store.save_stress(wafer, DIE, pulses, exact=exact)
        found, was_exact = store.stress(wafer, DIE)
        assert np.array_equal(found, pulses)
        assert was_exact is exact
    assert store.integrity_check() == []


def test_dies_are_counted_apart(store):
    wafer = store.wafer("w", DieGeometry(subarrays=1, rows=1, columns=1), "mtj")
    store.save_stress(wafer, DIE, np.array([5]), exact=True)

    assert store.stress(wafer, DieAddress(0, 0)) is None
