"""`lab run program-and-verify` from the command line, and its resumption beside `lab program`."""

import json

import pytest

from crossbar.errors import ConfigurationError
from crossbar.geometry import DieAddress
from crossbar.records import ProgrammedBlock
from db.store import Store
from lab.parameters import build
from protocols.program_levels import ProgramLevelsParameters

SETS = ("--set", 'levels=["100 uS", "200 uS"]', "--set", "tolerance=0.15", "--set", "sample=200")


def test_levels_are_programmed_and_told(lab, tmp_path):
    """A line a die and level: how many were verified, and what they conduct."""
    done = lab("run", "program-and-verify", "--simulated", "--dies", "2", *SETS)

    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("│") and "µS" in line]
    assert len(lines) == 4, done.stdout
    with Store.open(tmp_path / "lab.sqlite") as store:
        blocks = store.records(1, DieAddress(0, 0), ProgrammedBlock)
        assert json.loads(json.dumps(store.run(1).parameters["levels"])) == [1e-4, 2e-4]
    assert sum(len(block.cells) for block in blocks) == 200


def test_quantities_are_read_with_their_units():
    """As in bench.toml; what makes no sense is refused with its origin."""
    given = {"levels": ["50 uS", "0.2 mS"], "low_stop": "1.1 V"}
    found = build(ProgramLevelsParameters, ("bench.toml", given))

    assert found.levels == pytest.approx((50e-6, 200e-6))
    with pytest.raises(ConfigurationError, match="must not overlap"):
        build(ProgramLevelsParameters, ("bench.toml", {"levels": ["100 uS", "110 uS"]}))
    with pytest.raises(ConfigurationError, match="pattern"):
        build(ProgramLevelsParameters, ("bench.toml", {"pattern": "stripes"}))
