import csv
from pathlib import Path

import numpy as np
import pytest

from physics.fokker_planck import (
    log_hazards,
    long_time_rate,
    mean_first_passage,
    slowest_rate,
    write_error_rates,
)

REFERENCE = Path(__file__).parent.parent / "reference"


def rows(name):
    lines = (REFERENCE / name).read_text().splitlines()
    table = csv.DictReader(line for line in lines if not line.startswith("#"))
    return [{key: float(value) for key, value in row.items()} for row in table]


def test_legendre_solution_agrees_with_finite_volumes():
    """The solver reproduces the reference table within half a percent, down to 1e-9."""
    for row in rows("fokker_planck.csv"):
        if row["wer"] < 1e-9:
            continue
        found = write_error_rates(row["current"], np.array([row["duration"]]), 60.0)[0]
        assert found == pytest.approx(row["wer"], rel=5e-3), row


def test_mean_first_passage_agrees_with_the_reference():
    """Below, at and above the critical current, within half a percent."""
    for row in rows("mean_first_passage.csv"):
        found = mean_first_passage(row["current"], row["delta"])
        assert found == pytest.approx(row["time"], rel=5e-3), row


def test_slowest_rate_is_known_at_both_ends():
    """One over the passage time far below the critical current, near 2 (i - 1) far above it."""
    assert slowest_rate(0.5, 40.0) == pytest.approx(1 / mean_first_passage(0.5, 40.0), rel=1e-3)
    assert slowest_rate(4.0, 60.0) == pytest.approx(6 - 1 / 180, rel=1e-4)


def test_thermal_rate_follows_the_barrier():
    """At a third of the critical current the rate is the published formula, within five percent."""
    current, delta = 0.3, 60.0
    formula = np.sqrt(delta / np.pi) * (1 - current**2) * (1 - current)
    formula *= np.exp(-delta * (1 - current) ** 2)
    assert long_time_rate(current, delta) == pytest.approx(formula, rel=0.05)


def test_hazards_of_one_delta_rise_with_current_and_duration():
    """The table's construction keeps its laws, also where the Legendre solution drowns in noise."""
    durations = np.array([0.125, 0.5, 2.0, 8.0, 32.0, 128.0])
    table = log_hazards(np.array([0.0, 0.4, 0.8, 1.2, 2.0, 4.0]), durations, 60.0)
    assert np.isfinite(table).all()
    assert (np.diff(table, axis=0) >= 0).all()
    assert (np.diff(table, axis=1) >= 0).all()
