"""The whole measuring path over TCP, as a bench computer runs it: without torch."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crossbar.geometry import DieAddress
from db.store import Store

ROOT = Path(__file__).parents[2]


@pytest.fixture
def served_bench(start_lab, tmp_path):
    """`lab simulate --serve` in a process of its own; gives the bench file for its clients."""
    process = start_lab("simulate", "--serve", "--simulated", "--database", "server.sqlite")
    bench = tmp_path / "simulated.toml"
    for _ in range(300):
        if bench.exists() and bench.read_text():
            break
        time.sleep(0.1)
    yield bench
    process.terminate()
    process.join()


def test_instruments_over_tcp_are_measured_without_torch(served_bench, tmp_path):
    """Contact, array map, write error rates and defect maps; torch never enters the process."""
    code = (
        "import sys\n"
        "from lab.cli import app\n"
        "for command in sys.argv[1:]:\n"
        "    app(command.split('|'), standalone_mode=False)\n"
        "assert 'torch' not in sys.modules\n"
    )
    common = f"--bench|{served_bench}|--database|client.sqlite|--dies|2"
    commands = [
        f"check|--bench|{served_bench}|--database|client.sqlite",
        f"run|array-map|{common}|--no-fit",
        f"run|write-error-rate|{common}|--no-fit|--set|sample=2|--set|max_attempts=10000",
    ]
    finished = subprocess.run(
        [sys.executable, "-c", code, *commands],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert finished.returncode == 0, finished.stderr
    with Store.open(tmp_path / "client.sqlite") as store:
        (wafer,) = store.wafers()
        assert [run.status for run in store.runs()] == ["done", "done"]
        assert len(store.wer_points(wafer.id, DieAddress(1, 0))) == 2 * 2 * 24
        assert 0.9 < store.defect_map(wafer.id, DieAddress(0, 0)).fraction(0) < 1


def test_ctrl_c_ends_a_run_safely(start_lab, lab, tmp_path):
    """SIGTERM and SIGINT unwind: run marked interrupted, exit code 130, resumable."""
    process = start_lab(
        "run", "write-error-rate", "--simulated", "--set", "sample=400", "--set", "parallel=5"
    )
    database = tmp_path / "lab.sqlite"
    for _ in range(300):
        time.sleep(0.1)
        if database.exists() and _records(database):
            break
    process.terminate()
    process.join(30)

    assert process.exitcode == 130
    assert "lab resume" in (tmp_path / "stderr.txt").read_text()
    with Store.open(database) as store:
        assert store.run(1).status == "interrupted"
    listed = json.loads(lab("status", "--json").stdout)
    assert listed["runs"][0]["status"] == "interrupted"


def _records(database: Path) -> int:
    with Store.open(database) as store:
        return store.counts()["wer_points"]


def test_start_up_imports_nothing_heavy():
    """`lab --help` must come at once: no numpy, no torch, no database, no matplotlib."""
    code = (
        "import sys, lab.cli\n"
        "heavy = {'numpy', 'torch', 'sqlalchemy', 'matplotlib', 'scipy', 'pydantic', 'pyvisa'}\n"
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert finished.returncode == 0, finished.stderr
