"""`lab plan` tells beforehand what `lab run` then does."""

import json
import time
from dataclasses import replace

import pytest

from db.store import Store
from lab.chosen_bench import ChosenBench, chosen_bench
from lab.configuration import read_configuration
from lab.planning import plan_run
from lab.runs import start_run
from lab.session import session
from protocols.array_map import ArrayMapParameters
from protocols.catalog import PROTOCOLS
from protocols.contact_check import ContactCheckParameters
from protocols.write_error_rate import WriteErrorRateParameters
from tests.contracts import benches
from tests.contracts.benches import DIE

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
    assert plan["energy"] > plan["typical_energy"] >= 0
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


KINDS_OF_BENCH = [kind for kind in benches.KINDS if kind.execution == "software"][::3]


@pytest.mark.parametrize("kind", [*benches.KINDS[:2], *KINDS_OF_BENCH], ids=str)
def test_every_kind_of_bench_can_be_rehearsed(kind):
    """Boards, makers' packages, matrices, needles on one cell; with and without [simulation]."""
    chosen = benches.chosen_bench(kind)
    real = replace(
        chosen, configuration=chosen.configuration.model_copy(update={"simulation": None})
    )
    for bench in (chosen, real):
        found = plan_run(bench, "contact-check", ContactCheckParameters(), [DIE], kind.execution)
        assert found.rehearsed == 1
        assert found.cost.duration > 0
        assert found.cost.records >= 0
    assert found.cells == "cells of the built-in population"


def small_hfox():
    """The built-in bench of HfOx with a small die."""
    configuration, source = read_configuration("hfox")
    wafer = configuration.wafer.model_copy(update={"columns": 1, "rows": 1, **benches.ARRAY})
    return ChosenBench(
        configuration=configuration.model_copy(update={"wafer": wafer}), source=source
    )


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_protocol_can_be_rehearsed(name):
    """As `lab run` knows it, with its own parameters, on a small die; within its time."""
    chosen = benches.chosen_bench(benches.KINDS[0])
    if name in ("forming", "weak-reset"):
        chosen = small_hfox()

    found = plan_run(chosen, name, PROTOCOLS[name].parameters(), [DIE], within=3.0)

    assert found.cost.duration > 0
    assert found.at_least or found.rehearsed == 1


def test_dies_that_there_was_no_time_for_are_reckoned_in_proportion():
    """One of ten dies is rehearsed: ten times its cost, and the plan says so."""
    chosen = chosen_bench(None, True, 3)
    dies = chosen.configuration.wafer.addresses[:10]
    parameters = ArrayMapParameters()
    whole = plan_run(chosen, "array-map", parameters, dies)

    def slowly(die):
        time.sleep(2.0)

    cut = plan_run(chosen, "array-map", parameters, dies, within=2.0, listener=slowly)

    assert whole.rehearsed == 1
    assert cut.rehearsed == pytest.approx(0.1)
    assert cut.cost.pulses == whole.cost.pulses
    assert cut.cost.most_pulses == whole.cost.most_pulses
    assert cut.cost.duration == pytest.approx(whole.cost.duration, rel=0.1)


def test_a_slow_execution_is_reckoned_by_its_pulses():
    """By software a die would take days of bench time and half an hour of this computer's: the
    board's rehearsal counts the pulses, and the slow one tells what a pulse costs.
    """
    chosen = chosen_bench(None, True, 3)
    (die,) = chosen.configuration.wafer.addresses[:1]
    parameters = WriteErrorRateParameters(sample=1, max_attempts=20_000)

    board = plan_run(chosen, "write-error-rate", parameters, [die])
    slow = plan_run(chosen, "write-error-rate", parameters, [die], "software", within=2.0)

    assert not slow.at_least
    assert 0 < slow.rehearsed < 0.5
    assert slow.cost.records == board.cost.records
    assert slow.cost.pulses == pytest.approx(board.cost.pulses, rel=1e-6)
    assert slow.cost.duration > 100 * board.cost.duration


def test_a_measured_wafer_is_rehearsed_on_its_twin(tmp_path):
    """A bench file without [simulation], and a database that knows the wafer."""
    simulated = chosen_bench(None, True, 3)
    database = str(tmp_path / "lab.sqlite")
    dies = simulated.configuration.wafer.addresses[:2]
    with session(simulated, database) as opened:
        start_run(opened.store, opened.bench, "array-map", ArrayMapParameters(), dies)
    real = replace(
        simulated, configuration=simulated.configuration.model_copy(update={"simulation": None})
    )
    with Store.open(database) as known:
        before = known.counts()
        found = plan_run(real, "array-map", ArrayMapParameters(), dies, known=known)
        assert known.counts() == before
    assert found.cells == "the twin of 2 measured dies"
