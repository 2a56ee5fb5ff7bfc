"""Power cuts: a run killed at any moment and resumed ends with the tables of an undisturbed one."""

import random
import time
from pathlib import Path

import pytest

from crossbar.records import ArrayMapBlock, ContactRecord, WerPoint
from db.store import Store

KILLS = 10
RUNS = {
    "array-map": ["--dies", "24"],
    "write-error-rate": ["--dies", "3", "--set", "sample=30", "--set", "parallel=10",
                         "--set", "max_attempts=4000", "--set", "first_chunk=1000"],
}  # fmt: skip


def contents(database: Path) -> list[str]:
    """Every record of run 1, die by die, to the last bit."""
    with Store.open(database) as store:
        run = store.run(1)
        assert run.status == "done"
        assert store.integrity_check() == []
        assert store.done_dies(1) == set(run.dies)
        return [
            f"{die} {record.key} {fields(record)}"
            for die in run.dies
            for kind in (ContactRecord, ArrayMapBlock, WerPoint)
            for record in sorted(store.records(1, die, kind), key=lambda record: str(record.key))
        ]


def fields(record) -> list[object]:
    """The values of a record in a form that compares exactly; NaN equals NaN."""
    values = [getattr(record, name) for name in type(record).__slots__]
    return [value.tobytes() if hasattr(value, "tobytes") else value for value in values]


@pytest.mark.parametrize("protocol", RUNS)
def test_a_killed_run_resumes_to_the_same_tables(protocol, start_lab, tmp_path):
    """Ten kill -9 at random moments: no record lost, none double, every bit the same."""
    arguments = ["run", protocol, "--simulated", "--seed", "5", *RUNS[protocol], "--database"]
    whole = tmp_path / "whole.sqlite"
    started = time.perf_counter()
    undisturbed = start_lab(*arguments, str(whole))
    undisturbed.join()
    duration = time.perf_counter() - started
    assert undisturbed.exitcode == 0, (tmp_path / "stderr.txt").read_text()
    expected = contents(whole)

    moments, kills, rounds = random.Random(7), 0, 0
    while kills < KILLS:
        rounds += 1
        broken = tmp_path / f"broken-{rounds}.sqlite"
        resume = ["resume", "--simulated", "--seed", "5", "--database", str(broken)]
        while (now := status(broken)) != "done":
            process = start_lab(*(resume if now else [*arguments, str(broken)]))
            if kills < KILLS:
                process.join(moments.uniform(0.02, 0.4) * duration)
                kills += process.is_alive()
                process.kill()
            process.join()
        assert contents(broken) == expected


def status(database: Path) -> str | None:
    """Of run 1; None if the kill came before it was entered."""
    if not database.exists():
        return None
    with Store.open(database) as store:
        return store.run(1).status if store.runs() else None
