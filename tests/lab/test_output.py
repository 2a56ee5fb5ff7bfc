"""What people read: nothing is swallowed as markup, and JSON stays alone on standard output."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from lab.output import Output


def test_brackets_reach_the_reader(capsys):
    """A message about "[limits]" says so, in a line as in a table."""
    output = Output(as_json=False)
    output.say("set by bench.toml [limits] max_amplitude")
    output.table("Runs", ["message"], [["bench.toml [limits]"]])

    printed = capsys.readouterr().out
    assert "bench.toml [limits] max_amplitude" in printed
    assert printed.count("[limits]") == 2


def test_json_is_one_document_and_nothing_else(capsys):
    """People's text goes to standard error; numpy numbers become plain ones, open ends null."""
    output = Output(as_json=True)
    output.say("measuring")
    output.result(
        {
            "value": np.float64(0.5),
            "many": np.arange(3),
            "open": [1.0, -math.inf, np.float64(np.inf), math.nan],
            "array": np.array([np.nan, 2.0]),
        }
    )

    printed = capsys.readouterr()
    assert json.loads(printed.out) == {
        "value": 0.5,
        "many": [0, 1, 2],
        "open": [1.0, None, None, None],
        "array": [None, 2.0],
    }
    assert "NaN" not in printed.out
    assert "Infinity" not in printed.out
    assert "measuring" in printed.err


def ended(*arguments, **options):
    """A command in a process of its own, once it has ended."""
    code = "from lab.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], stderr=subprocess.PIPE, text=True, **options
    )


def test_a_disk_that_is_full_is_told(tmp_path):
    """Results go to a file at times."""
    with Path("/dev/full").open("wb") as full:
        done = ended("init", str(tmp_path / "bench.toml"), stdout=full)

    assert done.returncode == 1
    assert done.stderr.startswith("error: No space left on device: the output")
    assert done.stderr.count("\n") == 1


def test_an_encoding_without_mu_is_no_reason_to_fail():
    """Nor to print a "?", which could be an "m" as well."""
    done = ended("run", "µ", "--simulated", env=os.environ | {"PYTHONIOENCODING": "ascii"})

    assert done.returncode == 2
    assert "no protocol '\\N{MICRO SIGN}'" in done.stderr
