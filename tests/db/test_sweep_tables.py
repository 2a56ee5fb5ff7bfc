"""Points of sweeps in the database."""

import pytest

from crossbar.errors import StorageError

VERSIONS = {"crossbar-lab": "0.1.0", "torch": "2.6.0"}
POINT = {"seed": 1, "rate": 0.1, "widths": [784, 10], "where": None}


def save(store, sweep="no-ecc/accuracy", point=POINT, versions=VERSIONS, accuracy=0.1 + 0.2):
    return store.save_sweep_point(
        sweep, point=point, versions=versions, outcome={"accuracy": accuracy}, seconds=1.5
    )


def test_an_outcome_comes_back_bit_for_bit(store):
    """By its point, whatever the order of the point's keys."""
    save(store)

    ((key, row),) = store.outcomes_of_sweep("no-ecc/accuracy", VERSIONS).items()

    assert row.outcome == {"accuracy": 0.1 + 0.2}
    assert row.seconds == 1.5
    assert key == '{"rate": 0.1, "seed": 1, "where": null, "widths": [784, 10]}'


def test_a_point_is_stored_once_for_each_sweep_and_version(store):
    """The same again is refused, and what is there stays."""
    save(store)
    save(store, sweep="no-ecc/other")
    save(store, versions=VERSIONS | {"torch": "2.7.0"}, accuracy=0.5)

    turned = dict(reversed(POINT.items()))
    with pytest.raises(StorageError, match=r"Point .* of sweep 'no-ecc/accuracy' was not stored"):
        save(store, point=turned, accuracy=0.9)

    (row,) = store.outcomes_of_sweep("no-ecc/accuracy", VERSIONS).values()
    assert row.outcome == {"accuracy": 0.1 + 0.2}


def test_sweeps_are_forgotten_by_the_beginning_of_their_name(store):
    """Of all versions; a percent sign is no wildcard."""
    save(store)
    save(store, versions=VERSIONS | {"torch": "2.7.0"})
    save(store, sweep="weak-reset/accuracy")

    assert store.forget_sweeps("no-ecc%") == 0
    assert store.forget_sweeps("no-ecc/") == 2
    assert store.outcomes_of_sweep("no-ecc/accuracy", VERSIONS) == {}
    assert len(store.outcomes_of_sweep("weak-reset/accuracy", VERSIONS)) == 1
