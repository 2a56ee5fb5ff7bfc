"""Bad input: one clear message, an exit code that is not 0, and nothing sent to a cell."""

import re

import numpy as np
import pytest

from crossbar.errors import LabError, WrongInstrumentError
from crossbar.geometry import DieAddress
from db.store import Store
from lab.bench import opened
from lab.configuration import built_in_text, read_configuration
from lab.simulation import simulated_bench


@pytest.fixture
def bench_file(tmp_path):
    """Write a bench file with some of the built-in text replaced."""

    def write(*replacements):
        text = built_in_text()
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "bench.toml"
        path.write_text(text)
        return path

    return write


def one_message(result, code: int, pattern: str) -> None:
    """The command failed with this code and said this, on a line that starts with "error:"."""
    assert result.returncode == code, result.stderr
    assert result.stderr.startswith("error: ")
    assert "Traceback" not in result.stderr
    assert re.search(pattern, result.stderr), result.stderr


@pytest.mark.parametrize(
    ("setting", "pattern"),
    [
        ('write_amplitude="1.6 V"', r"1\.6 V refused.*±1\.2 V.*\[limits\.mtj\] max_amplitude"),
        ('write_width="0.1 ns"', r"width of 100 ps refused.*1 ns to 1 ms"),
        ('read_amplitude="0.5 V"', r"Read at 0\.5 V refused.*max_read_amplitude"),
    ],
)
def test_a_stimulus_beyond_the_limits_is_refused(setting, pattern, lab, tmp_path):
    """Value, limit, who set it; exit code 3; no record but the contact's, no pulse at all."""
    result = lab("run", "array-map", "--simulated", "--dies", "1", "--set", setting)

    one_message(result, 3, pattern)
    with Store.open(tmp_path / "lab.sqlite") as store:
        assert store.run(1).status == "failed"
        assert store.counts()["array_map_blocks"] == 0


def test_every_mistake_in_the_bench_file_is_named(bench_file, lab):
    """Unknown keys with what was meant, wrong units with the right one; all at once."""
    path = bench_file(("max_amplitude =", "max_amplitud ="), ('"1 ns"', '"1 V"'))
    result = lab("check", "--bench", str(path))

    one_message(result, 2, r"max_amplitud: unknown key; did you mean max_amplitude\?")
    assert "'1 V' has the wrong unit" in result.stderr


def test_instruments_that_are_off_are_all_named(bench_file, lab):
    """Nothing listens at two addresses: both are reported in one go."""
    path = bench_file(
        ("[simulation] ", "# [simulation] "),
        ("seed = 1", ""),
        ("real_time = false", "#"),
        ("TCPIP0::192.168.0.10::inst0::INSTR", "TCPIP::127.0.0.1::9::SOCKET"),
        ("TCPIP0::192.168.0.11::inst0::INSTR", "TCPIP::127.0.0.1::9::SOCKET"),
        ("GPIB0::28::INSTR", "TCPIP::127.0.0.1::9::SOCKET"),
        ("TCPIP0::192.168.0.12::5025::SOCKET", "TCPIP::127.0.0.1::9::SOCKET"),
    )
    path.write_text('visa_library = "@py"\n' + path.read_text())
    result = lab("check", "--bench", str(path))

    one_message(result, 4, r"4 of 4 instruments did not open")
    for role in ("smu", "pulse_generator", "prober", "die_board"):
        assert re.search(rf"  {role} at .* does not answer: is it on", result.stderr)


def test_a_stranger_at_the_address_is_not_used(tmp_path):
    """The SMU's address leads to the pulse generator: nothing is opened, the message says who."""
    configuration, source = read_configuration(None)
    with Store.open(tmp_path / "x.sqlite") as store:
        simulation = simulated_bench(configuration, store, None)
    tables = dict(configuration.instruments)
    tables["smu"] = tables["smu"].model_copy(update={"address": tables["pulse_generator"].address})
    swapped = configuration.model_copy(update={"instruments": tables})

    with (
        pytest.raises(WrongInstrumentError, match="81160A"),
        opened(swapped, source, simulation=simulation),
    ):
        pytest.fail("opened with a wrong instrument")


def test_an_unwritable_database_is_reported_before_anything_moves(lab):
    """The folder does not exist."""
    one_message(
        lab("run", "array-map", "--simulated", "--database", "nowhere/lab.sqlite"),
        6,
        "nowhere",
    )


def test_a_file_that_is_no_database_is_reported(lab, tmp_path):
    """Somebody's notes are left alone."""
    notes = tmp_path / "notes.sqlite"
    notes.write_text("measured on Tuesday" * 100)

    one_message(lab("status", "--database", "notes.sqlite"), 6, "notes.sqlite")
    assert notes.read_text().startswith("measured on Tuesday")


@pytest.mark.parametrize(
    ("arguments", "pattern"),
    [
        (["run", "array-mop", "--simulated"], "no protocol 'array-mop'; there are"),
        (["run", "array-map"], "No bench: give --simulated"),
        (["run", "array-map", "--simulated", "--set", "block=3"], "--set block: unknown key"),
        (["run", "array-map", "--simulated", "--dies", "9,9"], "no die"),
        (["run", "array-map", "--bench", "absent.toml"], "absent.toml cannot be read"),
        (["run", "write-error-rate", "--simulated", "--set", "cells=['0:3']"], "not a cell"),
        (["train", "magic", "--simulated"], "no strategy 'magic'"),
        (["train", "ideal", "--simulated", "--torch-device", "abacus"], "cannot compute there"),
        (
            ["train", "ideal", "--simulated", "--wires", "1 Ohm", "--torch-device", "cuda"],
            "compute on the CPU only|cannot compute there",
        ),
        (["resume", "--simulated"], "no interrupted run"),
        (["demo", "--dataset", "fashion"], "fashion"),
    ],
)
def test_a_wrong_command_line_is_explained(arguments, pattern, lab):
    """Value, what there is, exit code 2."""
    one_message(lab(*arguments), 2, pattern)


@pytest.mark.parametrize(
    ("arguments", "pattern"),
    [
        (["train", "statistics-aware", "--simulated"], "No die of this wafer is mapped"),
        (["evaluate", "--simulated", "--dies", "1"], "not programmed yet"),
        (["import", "conductance-map", "."], "holds no conductance maps"),
        (["twin", "nothing"], "holds no conductance maps"),
        (["report"], "lab.sqlite"),
    ],
)
def test_what_comes_too_early_says_what_comes_first(arguments, pattern, lab):
    """Every step names the one before it."""
    result = lab(*arguments)

    assert result.returncode in (6, 7)
    one_message(result, result.returncode, pattern)


def fail_while_touching(bench):
    """Read a cell through the bench instruments, then fail."""
    with bench.contacted(DieAddress(0, 0)) as die:
        die.read(np.array([0]), 0.1)
        assert bench.simulation.station.in_contact
        raise LabError("something went wrong")


def test_outputs_are_off_and_the_chuck_is_down_after_a_failure(tmp_path):
    """Whatever was raised between contact and separation."""
    configuration, source = read_configuration(None)
    with Store.open(tmp_path / "x.sqlite") as store:
        simulation = simulated_bench(configuration, store, None)
    with opened(configuration, source, simulation=simulation, execution="software") as bench:
        with pytest.raises(LabError, match="went wrong"):
            fail_while_touching(bench)

        assert not simulation.station.in_contact
        assert simulation.station.measured_cell is None
        assert bench.instruments["pulse_generator"].output_enabled is False
