"""`lab assign`, `lab program`, `lab calibrate`: weights that suit a die, without training."""

import json

import pytest

from db.store import Store

BOTH = ["--simulated", "--dies", "3,4 4,3"]
ONE = ["--simulated", "--dies", "3,4"]


@pytest.fixture
def taught(lab):
    """Runs commands that must end well, where two bad dies are mapped and training run 1 is ideal;
    gives what each tells programs of the dies.
    """

    def told(*command):
        finished = lab(*command, "--json")
        assert finished.returncode == 0, finished.stderr
        return json.loads(finished.stdout).get("dies")

    told("run", "array-map", *BOTH)
    told("train", "ideal", "--simulated")
    return told


def test_a_die_gets_columns_that_suit_it(taught, lab, tmp_path):
    """It is programmed with its own weights, another with those for all; calibration counts until
    the die is written again.
    """
    assert taught("assign", *ONE, "--images", "100")["3,4"]["training_run"] == 2
    programmed = taught("program", *BOTH)
    assert [programmed[die]["training_run"] for die in ("3,4", "4,3")] == [2, 1]
    for die, same in (("3,4", False), ("4,3", True)):  # as it would be programmed
        lab("export-weights", f"{die}.json", "--simulated", "--dies", die)
        lab("export-weights", "ideal.json", "--simulated", "--dies", die, "--training", "1")
        files = [(tmp_path / name).read_text() for name in (f"{die}.json", "ideal.json")]
        assert (files[0] == files[1]) == same
    assigned = taught("evaluate", *ONE)["3,4"]
    calibration = taught("calibrate", *ONE, "--images", "100")["3,4"]["training_run"]
    calibrated = taught("evaluate", *ONE)["3,4"]

    assert calibrated["training_run"] == calibration
    assert [found["strategy"] for found in (assigned, calibrated)] == ["ideal, assigned"] * 2
    assert [found["calibrated"] for found in (assigned, calibrated)] == [False, True]
    assert assigned["accuracy"] > 0.88  # 0.825 where the columns are not chosen
    assert calibrated["accuracy"] > max(0.94, assigned["accuracy"])
    with Store.open(tmp_path / "lab.sqlite") as store:
        found, before = (store.training_run(run) for run in (calibration, 2))
    assert found.weights == "ideal, assigned, calibrated"
    assert (found.recipe["training_run"], before.recipe["training_run"]) == (2, 1)
    assert found.recipe["unlabelled_images"] == 100
    of_other = taught("calibrate", "--simulated", "--dies", "4,3", "--images", "100")["4,3"]
    refused = lab("assign", *ONE, "--training", str(of_other["training_run"]))
    assert "(ideal, calibrated) is for one die already, (4, 3)" in refused.stderr
    assert taught("program", *ONE)["3,4"]["training_run"] == 2
    assert not taught("evaluate", *ONE, "--images", "10")["3,4"]["calibrated"]


def test_what_cannot_be_assigned_or_calibrated_is_refused(taught, lab):
    """Dies that are not mapped or not written, training runs that are not there or for one die."""
    taught("assign", *ONE, "--images", "50")
    for command, complaint in (
        (["assign", "--simulated", "--dies", "1,1"], "no defect map"),
        (["assign", *ONE, "--training", "9"], "no training run 9"),
        (["assign", *BOTH, "--training", "2"], "is for one die already"),
        (["assign", *ONE, "--images", "5"], "--images"),
        (["calibrate", *ONE], "lab program"),
    ):
        finished = lab(*command)
        assert finished.returncode != 0
        assert complaint in finished.stderr
        assert "Traceback" not in finished.stderr
