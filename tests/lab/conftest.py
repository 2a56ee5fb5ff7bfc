"""Running `lab` commands in processes of their own, quickly, and killing them."""

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# A fork server imports the heavy modules once; every command then starts from there in no time.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["lab.cli", "lab.session", "lab.simulation", "lab.runs"])


def run_lab(arguments: list[str], folder: str) -> None:
    """What a command's process does. A module-level function, so that it can be sent there."""
    from lab.cli import main

    os.chdir(folder)
    sys.argv = ["lab", *arguments]
    with Path("output.txt").open("a") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
        main()


@pytest.fixture
def start_lab(tmp_path):
    """Start a command in the test's own folder; returns its process."""

    def start(*arguments: str):
        process = FORKS.Process(target=run_lab, args=(list(arguments), str(tmp_path)))
        process.start()
        return process

    return start


@pytest.fixture
def lab(tmp_path):
    """Run a command to its end, as a user would; returns what it printed and its exit code."""

    def run(*arguments: str, check: bool = False) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "lab.cli", *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
            capture_output=True,
            text=True,
            check=check,
            timeout=120,
        )

    return run
