"""Programming that was killed: what counts as programmed is on the die."""

import json
import time

from db.store import Store


def test_dies_programmed_before_a_kill_keep_their_weights(start_lab, lab, tmp_path):
    """kill -9 in the middle, resume, evaluate: every die recognizes digits."""
    for command in (["run", "array-map", "--dies", "12"], ["train", "ideal"]):
        finished = lab(*command, "--simulated")
        assert finished.returncode == 0, finished.stderr
    process = start_lab("program", "--simulated", "--dies", "12")
    database = tmp_path / "lab.sqlite"
    for _ in range(400):
        time.sleep(0.02)
        if not process.is_alive() or _programmed(database) >= 3:
            break
    process.kill()
    process.join()
    interrupted = _programmed(database)
    resumed = lab("resume", "--simulated") if interrupted < 12 else None
    graded = json.loads(lab("evaluate", "--simulated", "--dies", "3", "--json").stdout)

    assert interrupted >= 3
    assert resumed is None or resumed.returncode == 0, resumed.stderr
    assert _programmed(database) == 12
    assert all(die["accuracy"] > 0.6 for die in graded["dies"].values())


def _programmed(database) -> int:
    """Dies that the programming run is through with."""
    with Store.open(database) as store:
        runs = [run for run in store.runs() if run.protocol == "program-and-verify"]
        return len(store.done_dies(runs[0].id)) if runs else 0
