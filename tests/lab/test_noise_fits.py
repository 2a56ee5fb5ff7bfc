import json
from dataclasses import dataclass, field

import numpy as np
import pytest

from crossbar.pulses import State
from crossbar.records import ReadTrace, RetentionReading
from db.store import Store
from lab.noise_fits import read_noise_fits, retention_fits


@dataclass(frozen=True)
class Run:
    """What fits look at in a run."""

    id: int = 1
    parameters: dict = field(default_factory=lambda: {"aperture": 1e-3})


def trace(cell, conductance):
    return ReadTrace(
        cell=cell,
        state=State.HIGH,
        part=0,
        read_amplitude=0.1,
        time=0.01 * np.arange(len(conductance)),
        conductance=conductance,
    )


def test_noise_of_each_cell_and_of_all():
    """Four noisy cells are fitted; a dead one has a fit that did not converge; medians of four."""
    generator = np.random.default_rng(1)
    noisy = [trace(cell, 1e-5 * generator.normal(1, 0.01, 128)) for cell in range(4)]
    rows = read_noise_fits([*noisy, trace(9, np.zeros(128))], Run())
    assert [row.converged for row in rows] == [True] * 4 + [False, True]
    assert rows[-1].kind == "noise of all"
    assert rows[-1].parameters["white"].estimate == pytest.approx(0.01, rel=0.3)
    assert rows[-1].parameters["telegraphs"].estimate == 0
    assert not any(row.checks["telegraph"].flagged for row in rows[:4])


def test_drift_and_flips_of_each_state():
    """Three LOW cells that lose a tenth a decade, and three HIGH ones of which one flips."""
    times = np.array([0.0, 1.0, 10.0, 100.0, 1000.0])
    low = np.array([True, False] * 3)
    start = np.where(low, 1e-4, 1e-5)
    generator = np.random.default_rng(1)
    readings = []
    for step, time in enumerate(times):
        drift = np.where(low, (1 + time) ** -0.05, 1.0)
        noise = generator.normal(1, 1e-3, 6)
        conductance = start * drift * noise
        if time >= 100:
            conductance[1] = 1e-4
        readings.append(
            RetentionReading(
                step=step,
                written_at=5.0,
                time=float(time),
                read_amplitude=0.1,
                cells=np.arange(6),
                written_low=low,
                conductance=conductance,
            )
        )
    rows = {(row.kind, row.target, row.cell): row for row in retention_fits(readings, Run())}
    exponent = rows["drift of all", State.LOW, None].parameters["exponent"]
    assert exponent.low <= 0.05 <= exponent.high
    assert not rows["drift", State.HIGH, 1].converged
    assert rows["flips", State.LOW, None].parameters["flips"].estimate == 0
    flips = rows["flips", State.HIGH, None].parameters
    assert flips["flips"].estimate == 1
    assert flips["flip_time"].estimate == 100 + 2 * 1000
    assert flips["flip_time"].low < 2100 < flips["flip_time"].high


def test_a_killed_retention_run_goes_on_without_writing_again(lab, start_lab, tmp_path):
    """Kill -9 in the middle of the readings, then resume: each cell was pulsed once, the moments
    are in order, and all belong to one writing.
    """
    arguments = ["--simulated", "--seed", "5", "--database", "r.sqlite"]
    process = start_lab(
        "run", "retention", *arguments, "--dies", "1", "--set", "sample=6",
        "--set", "per_decade=50", "--set", "duration=3600 s",
    )  # fmt: skip
    database = tmp_path / "r.sqlite"
    while process.is_alive() and steps_of(database) < 5:
        process.join(0.05)
    process.kill()
    process.join()
    stored = steps_of(database)
    assert 5 <= stored < 170, "not killed in the middle"

    outcome = lab("resume", *arguments, "--json")
    assert outcome.returncode == 0, outcome.stderr
    assert json.loads(outcome.stdout)["status"] == "done"
    with Store.open(database) as store:
        run = store.run(1)
        records = store.records(1, run.dies[0], RetentionReading)
    assert len(records) > stored
    assert len({record.written_at for record in records}) == 1
    times = [record.time for record in records]
    assert times == sorted(times)
    assert times[-1] == pytest.approx(3600, abs=1)
    (wafer,) = tmp_path.glob("r.*.wafer.npz")
    with np.load(wafer) as state:
        pulses = state[f"{run.dies[0].x},{run.dies[0].y}/pulses_given"]
    assert pulses[records[0].cells].tolist() == [1] * 6


def steps_of(database):
    """How many readings are stored so far."""
    if not database.exists():
        return 0
    with Store.open(database) as store:
        if not store.runs():
            return 0
        return len(store.records(1, store.run(1).dies[0], RetentionReading))
