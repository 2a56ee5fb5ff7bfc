"""`lab run --record`, `lab replay` and `lab run --faults`, as their user meets them."""

import json

import pytest

RUN = ["run", "write-error-rate", "--simulated", "--seed", "5", "--dies", "1", "--set", "sample=2",
       "--set", 'amplitudes=["0.5 V"]', "--set", 'widths=["10 ns"]',
       "--set", "max_attempts=8", "--set", "first_chunk=4"]  # fmt: skip


@pytest.mark.parametrize("execution", ["board", "software"])
def test_a_recorded_run_replays_without_difference(execution, lab, tmp_path):
    recorded = lab(*RUN, "--execution", execution, "--record", "run.jsonl")
    assert recorded.returncode == 0, recorded.stderr
    files = set(tmp_path.iterdir())

    replayed = lab("replay", "run.jsonl")

    assert replayed.returncode == 0, replayed.stderr
    header, *events = map(json.loads, (tmp_path / "run.jsonl").read_text().splitlines())
    count = sum(event["event"] in ("write", "read", "read_bytes") for event in events)
    assert replayed.stdout == f"{count} messages, no difference\n"
    assert (header["protocol"], header["seed"]) == ("write-error-rate", 5)
    assert set(tmp_path.iterdir()) == files  # no database is left


def test_a_replay_keeps_its_records_where_it_is_told_to(lab):
    lab(*RUN, "--record", "run.jsonl")
    lab("replay", "run.jsonl", "--database", "again.sqlite")

    status = lab("status", "--database", "again.sqlite", "--json")
    assert json.loads(status.stdout)["runs"][0]["status"] == "done"


def test_a_difference_names_line_role_and_both_messages(lab, tmp_path):
    lab(*RUN, "--record", "run.jsonl")
    path = tmp_path / "run.jsonl"
    lines = path.read_text().splitlines()
    number = next(n for n, line in enumerate(lines, 1) if "LIM:READ 0.3" in line)
    lines[number - 1] = lines[number - 1].replace("0.3", "0.4")
    path.write_text("\n".join(lines) + "\n")

    replayed = lab("replay", "run.jsonl")

    assert replayed.returncode == 4
    for part in (f"line {number}", "role die_board", "LIM:READ 0.4", "LIM:READ 0.3"):
        assert part in replayed.stderr


def test_a_replay_that_ends_early_is_a_difference(lab, tmp_path):
    lab(*RUN, "--record", "run.jsonl")
    path = tmp_path / "run.jsonl"
    path.write_text(path.read_text() + path.read_text().splitlines()[-1] + "\n")

    replayed = lab("replay", "run.jsonl")

    assert replayed.returncode == 4
    assert "1 recorded lines are left" in replayed.stderr


def test_a_run_with_a_fault_fails_names_the_role_and_replays_to_the_same_end(lab, tmp_path):
    (tmp_path / "faults.toml").write_text(
        '[[faults]]\nkind = "lost_reply"\nrole = "die_board"\nmessage = 14\n'
    )
    run = lab(*RUN, "--record", "run.jsonl", "--faults", "faults.toml")
    assert run.returncode == 4
    assert "die_board" in run.stderr
    assert "did not reply" in run.stderr

    replayed = lab("replay", "run.jsonl")
    assert replayed.returncode == 0, replayed.stderr
    assert "no difference" in replayed.stdout


def test_faults_are_for_simulated_benches(lab, tmp_path):
    lab("init")
    text = (tmp_path / "bench.toml").read_text()
    (tmp_path / "bench.toml").write_text(text[: text.index("\n[simulation]")])
    (tmp_path / "faults.toml").write_text('[[faults]]\nkind = "restart"\nmessage = 1\n')

    run = lab("run", "contact-check", "--faults", "faults.toml")

    assert run.returncode == 2
    assert "simulated instruments only" in run.stderr


def test_another_file_is_no_recording(lab, tmp_path):
    (tmp_path / "other.jsonl").write_text("{}\n")
    replayed = lab("replay", "other.jsonl")
    assert replayed.returncode == 7
    assert "no recording" in replayed.stderr
