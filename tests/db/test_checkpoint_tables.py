"""Checkpoints of trainings in the loop."""

import numpy as np
import pytest

from crossbar.errors import StorageError
from crossbar.geometry import DieAddress, DieGeometry

DIE = DieAddress(0, 0)
FIRST = {"step": np.array(25), "die/low": np.array([True, False]), "sparse": np.zeros((0, 3))}


@pytest.fixture
def run(store):
    wafer = store.wafer("A", DieGeometry(), "mtj")
    return store.begin_run(wafer, "train-in-the-loop", {}, 1, {}, "", [DIE])


def finished(store, run, **changes):
    given = {
        "dataset": "digits", "recipe": {"epochs": 1}, "seed": 1, "software_accuracy": 0.9,
        "versions": {}, "solution": {"target_low": np.array([True])}, "die": DIE,
    }  # fmt: skip
    return store.finish_training(run, **(given | changes))


def test_a_checkpoint_comes_back_bit_for_bit(store, run):
    """Names, kinds and shapes, empty arrays and single numbers among them."""
    store.save_checkpoint(run, FIRST)

    found = store.checkpoint(run)

    assert found is not None
    assert set(found) == set(FIRST)
    for name, array in FIRST.items():
        assert found[name].dtype == array.dtype
        assert np.array_equal(found[name], array)


def test_the_latest_takes_the_place_of_the_one_before(store, run):
    """Its arrays are gone, so that a long training does not fill the disk."""
    store.save_checkpoint(run, FIRST)
    store.save_checkpoint(run, {"step": np.array(50)})

    assert {name: int(array) for name, array in store.checkpoint(run).items()} == {"step": 50}
    assert store.counts()["arrays"] == 1


def test_a_finished_training_is_the_run_s_and_needs_no_checkpoint(store, run):
    """All of it at once."""
    store.save_checkpoint(run, FIRST)

    training_run = finished(store, run)

    assert store.run(run).training_run_id == training_run
    assert store.training_run(training_run).strategy == "in-the-loop"
    assert store.training_run(training_run).die == DIE
    assert store.checkpoint(run) is None
    assert store.integrity_check() == []


def test_what_fails_leaves_the_checkpoint(store, run):
    """A solution that cannot be stored is no reason to lose the way to it."""
    store.save_checkpoint(run, FIRST)

    with pytest.raises(StorageError, match="object cannot be stored"):
        finished(store, run, solution={"target_low": np.array([object()])})

    assert store.checkpoint(run) is not None
    assert store.run(run).training_run_id is None
