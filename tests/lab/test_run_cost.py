"""What runs cost: what `lab status RUN` tells is what the cells were given."""

import json

import numpy as np
import pytest

from crossbar.errors import ContactError
from crossbar.geometry import DieAddress
from crossbar.pulses import Pulse, State
from lab.chosen_bench import chosen_bench
from lab.run_cost import Spending
from lab.runs import begin
from lab.session import session


def test_the_cost_is_that_of_the_plan(lab):
    """The rehearsal of an array map and the run itself spend the same."""
    run = ["array-map", "--simulated", "--dies", "0,0", "--json"]
    planned = json.loads(lab("plan", *run).stdout)
    assert lab("run", *run[:-1], "--no-fit").returncode == 0
    found = json.loads(lab("status", "1", "--json").stdout)

    assert found["protocol"] == "array-map"
    assert found["status"] == "done"
    cost = found["cost"]
    assert cost["pulses"] == planned["pulses"] > 20_000
    assert cost["reads"] == planned["reads"]
    assert cost["energy"] == pytest.approx(planned["energy"], rel=1e-9)
    assert cost["typical_energy"] == pytest.approx(planned["typical_energy"], rel=1e-9)
    # The last lifting off is the plan's alone.
    assert planned["duration"] - 0.5 < cost["seconds"] <= planned["duration"]


def test_people_are_told_too(lab):
    """A row for each, with units; an unknown run is refused."""
    assert lab("run", "contact-check", "--simulated", "--dies", "2").returncode == 0
    told = lab("status", "1").stdout

    assert "contact-check" in told
    assert "2 of 2" in told
    assert "energy of the pulses" in told
    assert "no run 2" in lab("status", "2").stderr


def test_what_ends_in_an_exception_is_counted(tmp_path):
    """Pulses were given before the needles lifted."""
    place = DieAddress(0, 0)
    with session(chosen_bench(None, True), str(tmp_path / "lab.sqlite")) as opened:
        store, bench = opened.store, opened.bench
        run = begin(store, bench, "array-map", {}, [place])
        with pytest.raises(ContactError):
            write_and_lift(bench, place, Spending(store, bench, run))
        cost = store.cost(run)

        assert cost.pulses == 2
        assert cost.energy > 0
        assert cost.messages > 0
        assert cost.seconds > 0


def write_and_lift(bench, place, spending):
    with bench.contacted(place) as die, spending.on(die):
        die.write(np.array([3, 4]), Pulse.writing(State.LOW, 0.5, 1e-8))
        raise ContactError("lifted")
