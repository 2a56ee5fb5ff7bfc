"""`lab train --in-the-loop` from the command line, killed and resumed."""

import json
import random
import time

import numpy as np
import pytest

from db.store import Store
from lab.in_the_loop import CELLS

SETS = ("--set", "epochs=1", "--set", "checkpoint_every=3", "--set", "batch=128")
TRAIN = ("train", "--in-the-loop", "--simulated", "--die", "0,0", *SETS)


@pytest.fixture
def prepared(lab, tmp_path):
    """A mapped die and ideal weights, to be copied for each training."""
    for command in (["run", "array-map", "--dies", "1"], ["train", "ideal"]):
        done = lab(*command, "--simulated", "--database", "start.sqlite")
        assert done.returncode == 0, done.stderr

    def copied(name: str) -> list[str]:
        for suffix in (".sqlite", ".simulated-1.wafer.npz"):
            copy = tmp_path / f"{name}{suffix}"
            copy.write_bytes((tmp_path / f"start{suffix}").read_bytes())
        return ["--database", f"{name}.sqlite"]

    return copied


def learned(database):
    """The solution of run 2, and the state that its die was left in."""
    with Store.open(database) as store:
        row = store.run(2)
        assert row.status == "done"
        assert store.integrity_check() == []
        assert store.checkpoint(2) is None
        solution = store.training_run(row.training_run_id).solution
    state = dict(np.load(database.with_name(f"{database.stem}.simulated-1.wafer.npz")))
    low = state["0,0/low"]
    return {name: array.tobytes() for name, array in solution.items()}, low.tobytes()


def test_a_killed_training_resumes_to_the_same_weights(start_lab, lab, prepared, tmp_path):
    """kill -9 at random moments: solution and cells end as if nothing had been."""
    whole = lab(*TRAIN, *prepared("whole"))
    assert whole.returncode == 0, whole.stderr
    broken, database = prepared("broken"), tmp_path / "broken.sqlite"
    moments, kills = random.Random(4), []
    while (status := _status(database)) != "done":
        process = start_lab(*(["resume", "--simulated"] if status else TRAIN), *broken)
        if len(kills) < 2:
            kills.append(_kill_after_a_checkpoint(process, database, moments))
        process.join()
    graded = lab("evaluate", "--simulated", "--dies", "0,0", "--json", *broken)

    reported = lab("report", "--simulated", *broken)

    assert reported.returncode == 0, reported.stderr
    assert kills[0] < kills[1]
    assert learned(database) == learned(tmp_path / "whole.sqlite")
    (die,) = json.loads(graded.stdout)["dies"].values()
    assert die["strategy"] == "in-the-loop"
    assert die["accuracy"] > 0.8


def _kill_after_a_checkpoint(process, database, moments):
    """Kill at a random moment after the next checkpoint; the step of the one that is then kept."""
    before = _checkpoint(database)
    while process.is_alive():
        now = _checkpoint(database)
        if now is not None and (before is None or now["step"] > before["step"]):
            process.join(moments.uniform(0, 0.3))
            break
        time.sleep(0.05)
    process.kill()
    process.join()
    kept = _checkpoint(database)
    assert kept is not None
    assert kept[f"{CELLS}low"].shape == (20_000,)
    return int(kept["step"])


def _checkpoint(database):
    """Of the training, where it is not finished."""
    with Store.open(database) as store:
        return store.checkpoint(2) if len(store.runs()) == 2 else None


def _status(database):
    """Of the training; None if the kill came before it was entered."""
    with Store.open(database) as store:
        runs = [row for row in store.runs() if row.protocol == "train-in-the-loop"]
        return runs[0].status if runs else None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--in-the-loop"], "--in-the-loop needs --die"),
        (["ideal", "--in-the-loop", "--die", "0,0"], "is a strategy by itself"),
        (["--in-the-loop", "--die", "0,0"], "no defect map"),
        (["--in-the-loop", "--die", "0,0", "--set", "write_evry=3"], "did you mean write_every"),
        (["ideal", "--set", "epochs=3"], "--set goes with --in-the-loop"),
    ],
)
def test_what_makes_no_sense_is_refused(lab, options, message):
    """One clear message each."""
    done = lab("train", *options, "--simulated")

    assert done.returncode != 0
    assert message in done.stderr
