"""A protocol for other cells is refused before anything is done to these."""

import json

import pytest

from db.store import Store


@pytest.mark.parametrize(
    ("protocol", "bench", "wanted"),
    [("adaptive-write-error-rate", "hfox", "mtj"), ("weak-reset", "mtj", "hfox")],
)
def test_a_protocol_of_another_technology_is_refused(lab, tmp_path, protocol, bench, wanted):
    """The message names both, and no run is begun."""
    finished = lab("run", protocol, "--bench", bench, "--dies", "1")

    assert finished.returncode == 2
    assert f"{protocol} is for {wanted} cells" in " ".join(finished.stderr.split())
    assert "Traceback" not in finished.stderr
    with Store.open(tmp_path / "lab.sqlite") as store:
        assert store.runs() == []


def test_a_run_may_leave_the_fit_for_later(lab):
    """`--no-fit` says how to make up for it, and that gives the same fits as at once."""
    small = ("--dies", "1", "--set", "sample=2", "--set", "max_attempts=10000")
    at_once = lab("run", "write-error-rate", "--simulated", *small, "--json")
    later = lab("run", "write-error-rate", "--simulated", *small, "--no-fit", "--database", "b.db")
    fitted = lab("fit", "1", "--database", "b.db", "--json")

    assert later.returncode == 0
    assert "lab fit 1 --database b.db" in later.stderr + later.stdout
    assert json.loads(fitted.stdout)["fits"] == json.loads(at_once.stdout)["fits"]
