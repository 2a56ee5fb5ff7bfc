"""`lab reproduce measured-dies`: its machinery, and all of it once, small."""

import contextlib
import shutil
import sqlite3
from dataclasses import replace

import numpy as np
import pytest

from analysis.mean_interval import MeanInterval
from crossbar.errors import DataError
from db.store import Store
from lab.chosen_bench import chosen_bench
from lab.reproduce.measured_dies.experiment import OURS, OWN, VARIANTS, Experiment, Variant
from lab.reproduce.measured_dies.findings import at_least, at_most, findings
from lab.reproduce.measured_dies.map_file import load_maps, save_maps
from lab.reproduce.measured_dies.page import sections
from lab.reproduce.measured_dies.plan import QUICK
from lab.reproduce.measured_dies.points import trained_weights
from lab.reproduce.measured_dies.shares import shares
from lab.reproduce.measured_dies.solution_text import as_text, from_text
from lab.reproduce.reproducing import Reproduction

SMALL = replace(
    QUICK,
    dies=4,
    epochs={"ideal": 8, "statistics-aware": 3, "defect-aware": 2},
    images=90,
    hardware_images=40,
    own_dies=2,
    own_in_hardware=1,
    lines=2,
    steps=(0.0, 1.0),
)


def measured(database, store):
    """The experiment on four dies, with what this database knows of it."""
    reproduction = Reproduction(
        paper="measured-dies",
        store=store,
        database=database,
        bench=chosen_bench(None, True),
        quick=True,
        seeds=(1,),
    )
    return Experiment.measured(reproduction, SMALL)


def stored(database):
    """How many runs and points of sweeps are in the database."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return [
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()
            for table in ("runs", "sweep_points")
        ]


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """The experiment, its results, and those when its folder has moved and it is done again."""
    folder, moved = (tmp_path_factory.mktemp(name) for name in ("measured", "moved"))
    database, elsewhere = (str(place / "lab.sqlite") for place in (folder, moved))
    with Store.open(database) as store:
        first = measured(database, store)
        results = first.results()
    shutil.copytree(folder, moved, dirs_exist_ok=True)
    before = stored(elsewhere)
    with Store.open(elsewhere) as store:
        again = measured(elsewhere, store).results()
    return first, results, again, (before, stored(elsewhere))


def test_a_second_run_does_nothing_again(done):
    """No die is measured or programmed and nothing worked out, elsewhere either; same results."""
    _, results, again, (before, after) = done

    assert after == before
    assert np.array_equal(results.matrix, again.matrix)
    for name, accuracies in results.hardware.items():
        assert np.array_equal(accuracies, again.hardware[name])


def test_hardware_agrees_with_emulation(done):
    """Within five points of a hundred on each die, of 60 images."""
    _, results, _, _ = done

    for name, accuracies in results.hardware.items():
        emulated = results.hardware_emulated[name]
        assert accuracies.shape == emulated.shape == (1, 1 if name == OWN else 4)
        assert np.abs(accuracies - emulated).max() <= 0.05


def test_assignment_and_calibration_bring_most_of_the_loss_back(done):
    """Ideal weights lose points on these dies, and at least half of them come back."""
    _, results, _, _ = done
    plain, ours = (
        (results.baseline[0] - results.emulated[Variant("ideal", fit, fit)]).mean()
        for fit in (False, True)
    )

    assert plain > 0.02
    assert ours < plain / 2


def test_statistics_come_from_other_dies_than_those_graded(done):
    """Each half of the dies is graded by the weights of the other half."""
    experiment, *_ = done
    even, odd = experiment.folds

    assert not set(even) & set(odd)
    group = experiment._group("ideal", ("of even", "of odd"), 10, Variant(*VARIANTS[4]))
    assert [(point["solution"], point["dies"]) for point in group] == [
        ("of even", odd),
        ("of odd", even),
    ]


def test_findings_and_sections_tell_of_everything(done):
    """Every claim has an interval and every section its numbers."""
    _, results, _, _ = done

    assert len(findings(results, SMALL)) >= 12
    assert all(found.interval for found in findings(results, SMALL))
    assert [len(part.figures) for part in sections(results, SMALL)] == [1, 1, 1, 1, 0]
    assert OURS in {row[0] for row in sections(results, SMALL)[0].tables[0].rows}


def test_maps_come_back_from_their_file(done, tmp_path):
    """The same cells, classes, lines; a file with other dies is refused."""
    experiment, *_ = done
    file = save_maps(tmp_path, experiment.maps)
    loaded = load_maps(file.path, file.checksum)

    for found, wanted in zip(loaded, experiment.maps, strict=True):
        assert np.array_equal(found.classes, wanted.classes)
        assert np.array_equal(found.low, wanted.low)
        assert found.lines == wanted.lines
        assert (found.median_low, found.median_high) == (wanted.median_low, wanted.median_high)
        assert found.thresholds == wanted.thresholds
    with pytest.raises(DataError, match="other dies"):
        load_maps(file.path, "0" * 64)
    with pytest.raises(DataError, match="cannot be read"):
        load_maps(str(tmp_path / "none.npz"), file.checksum)


def test_a_solution_comes_back_from_its_text(done):
    """The same solution, and the same text again."""
    experiment, *_ = done

    text = trained_weights(
        **experiment._training(1) | {"epochs": 1},
        dataset=experiment.plan.dataset,
        maps=experiment.file.path,
        checksum=experiment.file.checksum,
    )["solution"]

    assert as_text(from_text(text)) == text
    assert from_text(text).checksum == from_text(as_text(from_text(text))).checksum


def test_shares_add_up_and_give_nothing_for_nothing():
    """An ingredient that changes nothing has no share; two that need each other have half each."""
    values = {
        (a, b, c): np.array([1.0 * (a and b), 2.0 * a + 3.0 * b])
        for a in (False, True)
        for b in (False, True)
        for c in (False, True)
    }

    first, second, third = shares(values)

    assert first == pytest.approx([0.5, 2.0])
    assert second == pytest.approx([0.5, 3.0])
    assert third == pytest.approx([0.0, 0.0])


def test_a_verdict_needs_an_interval_on_one_side():
    """Where the limit is within the interval nothing is decided."""
    wide = MeanInterval(mean=1.5, low=1.0, high=2.0, count=4)

    assert (at_most(wide, 2.0), at_most(wide, 1.5), at_most(wide, 0.9)) == (True, None, False)
    assert (at_least(wide, 1.0), at_least(wide, 1.5), at_least(wide, 2.1)) == (True, None, False)
