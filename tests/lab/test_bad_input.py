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
        ("read_amplitude=0", r"Read at 0 V refused.*Read higher"),
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


@pytest.mark.parametrize(
    ("old", "new", "pattern"),
    [
        ('"1.2 V"', "inf", r"\[limits\.mtj\] max_amplitude.*unit V \(got inf\)"),
        ('min_width = "1 ns"', 'min_width = "2 ms"', "min_width, 2 ms, is above max_width, 1 ms"),
        ('"simulated"', '""', r"\[wafer\] name: it must not be empty"),
        ("keithley_2600b", "keithley_2600", r"\[instruments\.smu\] driver.*mean keithley_2600b"),
        ("real_time", "mtj = {temprature = 1}\nreal_time", "did you mean temperature"),
        ("[limits.prober]", "[protocols.array_map]\n[limits.prober]", "did you mean array-map"),
        (
            "[limits.prober]",
            "[protocols.array-map]\nread_amplitud = 0.1\n[limits.prober]",
            r"\[protocols\.array-map\] read_amplitud: unknown key; did you mean read_amplitude",
        ),
    ],
)
def test_a_bench_file_is_checked_before_its_bench_is_opened(old, new, pattern, bench_file, lab):
    """By every command, tables of protocols that it does not run among it."""
    path = bench_file((old, new))

    one_message(lab("check", "--bench", str(path)), 2, pattern)


def test_a_limit_beyond_an_instrument_names_the_file_that_sets_it(bench_file, lab):
    """Value, what the instrument takes, and where the value stands."""
    result = lab("check", "--bench", str(bench_file(('max_current = "1 mA"', "max_current = 20"))))

    one_message(result, 3, r"bench\.toml \[limits\] .*20 A.* 1\.5 A")


def test_a_name_with_a_slash_and_a_mark_at_the_beginning_are_no_mistakes(bench_file, lab, tmp_path):
    """ "lot 7/3" is a wafer and no folder; some editors begin a file with a byte order mark."""
    path = bench_file(('"simulated"', '"lot 7/3"'))
    path.write_text(path.read_text(), encoding="utf-8-sig")

    done = lab("run", "contact-check", "--bench", str(path), "--dies", "1")

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "lab.lot 7%2F3-1.wafer.npz").exists()


def test_papers_are_done_again_in_a_database_that_lasts(lab):
    """Its points are what the same command goes on from."""
    result = lab("reproduce", "no-ecc", "--quick", "--database", "")

    assert result.returncode == 2, result.stderr
    assert "names no file" in result.stderr


@pytest.mark.parametrize("database", ["", ":memory:", "sqlite://"])
def test_what_is_measured_goes_to_a_database_that_lasts(database, lab):
    """A database in memory ends with the command, and the measurement with it."""
    result = lab("run", "contact-check", "--simulated", "--dies", "1", "--database", database)

    assert result.returncode == 2, result.stderr
    assert "names no file" in result.stderr


@pytest.mark.parametrize("setting", ['cells=["0:0:0", "0:0:00"]', 'amplitudes=["0.5 V", 0.5]'])
def test_what_is_named_twice_is_refused_before_any_pulse(setting, lab, tmp_path):
    """The database refuses the second record, after the pulses for it."""
    one_message(
        lab("run", "write-error-rate", "--simulated", "--dies", "1", "--set", setting), 2, "twice"
    )

    lab("run", "contact-check", "--simulated", "--dies", "1")
    with Store.open(tmp_path / "lab.sqlite") as store:
        known = store.stress(1, DieAddress(0, 0))
    assert known is None or not known[0].any()


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
        (["train", "--in-the-loop", "--simulated", "--die", "2"], "--die '2': write .* one die"),
        (["train", "defect-aware", "--simulated", "--die", "0,0 1,0"], "--die .* one die"),
        (["train", "defect-aware", "--simulated", "--die", "9,9"], "--die '9,9': .*no die"),
        (["train", "ideal", "--simulated", "--torch-device", "abacus"], "cannot compute there"),
        (
            ["train", "ideal", "--simulated", "--wires", "1 Ohm", "--torch-device", "cuda"],
            "compute on the CPU only|cannot compute there",
        ),
        (["run", "array-map", "--simulated", "--set", "read_amplitude=nan"], "unit V.*got nan"),
        (["run", "array-map", "--simulated", "--set", "read_amplitude=true"], "unit V.*got True"),
        (["run", "write-error-rate", "--simulated", "--set", "widths=1"], "widths: write a list"),
        (["run", "write-error-rate", "--simulated", "--set", "=1"], "write name=value"),
        (["import", "csv", "mine.csv", "--set", "technology=foo"], "technology: .*'mtj' or 'hfox'"),
        (["run", "array-map", "--simulated", "--dies", "0"], "--dies 0: .* 36 dies"),
        (["run", "array-map", "--simulated", "--dies", "37"], "ask for 1 to 36"),
        (["run", "array-map", "--simulated", "--dies", ""], "write all, a number"),
        (["run", "array-map", "--simulated", "--dies", "0,0 0,0"], "twice"),
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
        (["evaluate", "--simulated", "--dies", "1"], "no database lab.sqlite"),
        (["import", "conductance-map", "."], "holds no conductance maps"),
        (["twin", "nothing"], "holds no conductance maps"),
        (["report"], "lab.sqlite"),
        (["resume", "--simulated"], "no database lab.sqlite"),
    ],
)
def test_what_comes_too_early_says_what_comes_first(arguments, pattern, lab):
    """Every step names the one before it."""
    result = lab(*arguments)

    assert result.returncode in (6, 7)
    one_message(result, result.returncode, pattern)


def test_a_data_folder_that_is_not_there_is_named(lab, monkeypatch):
    """Rather than downloading what the user has."""
    monkeypatch.setenv("LAB_DATA_DIR", "/nowhere/data")
    one_message(lab("train", "ideal", "--simulated"), 2, "LAB_DATA_DIR names /nowhere/data")


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
