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


MATRIX = """
[instruments.smu]
driver = "keithley_2450"
address = "GPIB0::18::INSTR"
[instruments.pulse_generator]
driver = "keysight_81160a"
address = "TCPIP0::81160a::INSTR"
[instruments.switch_matrix]
driver = "keithley_707b"
address = "TCPIP0::707b::INSTR"
"""


def test_a_matrix_leads_two_instruments_to_every_cell(bench_file, lab, tmp_path):
    """Pulses of the generator, readings of the SMU, and relays that choose between them."""
    bench_file(PROBER + MATRIX, word_lines=3, bit_lines=4)
    result = lab("run", "array-map", "--dies", "1")

    assert result.returncode == 0, result.stderr
    with Store.open(tmp_path / "lab.sqlite") as store:
        measured = store.array_map(1, DieAddress(0, 0))
    assert measured.low.shape == (1, 3, 4)
    assert np.median(measured.low / measured.high) > 1.3


PULSE_MEASURE_UNITS = [
    ("keithley_4200a", "TCPIP0::4200a::1225::SOCKET", ""),
    ("keithley_4200a", "TCPIP0::4200a::1225::SOCKET", "{ smu = 2, pulse_channel = 3 }"),
    ("keysight_b1500a", "GPIB0::17::INSTR", ""),
    ("keysight_b1500a", "GPIB0::17::INSTR", "{ smu = 2, pulse_output = 402 }"),
    ("keysight_wgfmu", "GPIB0::17::INSTR", "{ channel = 502 }"),
]


@pytest.mark.parametrize(("driver", "address", "options"), PULSE_MEASURE_UNITS)
def test_needles_on_a_single_cell(driver, address, options, bench_file, lab, tmp_path):
    """One box pulses and reads; which of its channels is wired stands in the bench file."""
    lines = [PROBER, "[instruments.pulse_measure_unit]"]
    lines += [f'driver = "{driver}"', f'address = "{address}"']
    lines += [f"options = {options}"] if options else []
    bench_file("\n".join(lines) + "\n", word_lines=1, bit_lines=1)

    checked = lab("check")
    assert checked.returncode == 0, checked.stderr
    result = lab("run", "array-map", "--dies", "1", "--set", "write_width=1e-7")

    assert result.returncode == 0, result.stderr
    with Store.open(tmp_path / "lab.sqlite") as store:
        measured = store.array_map(1, DieAddress(0, 0))
    assert measured.low[0, 0, 0] / measured.high[0, 0, 0] > 1.3


@pytest.mark.parametrize(
    ("options", "pattern"),
    [
        ("{ smuu = 2 }", "has 'smuu', but the driver keithley_4200a has smu, pulse_channel"),
        ('{ smu = "two" }', "smu = 'two' is refused.*valid integer"),
        ("{ smu = 9 }", "SMUs 1 to 4.*SMU 9"),
    ],
)
def test_options_that_the_driver_does_not_have(options, pattern, bench_file, lab):
    """One message that names the option, the driver and what it does have."""
    unit = '[instruments.pulse_measure_unit]\ndriver = "keithley_4200a"\n'
    address = 'address = "TCPIP0::4200a::1225::SOCKET"\n'
    bench_file(f"{PROBER}{unit}{address}options = {options}\n", word_lines=1, bit_lines=1)
    result = lab("check")

    assert result.returncode == 2
    assert re.search(pattern, " ".join(result.stderr.split()))
    assert "Traceback" not in result.stderr


def test_what_cannot_reach_a_cell_is_refused(bench_file, lab):
    """Before anything is opened, naming what is missing."""
    bench_file(PROBER)
    result = lab("check")

    assert result.returncode == 2
    assert re.search("nothing reads and writes the cells.*smu, pulse_generator", result.stderr)
