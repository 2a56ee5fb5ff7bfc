import numpy as np
import pytest

from crossbar.errors import ConfigurationError, DataError, StorageError
from crossbar.geometry import DieAddress
from db.store import Store


def save(store: Store, strategy="ideal", **given) -> int:
    columns = {
        "dataset": "mnist",
        "recipe": {"epochs": 3, "rate": 0.01},
        "seed": 5,
        "software_accuracy": 0.971,
        "versions": {"torch": "2.6"},
        "solution": {"a.weight": np.ones((2, 3), np.float32), "a.bias": np.arange(2)},
    }
    return store.save_training_run(strategy=strategy, **(columns | given))


def test_a_training_run_comes_back_exactly(begun):
    """Recipe, seed, accuracy, die and every array of the solution are what they were."""
    training_run_id = save(begun.store, "defect-aware", wafer_id=begun.wafer_id, die=begun.die)

    found = begun.store.training_run(training_run_id)

    assert (found.strategy, found.dataset, found.seed) == ("defect-aware", "mnist", 5)
    assert found.recipe == {"epochs": 3, "rate": 0.01}
    assert found.software_accuracy == 0.971
    assert found.die == begun.die
    assert list(found.solution) == ["a.weight", "a.bias"]
    assert found.solution["a.weight"].dtype == np.float32
    np.testing.assert_array_equal(found.solution["a.bias"], [0, 1])


def test_the_latest_training_run_is_found_by_what_is_asked(begun):
    """Strategy, data set and die each narrow the choice."""
    store = begun.store
    ideal = save(store)
    on_die = save(store, "defect-aware", wafer_id=begun.wafer_id, die=begun.die)
    save(store, "defect-aware", wafer_id=begun.wafer_id, die=begun.other_die)
    last = save(store, "ideal", dataset="cifar10")

    assert store.latest_training_run().id == last
    assert store.latest_training_run(dataset="mnist", strategy="ideal").id == ideal
    assert store.latest_training_run(wafer_id=begun.wafer_id, die=begun.die).id == on_die
    assert store.latest_training_run(strategy="ideal", dataset="mnist").die is None
    with pytest.raises(DataError, match="no training run with strategy ideal, dataset fashion"):
        store.latest_training_run(strategy="ideal", dataset="fashion")


def test_weights_for_a_die_are_its_own_or_those_for_all(begun):
    """The newest of either; never another die's."""
    store, where = begun.store, (begun.wafer_id, begun.die)
    with pytest.raises(DataError, match="no training run for die"):
        store.weights_for_die(*where)
    for_all = save(store)
    assert store.weights_for_die(*where).id == for_all
    own = save(store, "ideal, assigned", wafer_id=begun.wafer_id, die=begun.die)
    save(store, "ideal, assigned", wafer_id=begun.wafer_id, die=begun.other_die)
    assert store.weights_for_die(*where).id == own
    newer = save(store, "statistics-aware")
    assert store.weights_for_die(*where).id == newer


def test_a_calibration_belongs_to_a_run_and_its_die(begun):
    """It is not what one would program, is found by run and die, and says what it is."""
    store, where = begun.store, {"wafer_id": begun.wafer_id, "die": begun.die}
    trained = save(store, **where)
    assert store.calibration_of_die(begun.run_id, **where) is None
    save(store, calibrated_in_run=begun.run_id, **where)
    again = save(store, calibrated_in_run=begun.run_id, **where)

    found = store.calibration_of_die(begun.run_id, **where)
    assert (found.id, found.calibrated_in_run) == (again, begun.run_id)
    assert (found.strategy, found.weights) == ("ideal", "ideal, calibrated")
    assert store.calibration_of_die(begun.run_id, begun.wafer_id, begun.other_die) is None
    assert store.latest_training_run().id == store.weights_for_die(**where).id == trained
    assert store.training_run(trained).weights == "ideal"


def test_unknown_training_runs_and_strategies_are_refused(store: Store):
    """Neither is passed over in silence."""
    with pytest.raises(DataError, match="no training run 4"):
        store.training_run(4)
    with pytest.raises(ConfigurationError, match="'lucky' is unknown; it is one of ideal"):
        save(store, "lucky")
    with pytest.raises(ConfigurationError, match="of which wafer"):
        store.latest_training_run(die=DieAddress(0, 0))


def test_evaluations_come_back_with_their_accuracy(begun):
    """An evaluation names its training run, die and programming run, and divides by itself."""
    training_run_id = save(begun.store)
    begun.store.save_evaluation(
        training_run_id=training_run_id,
        wafer_id=begun.wafer_id,
        die=begun.die,
        programming_run_id=begun.run_id,
        dataset="mnist",
        images=1000,
        correct=912,
        where="hardware",
        calibration={"gain": [1.5, 0.1 + 0.2]},
    )

    (found,) = begun.store.evaluations(training_run_id=training_run_id)

    assert found.accuracy == 0.912
    assert (found.die, found.programming_run_id) == (begun.die, begun.run_id)
    assert found.calibration == {"gain": [1.5, 0.1 + 0.2]}
    assert found.where == "hardware"


def test_evaluations_are_found_by_training_run_wafer_and_die(begun):
    """A matrix of strategies by dies can be put together from the evaluations."""
    runs = [save(begun.store), save(begun.store, "statistics-aware")]
    graded = {"dataset": "mnist", "images": 10, "correct": 9, "where": "emulated software"}
    for training_run_id in runs:
        for die in (begun.die, begun.other_die):
            begun.store.save_evaluation(
                training_run_id=training_run_id, wafer_id=begun.wafer_id, die=die, **graded
            )
    begun.store.save_evaluation(training_run_id=runs[0], **graded)

    def found(**given):
        return [(row.training_run_id, row.die) for row in begun.store.evaluations(**given)]

    assert len(found()) == 5
    assert (runs[0], None) in found(training_run_id=runs[0])
    assert len(found(wafer_id=begun.wafer_id)) == 4
    assert found(wafer_id=begun.wafer_id, die=begun.die) == [(run, begun.die) for run in runs]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"correct": 11}, "11 of 10 images cannot be correct"),
        ({"correct": -1}, "-1 of 10 images"),
        ({"images": 0, "correct": 0}, "0 of 0 images"),
        ({"where": "mind"}, "'mind' is unknown; it is one of hardware, emulated software"),
    ],
)
def test_an_impossible_evaluation_is_refused(store: Store, wrong, message):
    """More correct images than there are, or a place that does not exist, is not stored."""
    good = {"dataset": "mnist", "images": 10, "correct": 9, "where": "hardware"}

    with pytest.raises(ConfigurationError, match=message):
        store.save_evaluation(training_run_id=save(store), **(good | wrong))


def test_an_evaluation_needs_its_training_run(store: Store):
    """Grading what was never trained is refused by the database itself."""
    with pytest.raises(StorageError, match="An evaluation of training run 9 was not stored"):
        store.save_evaluation(
            training_run_id=9, dataset="mnist", images=1, correct=1, where="hardware"
        )


def test_a_programming_run_names_whose_weights_it_writes(begun):
    """The run that programs a die is linked to the training run of its weights."""
    training_run_id = save(begun.store)

    run_id = begun.store.begin_run(
        begun.wafer_id, "program", {}, 0, {}, "", [], training_run_id=training_run_id
    )

    assert begun.store.run(run_id).training_run_id == training_run_id
