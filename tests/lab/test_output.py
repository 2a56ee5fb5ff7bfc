"""What people read: nothing is swallowed as markup, and JSON stays alone on standard output."""

import json

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
    """People's text goes to standard error; numpy numbers become plain ones."""
    output = Output(as_json=True)
    output.say("measuring")
    output.result({"value": np.float64(0.5), "many": np.arange(3)})

    printed = capsys.readouterr()
    assert json.loads(printed.out) == {"value": 0.5, "many": [0, 1, 2]}
    assert "measuring" in printed.err
