"""What keeps cells, needles and chuck whole, from the command line down to the emulators."""

import json
import re

import numpy as np
import pytest

from crossbar.geometry import DieAddress
from db.store import Store
from lab.chosen_bench import chosen_bench
from lab.configuration import built_in_text
from lab.runs import start_run
from lab.session import session
from protocols.array_map import ArrayMapParameters
from protocols.write_error_rate import WriteErrorRateParameters

DIE = DieAddress(0, 0)


@pytest.fixture
def bench_file(tmp_path):
    """Write the built-in bench with one setting replaced."""

    def write(name, value):
        text, count = re.subn(rf"(?m)^{name} = \S+( \S+\")?", f"{name} = {value}", built_in_text())
        assert count == 1
        path = tmp_path / "bench.toml"
        path.write_text(text)
        return path

    return write


def refused(result, code, pattern):
    """One message, no traceback."""
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr
    assert re.search(pattern, result.stderr), result.stderr


@pytest.mark.parametrize("execution", ["board", "software"])
def test_the_ledger_knows_every_pulse(tmp_path, execution):
    """Never fewer than the simulated cells received; equal where no attempt was rejected."""
    chosen = chosen_bench(None, True, 3)
    database = str(tmp_path / "lab.sqlite")
    wer = WriteErrorRateParameters(
        amplitudes=(0.6,), widths=(20e-9,), sample=2, first_chunk=50, max_attempts=50
    )
    with session(chosen, database, execution=execution) as opened:
        if execution == "board":
            start_run(opened.store, opened.bench, "array-map", ArrayMapParameters(), [DIE])
        start_run(opened.store, opened.bench, "write-error-rate", wer, [DIE])
        given = opened.bench.simulation.station.wafer.die(DIE).pulses_given
        counted, exact = opened.store.stress(1, DIE)
    assert exact
    assert (counted >= given).all()
    assert given.sum() <= counted.sum() <= given.sum() + 100
    assert given.any()


def test_the_budget_holds_across_commands(bench_file, lab, tmp_path):
    """A second map would be one too many: refused, and the first one's records stay."""
    bench_file("max_pulses_per_cell", 5)
    first = lab("run", "array-map", "--dies", "1")
    assert first.returncode == 0, first.stderr
    with Store.open(tmp_path / "lab.sqlite") as store:
        counted, exact = store.stress(1, DIE)
        blocks = store.counts()["array_map_blocks"]
    assert exact
    assert 0 < counted.max() <= 5

    second = lab("run", "array-map", "--dies", "1")
    while second.returncode == 0:
        second = lab("run", "array-map", "--dies", "1")

    refused(second, 3, r"budget is 5, set by bench\.toml \[limits\.mtj\] max_pulses_per_cell")
    with Store.open(tmp_path / "lab.sqlite") as store:
        assert store.stress(1, DIE)[0].max() <= 5
        assert store.counts()["array_map_blocks"] >= blocks


@pytest.mark.parametrize(
    ("name", "value", "pattern"),
    [
        ("max_energy", '"1 pJ"', r"limit is 1 pJ, set by bench\.toml \[limits\.mtj\] max_energy"),
        ("max_contact_height", '"10 mm"', r"contact_height is 12 mm.*\[limits\.prober\]"),
        ("max_overtravel", '"20 um"', r"overtravel is 50 (µ|u)m.*\[limits\.prober\]"),
    ],
)
def test_limits_of_pulse_and_chuck_are_refused(name, value, pattern, bench_file, lab):
    """Energy before a pulse; heights before the chuck moves."""
    bench_file(name, value)
    refused(lab("run", "array-map", "--dies", "1"), 3, pattern)


def test_check_tells_what_the_instruments_enforce(lab):
    """Read back from them, not repeated from the file."""
    result = lab("check", "--simulated", "--json")
    assert result.returncode == 0, result.stderr
    found = {line["role"]: line for line in json.loads(result.stdout)["instruments"]}

    limits = {p["name"]: p for p in found["smu"]["protections"]}
    assert limits["current limit"]["value"] == pytest.approx(1e-3)
    levels = [p["value"] for p in found["pulse_generator"]["protections"]]
    assert max(levels) == pytest.approx(1.2 * (1 + 60 / 6000), rel=1e-3)
    assert found["prober"]["protections"]
    assert all(p["in_force"] for line in found.values() for p in line["protections"])
    assert all(0 < line["round_trip"] < 1 for line in found.values())
    assert np.isfinite(json.loads(result.stdout)["conductance"]).all()


def test_destroying_cells_is_asked_twice(lab):
    """Without an answer, or with another wafer's name, nothing is sent and no run begins; the
    message says how to confirm. With the name, the ramp runs.
    """
    ramp = ("run", "breakdown-ramp", "--simulated", "--dies", "1", "--set", "sample=2", "--json")

    silent, wrong = lab(*ramp), lab(*ramp, "--destroy", "another")
    for refused in (silent, wrong):
        assert refused.returncode != 0
        assert "was not confirmed: nothing was sent" in refused.stderr
    wafer = silent.stderr.split("--destroy ")[-1].split(".")[0].strip()
    confirmed = lab(*ramp, "--destroy", wafer)

    assert confirmed.returncode == 0, confirmed.stderr
    assert json.loads(confirmed.stdout)["records"] >= 2
    assert json.loads(confirmed.stdout)["run"] == 1
