"""Other people's files: what they become, and what is said of those that make no sense."""

import json
import math

import numpy as np
import pytest

from crossbar.errors import ConfigurationError, DataError
from crossbar.geometry import DieAddress
from crossbar.pulses import State
from crossbar.records import PulseTrain, ReadTrace, WerPoint
from db.store import Store
from lab.importing.catalog import FORMATS, import_format
from lab.parameters import build

TABLE = """device_id,direction,V,t_p,P_sw,n_reps
A,AP->P,0.8,7.5e-10,0.0,100
A,P->AP,0.9,7.5e-10,0.5,100
B,P -> AP,-0.9,7.5e-10,0.98,100
"""
SHOTS = "1\t4000\t8100\t1\n2\t4010\t4020\t0\n3\t8000\t8100\t0\n4\t4020\t8090\t1\n"
SWEEP = "-0.9\t4020.5\n-0.4\t8100.5\n0.9\t8110.5\n0.8\t4030.5\n"
RESETS = """1450.000\t200.000\t0.000\t3.500\t5000.000\t5001.000
1450.000\t200.000\t0.900\t3.500\t5002.000\t9000.000
1450.000\t200.000\t0.000\t3.500\t5100.000\t5101.000
1451.000\t100.000\t0.000\t3.500\t6000.000\t6001.000
"""
CYCLES = "200.000\t90000.0\t5000.0\t80000.0\t5100.0\n201.000\t70000.0\t4900.0\t60000.0\t4800.0\n"
ENDURANCE = "7476.365\t1158499.503\n6530.709\t450970.845\n"
DRIFT = """10000.000\t2.9\t1.9\t46599.3\t37525.7\t34839.8
10004.000\t2.2\t3.1\t45697.2\t46340.8\t46000.0
"""
WER = "cell,amplitude (mV),width (ns),attempts,errors\n3,600,10,1000,5\n3,-700,10,1000,0\n"
TRAINS = "cell;pulses;amplitude;width;resistance (kOhm)\n5;0;;;10\n5;3;-0.6;1e-7;11\n"
TRACES = "cell,state,time (ms),conductance (uS)\n0,HRS,1,10\n0,LRS,1,100\n0,HRS,2,11\n"
SHOTS_NAME = "x pulse width_0.750 ns  V_SOT 880.0 mV Hx 200 Oe.txt"
SOUND = {
    "csv": ("points.csv", WER),
    "mtj-switching-table": ("table.csv", TABLE),
    "mtj-shots": (SHOTS_NAME, SHOTS),
    "mtj-pulse-sweep": ("pulse_width_2_000_ns.txt", SWEEP),
    "hfox-reset-sweep": ("resets.csv", RESETS),
    "hfox-cycling": ("cycles.csv", CYCLES),
    "rram-endurance": ("endurance.csv", ENDURANCE),
    "rram-drift": ("drift.csv", DRIFT),
}


@pytest.fixture
def read(tmp_path):
    """Read a file of that content: ``read("hfox-cycling", text, attempts=50)``."""

    def measurements(name, content, file="file.csv", **said):
        path = tmp_path / file
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        entry = import_format(name)
        return entry.read(path, build(entry.parameters, ("--set", said)))

    return measurements


def test_a_switching_table_becomes_counts(read):
    """Cells in the order of their names, errors from P_sw, amplitudes that write the target."""
    found = read("mtj-switching-table", TABLE)
    first, second, third = found.records

    assert [(p.cell, p.target, p.amplitude) for p in found.records] == [
        (0, State.LOW, 0.8), (0, State.HIGH, -0.9), (1, State.HIGH, -0.9)
    ]  # fmt: skip
    assert (first.attempts, first.errors) == (100, 100)
    assert (second.attempts, second.errors, second.width) == (100, 50, 7.5e-10)
    assert third.errors == 2
    assert found.details["cells"] == {0: "A", 1: "B"}


