import csv
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from crossbar.errors import ConfigurationError
from physics.fokker_planck import TABLE_PATH, TICK, mean_first_passage, write_error_rates
from physics.switching import log_wer

REFERENCE = Path(__file__).parent.parent / "reference" / "fokker_planck.csv"

ROUNDING = 1e-12
currents = st.floats(-1.0, 12.0)
durations = st.floats(0.01, 1e6)
deltas = st.floats(20.0, 120.0)


def at(current, duration, delta):
    return float(
        log_wer(*(torch.tensor(x, dtype=torch.float64) for x in (current, duration, delta)))
    )


def test_table_agrees_with_the_reference():
    """Every reference value within one percent down to 1e-9, below it within the rounding."""
    lines = [line for line in REFERENCE.read_text().splitlines() if not line.startswith("#")]
    for row in csv.DictReader(lines):
        found = math.exp(at(float(row["current"]), float(row["duration"]), 60.0))
        wer = float(row["wer"])
        assert found == pytest.approx(wer, rel=0.01 if wer > 1e-9 else 0.03), row


@pytest.mark.parametrize(
    ("current", "delta"), [(0.83, 33.0), (1.13, 57.3), (1.71, 62.8), (2.37, 118.0), (6.9, 97.1)]
)
def test_table_agrees_with_the_equation_between_its_nodes(current, delta):
    """Within 0.5 % of a fresh solution, wherever its write error rate exceeds 1e-9."""
    times = np.rint(np.geomspace(0.7, 90, 12) / TICK) * TICK
    solved = write_error_rates(current, times, delta)
    known = solved > 1e-9
    found = torch.exp(
        log_wer(torch.tensor(current), torch.from_numpy(times[known]), torch.tensor(delta))
    )
    assert known.sum() >= 3
    np.testing.assert_allclose(found.numpy(), solved[known], rtol=5e-3)


@given(currents, currents, durations, deltas)
def test_a_larger_pulse_never_fails_more_often(one, other, duration, delta):
    """ln WER falls with the amplitude, against the switching direction and past the table too."""
    smaller = at(min(one, other), duration, delta)
    assert at(max(one, other), duration, delta) <= smaller * (1 - ROUNDING)


@given(currents, durations, durations, deltas)
def test_a_longer_pulse_never_fails_more_often(current, one, other, delta):
    """ln WER falls with the width, beyond the table's ends too."""
    shorter = at(current, min(one, other), delta)
    assert at(current, max(one, other), delta) <= shorter * (1 - ROUNDING)


@given(currents, durations, deltas)
def test_log_wer_is_a_log_probability(current, duration, delta):
    """Never positive, never NaN, and zero where the pulse pushes the other way."""
    value = at(current, duration, delta)
    assert value <= 0
    assert current > 0 or value == 0


@pytest.mark.parametrize("current", [0.2, 0.25, 0.3])
def test_reads_hardly_disturb(current):
    """A 10 us read below the critical current switches at the thermal rate: next to never."""
    duration = 5000.0
    expected = duration / mean_first_passage(current, 60.0)
    assert -at(current, duration, 60.0) == pytest.approx(expected, rel=0.05)
    assert expected < 1e-8


def test_tail_is_one_exponential():
    """Far below 1e-11 ln WER is a straight line in time, joined without a step."""
    times = torch.linspace(8.0, 400.0, 393, dtype=torch.float64)
    slopes = torch.diff(log_wer(torch.tensor(2.0), times, torch.tensor(60.0)))
    assert slopes.min().item() == pytest.approx(slopes.max().item(), rel=0.02)
    assert slopes.mean().item() == pytest.approx(-2.0159, rel=2e-3)


def test_closed_form_holds_well_above_the_critical_current():
    """1 - exp(-C delta (i - 1) / (i exp(lambda t) - 1)) within five percent, for i of 2.5 and 4."""
    delta = 60.0
    for i, t in ((2.5, 4.0), (4.0, 2.5)):
        factor = 2 * ((i - 1) / i) ** (2 / (i + 1)) * 2 ** ((i - 1) / (i + 1))
        rate = 2 * (i - 1) + (3 - i) / ((i - 1) * delta)
        expected = -math.expm1(-factor * delta * (i - 1) / (i * math.exp(rate * t) - 1))
        assert math.exp(at(i, t, delta)) == pytest.approx(expected, rel=0.05)


def test_gradients_agree_with_differences():
    """Fits may differentiate: gradients exist for all three arguments and are the slopes."""
    point = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in (1.53, 8.1, 57.7)]
    log_wer(*point).backward()
    values = [x.item() for x in point]
    for index, x in enumerate(point):
        up, down = values.copy(), values.copy()
        up[index], down[index] = values[index] * 1.03, values[index] * 0.97
        slope = (at(*up) - at(*down)) / (0.06 * values[index])
        assert x.grad.item() == pytest.approx(slope, rel=0.05)


def test_arguments_broadcast():
    """Cells along one axis, pulses along another."""
    shape = log_wer(torch.rand(5, 1) + 1, torch.rand(1, 7) + 1, torch.tensor(60.0)).shape
    assert shape == (5, 7)


@pytest.mark.parametrize("delta", [19.9, 121.0, math.nan])
def test_delta_outside_the_table_is_refused(delta):
    """No garbage outside: the error names the value and the table's range."""
    with pytest.raises(ConfigurationError, match="covers 20 to 120"):
        at(1.5, 5.0, delta)


def test_shipped_table_is_small():
    """The table stays below one megabyte."""
    assert TABLE_PATH.stat().st_size < 1_000_000
