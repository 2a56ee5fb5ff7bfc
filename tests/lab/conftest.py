"""Running `lab` commands in processes of their own, quickly, and killing them."""

import multiprocessing
import os
import resource
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

# A fork server imports the heavy modules once; every command then starts from there in no time.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    ["lab.cli", "lab.session", "lab.simulation", "lab.runs", "lab.demo", "lab.report.writing"]
)


@dataclass(frozen=True)
class Outcome:
    """How a command ended, as its user sees it."""

    returncode: int
    stdout: str
    stderr: str


def run_lab(arguments: list[str], folder: str, data_dir: str, largest_file: int | None) -> None:
    """What a command's process does. A module-level function, so that it can be sent there."""
    from lab.cli import main

    if largest_file is not None:  # a disk that fills up, as far as this process can tell
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, resource.RLIM_INFINITY))
    os.chdir(folder)
    # The fork server keeps the environment that it started with.
    os.environ |= {"COLUMNS": "200", "LAB_DATA_DIR": data_dir}
    sys.argv = ["lab", *arguments]
    for descriptor, name in ((1, "stdout.txt"), (2, "stderr.txt")):
        with Path(name).open("w") as output:
            os.dup2(output.fileno(), descriptor)
    main()


@pytest.fixture
def start_lab(tmp_path):
    """Start a command in the test's own folder; returns its process."""

    def start(*arguments: str, largest_file: int | None = None):
        data_dir = os.environ.get("LAB_DATA_DIR", "")
        process = FORKS.Process(
            target=run_lab, args=(list(arguments), str(tmp_path), data_dir, largest_file)
        )
        process.start()
        return process

    return start


@pytest.fixture
def lab(start_lab, tmp_path):
    """Run a command to its end; returns what it printed and its exit code."""

    def run(*arguments: str, largest_file: int | None = None) -> Outcome:
        process = start_lab(*arguments, largest_file=largest_file)
        process.join(250)
        return Outcome(
            process.exitcode,
            (tmp_path / "stdout.txt").read_text(),
            (tmp_path / "stderr.txt").read_text(),
        )

    return run