def test_what_the_table_says_of_itself_can_be_corrected(read):
    """Fewer trials, directions the other way round."""
    found = read("mtj-switching-table", TABLE, attempts=50, swap_directions=True)

    assert [(p.target, p.attempts, p.errors) for p in found.records] == [
        (State.HIGH, 50, 50), (State.LOW, 50, 25), (State.LOW, 50, 1)
    ]  # fmt: skip


def test_trials_that_the_table_exaggerates_are_remarked_on(read):
    """Twelve probabilities that are all multiples of 1/50 of 100 trials; two would be chance."""
    head = TABLE.splitlines()[0]
    rows = [f"A,AP->P,{0.8 + k / 100:.2f},1e-9,{(k + 2) / 50},100" for k in range(12)]

    (note,) = read("mtj-switching-table", "\n".join([head, *rows])).notes
    assert "multiples of 1/50" in note
    assert "--set attempts=50" in note
    assert not read("mtj-switching-table", "\n".join([head, *rows[:2]])).notes


def test_lines_of_one_condition_are_pooled(read):
    """Counts add up, and a note says whose."""
    found = read("mtj-switching-table", TABLE + "A,P->AP,0.9,7.5e-10,0.7,100\n")

    assert [(p.attempts, p.errors) for p in found.records][1] == (200, 80)
    assert found.notes == ("Line 5 repeats the condition of line 3; their counts are pooled.",)


def test_shots_are_counted_and_kept(read):
    """The condition stands in the name; a shot from the wrong state is rejected."""
    point, train = read("mtj-shots", SHOTS, SHOTS_NAME).records

    assert (point.attempts, point.errors, point.rejected) == (3, 1, 1)
    assert (point.target, point.amplitude, point.width) == (State.HIGH, -0.88, 0.75e-9)
    assert train.pulses.tolist() == [0, 1] * 4
    assert 1 / train.conductance[:2] == pytest.approx([4000, 8100])


def test_shots_need_a_condition(read):
    """Neither in the name nor given: what to say."""
    with pytest.raises(ConfigurationError, match="--set width="):
        read("mtj-shots", SHOTS)
    with pytest.raises(ConfigurationError, match="--set target=low or --set target=high"):
        read("mtj-shots", "1\t4000\t4010\t0\n", SHOTS_NAME)
    point, _ = read("mtj-shots", SHOTS, amplitude="0.9 V", width="1 ns", cell=2).records
    assert (point.cell, point.amplitude, point.width) == (2, -0.9, 1e-9)


def test_a_flag_against_its_resistances_is_remarked_on(read):
    """Switched says 0, the resistance went up."""
    (first, *_) = read("mtj-shots", SHOTS.replace("4020\t0", "8100\t0"), SHOTS_NAME).notes
    assert "1 shots are flagged otherwise" in first


def test_a_pulse_sweep_takes_our_polarity(read):
    """Where positive pulses write HIGH, volts change their sign; where they do not, they stay."""
    found = read("mtj-pulse-sweep", SWEEP, "pulse_width_2_000_ns.txt")
    (train,) = found.records
    assert train.amplitude.tolist() == [0.9, 0.4, -0.9, -0.8]
    assert set(train.width) == {2e-9}
    assert "write HIGH in this file" in found.notes[0]

    turned = read("mtj-pulse-sweep", "0.9\t4000\n-0.9\t8000\n", width="1 ns")
    assert turned.records[0].amplitude.tolist() == [0.9, -0.9]
    assert not turned.notes


def test_reset_sweeps_are_told_apart(read):
    """A new sweep where the source line falls or the address changes; RESET is negative."""
    trains = read("hfox-reset-sweep", RESETS).records

    assert [(t.cell, t.part, len(t.pulses)) for t in trains] == [
        (1450, 0, 4), (1450, 1, 2), (1451, 0, 2)
    ]  # fmt: skip
    assert trains[0].amplitude[1::2].tolist() == [0.0, -0.9]
    assert np.isnan(trains[0].amplitude[::2]).all()
    assert 1 / trains[0].conductance == pytest.approx([5000, 5001, 5002, 9000])
    assert trains[2].width[1] == pytest.approx(100e-9, rel=1e-15)


