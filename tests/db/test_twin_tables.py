"""Twins in the database."""

import numpy as np
import pytest

from crossbar.errors import DataError, StorageError
from crossbar.geometry import DieAddress, DieGeometry

DIES = {
    DieAddress(0, 1): {"classes": np.arange(3, dtype=np.int8), "median": np.array(0.1)},
    DieAddress(4, 0): {"classes": np.zeros(3, dtype=np.int8), "median": np.array(np.nan)},
}


@pytest.fixture
def wafer(store):
    made = store.wafer("W1", DieGeometry(), "mtj")
    for die in DIES:
        store.die(made, die)
    return made


def test_a_twin_comes_back_bit_for_bit(store, wafer):
    """Every named array of every die."""
    store.save_twin("first", wafer, DIES, description={"fitted_cells": 3})

    back = store.twin("first")

    assert set(back) == set(DIES)
    for die, named in DIES.items():
        for name, array in named.items():
            assert back[die][name].tobytes() == array.tobytes()
            assert back[die][name].dtype == array.dtype
    assert store.twins() == {"first": {"fitted_cells": 3}}


def test_a_twin_is_never_replaced(store, wafer):
    """A bench file names it, and a wafer's state belongs to it."""
    store.save_twin("first", wafer, DIES, description={})

    with pytest.raises(StorageError, match="another name"):
        store.save_twin("first", wafer, {}, description={})
    assert len(store.twin("first")) == 2


def test_an_unknown_twin_is_named_with_those_that_are_known(store, wafer):
    """The remedy is in the message."""
    store.save_twin("first", wafer, DIES, description={})

    with pytest.raises(DataError, match=r"no twin named 'second'; it has first\. Make it"):
        store.twin("second")
