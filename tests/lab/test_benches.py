"""Benches of other shapes than the built-in one: what reads and writes the cells differs, the
commands and the records do not.
"""

import re

import numpy as np
import pytest

from crossbar.geometry import DieAddress
from db.store import Store
from lab.configuration import built_in_text

SMALL = {"subarrays": 1, "word_lines": 6, "bit_lines": 5, "columns": 1, "rows": 1}
BOARDS = {
    "arc_two": ('driver = "arc_two"', 'address = "0:arc2fw.bin"'),
    "nist_daffodil": ('driver = "nist_daffodil"', 'address = "local"'),
}


@pytest.fixture
def bench_file(tmp_path):
    """Write a bench with a small die, and other instruments than the built-in ones."""

    def write(instruments, **settings):
        text = built_in_text()
        for name, value in (SMALL | settings).items():
            text, count = re.subn(rf"(?m)^{name} = \S+", f"{name} = {value}", text)
            assert count == 1, name
        before, _, rest = text.partition("[instruments.smu]")
        _, _, after = rest.partition("[wiring]")
        path = tmp_path / "bench.toml"
        path.write_text(f"{before}{instruments}\n[wiring]{after}")
        return path

    return write


PROBER = '[instruments.prober]\ndriver = "formfactor_velox"\naddress = "GPIB0::28::INSTR"\n'


@pytest.mark.parametrize("board", BOARDS)
def test_a_board_of_another_maker_maps_a_die(board, bench_file, lab, tmp_path):
    """Through the maker's package, here its stand-in: readings of both states, cell by cell."""
    bench_file(PROBER + "\n".join(["[instruments.die_board]", *BOARDS[board]]) + "\n")

    checked = lab("check")
    assert checked.returncode == 0, checked.stderr
    result = lab("run", "array-map", "--dies", "1")

    assert result.returncode == 0, result.stderr
    with Store.open(tmp_path / "lab.sqlite") as store:
        measured = store.array_map(1, DieAddress(0, 0))
    assert measured.low.shape == (1, 6, 5)
    assert np.median(measured.low / measured.high) > 1.3


def test_what_cannot_reach_a_cell_is_refused(bench_file, lab):
    """Before anything is opened, naming what is missing."""
    bench_file(PROBER)
    result = lab("check")

    assert result.returncode == 2
    assert re.search("nothing reads and writes the cells.*smu, pulse_generator", result.stderr)