def test_cycling_keeps_the_order_of_states(read):
    """A train a line; which state came first goes with the run."""
    found = read("hfox-cycling", CYCLES)

    assert [t.cell for t in found.records] == [200, 201]
    assert 1 / found.records[1].conductance == pytest.approx([70000, 4900, 60000, 4800])
    assert np.isnan(found.records[0].amplitude).all()
    assert found.details == {"first_state": "high"}


def test_endurance_is_one_train(read):
    """So many cycles a line, as said."""
    found = read("rram-endurance", ENDURANCE, cycles_per_line=100)

    assert found.records[0].pulses.tolist() == [100] * 4
    assert found.details == {"first_state": "low"}
    assert "200 in all" in found.notes[0]


def test_drift_has_times_only_if_said(read):
    """Unknown, then every 10 ms."""
    unknown = read("rram-drift", DRIFT)
    known = read("rram-drift", DRIFT, read_interval="10 ms", state="low", read_amplitude="0.2 V")

    assert np.isnan(unknown.records[0].time).all()
    assert "read_interval" in unknown.notes[0]
    assert known.records[1].time == pytest.approx([0.01, 0.02, 0.03])
    assert (known.records[1].state, known.records[1].read_amplitude) == (State.LOW, 0.2)
    assert known.details["reset_voltages"]["10004/0"] == [2.2, 3.1]


def test_own_tables_say_their_units(read):
    """Write errors, trains and traces, in the units that the header names."""
    low, high = read("csv", WER).records
    assert (low.amplitude, low.target, low.width, low.errors) == (0.6, State.LOW, 1e-8, 5)
    assert (high.amplitude, high.target, high.attempts) == (-0.7, State.HIGH, 1000)

    (train,) = read("csv", TRAINS, technology="hfox").records
    assert train.pulses.tolist() == [0, 3]
    assert math.isnan(train.amplitude[0])
    assert 1 / train.conductance == pytest.approx([1e4, 1.1e4])

    of_low, of_high = read("csv", TRACES, technology="hfox").records
    assert (of_low.state, of_high.state) == (State.LOW, State.HIGH)
    assert of_high.time == pytest.approx([1e-3, 2e-3])
    assert of_high.conductance == pytest.approx([1e-5, 1.1e-5])


def test_our_own_export_is_read_back(read):
    """Brackets around units, columns that are not needed."""
    exported = "run,die_x,die_y,cell,target,amplitude [V],width [s],attempts,errors,rejected\n"
    found = read("csv", exported + "1,0,0,7,high,-0.5,3e-08,100,2,1\n")

    assert found.records[0].rejected == 1
    assert found.notes == ("Columns that are not used: run, die_x, die_y.",)


@pytest.mark.parametrize("name", [entry.name for entry in FORMATS])
@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: "\ufeff" + text,
        lambda text: "# from the bench in room 7\n\n" + text,
        lambda text: text.replace("\t", ";"),
        lambda text: text.replace("\t", "  "),
        lambda text: text.rstrip("\n"),
    ],
)
def test_how_a_file_is_written_does_not_matter(name, change, read):
    """Line ends, marks, comments, delimiters: the same records."""
    file, text = SOUND[name]
    expected, found = read(name, text, file), read(name, change(text), file)

    assert repr(found.records) == repr(expected.records)


@pytest.mark.parametrize("name", [entry.name for entry in FORMATS])
@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty"),
        (b"\n\n# nothing\n", "is empty"),
        (b"\x1f\x8b\x08\x00rest", "is gzip"),
        (b"1\t\x002", "is not text"),
    ],
)
def test_what_is_no_text_is_refused(name, content, complaint, read):
    """Nothing, comments only, compressed, binary."""
    with pytest.raises(DataError, match=complaint):
        read(name, content, SOUND[name][0])


