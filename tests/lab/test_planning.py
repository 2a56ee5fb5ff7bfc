"""`lab plan` tells beforehand what `lab run` then does."""

import json

import pytest

WER = (
    "write-error-rate",
    *("--set", "sample=2", "--set", 'amplitudes=["0.6 V"]', "--set", 'widths=["20 ns"]'),
    *("--set", "first_chunk=50", "--set", "max_attempts=50"),
)
CASES = [(("array-map",), "board"), (WER, "board"), (WER, "software")]


@pytest.mark.parametrize(("what", "execution"), CASES)
def test_a_plan_foretells_the_run(lab, tmp_path, what, execution):
    """On a fresh wafer of the same seed the run takes the time, and leaves the records, that the
    plan has told; and the plan has left nothing behind.
    """
    options = ("--simulated", "--seed", "3", "--dies", "1", "--execution", execution, "--json")

    planned = lab("plan", *what, *options)
    assert planned.returncode == 0, planned.stderr
    assert not list(tmp_path.glob("*.sqlite"))
    done = lab("run", *what, *options)
    assert done.returncode == 0, done.stderr

    plan, run = json.loads(planned.stdout), json.loads(done.stdout)
    assert plan["duration"] == pytest.approx(run["bench_time"], rel=1e-9)
    assert plan["records"] == run["records"]
    assert plan["pulses"] > 0
    assert plan["reads"] > 0
    assert plan["energy"] > 0
    assert 0 < plan["most_pulses"] <= plan["pulses"]
    assert 0 <= plan["life_used"] < 1e-3
    assert plan["bytes_moved"] > plan["messages"] > 0


def test_a_plan_counts_every_pulse(lab):
    """An array map writes each of the 20,000 cells twice and reads it twice, beside a few reads to
    see whether the needles touch.
    """
    planned = lab("plan", "array-map", "--simulated", "--dies", "1", "--json")

    plan = json.loads(planned.stdout)
    assert plan["pulses"] == 40_000
    assert plan["most_pulses"] == 2
    assert 40_000 <= plan["reads"] < 40_100


def test_a_plan_on_hfox_forms_the_cells_of_its_rehearsal(lab):
    """An array map of a wafer that was never formed is planned as that of a formed one."""
    planned = lab("plan", "array-map", "--bench", "hfox", "--dies", "1", "--json")
    assert planned.returncode == 0, planned.stderr
    plan = json.loads(planned.stdout)
    assert plan["records"] == 1
    assert plan["pulses"] == 40_000