@pytest.mark.parametrize(
    ("name", "old", "new", "complaint"),
    [
        ("mtj-switching-table", "0.5,100", "52,100", r"line 3: P_sw is 52; expected a fraction"),
        ("mtj-switching-table", "0.5,100", "nan,100", r"line 3: P_sw is nan; expected a finite"),
        ("mtj-switching-table", "0.5,100", "0.505,100", r"line 3: .*50\.5 of them.*attempts="),
        ("mtj-switching-table", "0.5,100", "0.5", r"line 3: holds 5 values.*names 6"),
        ("mtj-switching-table", "0.5,100", "", r"line 3: P_sw is '', empty|line 3: holds 4 values"),
        ("mtj-switching-table", "A,AP->P", "A,up", r"line 2: direction is 'up'; expected P->AP"),
        ("mtj-switching-table", "t_p", "width", r"line 1: the column t_p is missing"),
        ("mtj-switching-table", "7.5e-10", "0.75", r"t_p is typically 0.75, .*no value in seconds"),
        ("mtj-switching-table", "0.9,7", "900,7", r"V is typically 900, .*no value in volts"),
        ("mtj-shots", "4010", "4,01", r"line 2: R before \[Ohm\] is '4,01', .*decimal points"),
        ("mtj-shots", "\t0\n3", "\t2\n3", r"line 2: switched is 2; expected 0 or 1"),
        ("mtj-shots", "8090\t1", "8090", r"line 4: holds 3 values; expected 4 .*cut off"),
        ("mtj-pulse-sweep", "8100.5", "R", r"line 2: R after \[Ohm\] is 'R', which is not a num"),
        ("hfox-reset-sweep", "1451.000", "70000", r"line 4: the address is 70000; expected"),
        ("hfox-reset-sweep", "\t0.900", "\t-0.900", r"line 2: a pulse of 200 ns with -0.9 V"),
        ("hfox-cycling", "\t4800.0\n", "", r"line 2: holds 4 values; expected an address.*cut off"),
        ("rram-endurance", "450970.845", "inf", r"line 2: R after RESET \[Ohm\] is inf"),
        ("rram-drift", "37525.7", "0", r"line 1: value 5 is 0 Ohm"),
        ("rram-drift", "\t2.2\t3.1", "\t2.2", r"line 2: holds 5 values; expected .*cut off"),
        ("csv", "errors", "faults", r"line 1: give one of the columns errors and switched"),
        ("csv", "(mV)", "(mA)", r"line 1: the column 'amplitude \(mA\)' must be in V"),
        ("csv", "1000,5", "1000,5.5", r"line 2: errors is 5.5; expected a whole number"),
        ("csv", "1000,5", "1000,5000", r"line 2: errors is 5000, more than the 1000 attempts"),
        ("csv", "(ns)", "(s)", r"width is typically 10, .*no value in seconds"),
    ],
)
def test_what_makes_no_sense_is_refused_by_line_and_value(name, old, new, complaint, read):
    """File, line, value, what was expected."""
    file, text = SOUND[name]
    assert old in text
    with pytest.raises(DataError, match=complaint) as refused:
        read(name, text.replace(old, new), file)
    assert str(refused.value).count(file) == 1


def test_kilo_ohms_are_not_taken_for_ohms(read):
    """The whole column in another unit."""
    with pytest.raises(DataError, match=r"typically 4\.05, which is no value in ohm"):
        read("rram-endurance", "4.000\t8.0\n4.100\t8.1\n")


def test_a_number_that_is_cut_in_two_is_noticed(read):
    """All other lines end with three decimals, the last with one, and without a line end."""
    with pytest.raises(DataError, match=r"line 4: the last value, '6001.0', .*is cut off"):
        read("hfox-reset-sweep", RESETS.rstrip("\n")[:-2])


def test_sound_files_reach_the_database_and_broken_ones_do_not(lab, tmp_path):
    """`lab import`, `lab status`: one run a file; nothing of a broken file, nothing twice."""
    (tmp_path / "resets.csv").write_text(RESETS)
    (tmp_path / "broken.csv").write_text(RESETS + "1452.000\t200\n")

    imported = json.loads(lab("import", "hfox-reset-sweep", "resets.csv", "--json").stdout)
    broken = lab("import", "hfox-reset-sweep", "broken.csv")
    again = lab("import", "hfox-reset-sweep", "resets.csv")
    (line,) = json.loads(lab("status", "--json").stdout)["runs"]

    assert imported["records"] == {"PulseTrain": 3}
    assert broken.returncode == 7
    assert "broken.csv, line 5: holds 2 values; expected 6" in broken.stderr
    assert again.returncode == 6
    assert "is stored already, as run 1" in again.stderr
    assert (line["protocol"], line["status"], line["wafer"]) == ("imported", "done", "resets")
    with Store.open(tmp_path / "lab.sqlite") as store:
        assert len(store.records(1, DieAddress(0, 0), PulseTrain)) == 3
        assert store.counts()["wafers"] == 1


def test_a_wafer_that_is_too_small_or_another_is_not_written_to(lab, tmp_path):
    """Names are kept apart."""
    (tmp_path / "a.csv").write_text(WER)
    (tmp_path / "b.csv").write_text(WER.replace("3,", "9,"))
    (tmp_path / "c.csv").write_text(CYCLES)

    assert lab("import", "csv", "a.csv", "--name", "w").returncode == 0
    small = lab("import", "csv", "b.csv", "--name", "w")
    other = lab("import", "hfox-cycling", "c.csv", "--name", "w")
    unknown = lab("import", "hfox-cyclin", "c.csv")

    assert "has a cell 9, but dies of the wafer 'w' have only 4 cells" in small.stderr
    assert "asked for as hfox" in other.stderr
    assert "Did you mean hfox-cycling?" in unknown.stderr


@pytest.mark.parametrize(
    ("name", "pattern", "kind", "records", "cells"),
    [
        ("mtj-switching-table", "mtj-sot/measured_0p75ns.csv", WerPoint, 46, 2),
        ("mtj-shots", "mtj-sot/device2_paperB/1*.txt", PulseTrain, 1, 1),
        ("mtj-pulse-sweep", "mtj-sot/device2_paperB/device2pulse_*.txt", PulseTrain, 1, 1),
        ("hfox-reset-sweep", "hfox-1t1r-sweeps/reset-*.csv", PulseTrain, 500, 50),
        ("hfox-cycling", "hfox-1t1r-sweeps/cycling-*.csv", PulseTrain, 256, 256),
        ("rram-endurance", "rram-skywater/endurance.csv", PulseTrain, 1, 1),
        ("rram-drift", "rram-skywater/1T4R_*.csv", ReadTrace, 101, 101),
    ],
)
def test_the_published_files_are_read(name, pattern, kind, records, cells, data_dir):
    """Everything of every published file, as SOURCES.md describes it."""
    (path,) = (data_dir / "measured-cells").glob(pattern)
    entry = import_format(name)
    found = [r for r in entry.read(path, entry.parameters()).records if isinstance(r, kind)]

    assert len(found) == records
    assert len({record.cell for record in found}) == cells


@pytest.mark.parametrize("name", [entry.name for entry in FORMATS])
def test_any_damage_ends_in_one_message_or_in_sound_records(name, read):
    """A hundred and fifty files with random pieces put in, or characters taken out."""
    file, text = SOUND[name]
    random = np.random.default_rng(sum(map(ord, name)))
    pieces = ["", "nan", "-1", "0", "1e400", "\t", ",", ";", "\n", '"', "x", "µ", "-0", "\r",
              "99999999999999999999", "0.5", "#", "\x00", "(ms)", "1,5", "-08"]  # fmt: skip
    for _ in range(150):
        damaged = text
        for _ in range(random.integers(1, 4)):
            place, gone = random.integers(len(damaged) + 1), random.choice([0, 0, 1, 3, 8])
            damaged = damaged[:place] + str(random.choice(pieces)) + damaged[place + gone :]
        try:
            outcome = read(name, damaged, file).records
        except (DataError, ConfigurationError) as refused:
            outcome = str(refused)
        assert len(outcome) > 0
