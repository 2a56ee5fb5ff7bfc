from dataclasses import replace

import numpy as np
import pytest

from analysis.intervals import clopper_pearson
from analysis.stopping import StoppedInterval, StoppingRule
from crossbar.errors import ConfigurationError

RULE = StoppingRule(relative_width=0.5, max_attempts=1_000_000, first_chunk=1000, growth=2.0)


def run(rule: StoppingRule, rates: np.ndarray, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Errors and attempts of cells with the given rates, counted until the rule stops them all."""
    generator = np.random.default_rng(seed)
    errors, attempts = np.zeros((2, len(rates)), dtype=np.int64)
    while (chunk := rule.next_chunk(errors, attempts, 0)).any():
        errors += generator.binomial(chunk, rates)
        attempts += chunk
    return errors, attempts


def test_cells_stop_when_their_interval_is_tight():
    """Cells with enough errors stop early, with an interval as tight as asked for."""
    errors, attempts = run(RULE, np.array([0.5, 1e-1, 1e-2, 1e-3]))
    low, high = clopper_pearson(errors, attempts)

    assert np.all(np.log(high / low) <= 0.5)
    assert np.all(attempts < 200_000)
    assert RULE.reason(errors, attempts, 0) == ["precision"] * 4


def test_a_cell_without_errors_runs_until_the_budget_is_spent_exactly():
    """A rate too small to be seen costs the whole budget and not one attempt more."""
    errors, attempts = run(RULE, np.array([0.0]))

    assert attempts.tolist() == [1_000_000]
    assert RULE.reason(errors, attempts, 0) == ["budget"]


def test_a_rate_below_the_floor_is_not_pursued():
    """With a floor, a cell without errors stops once its upper bound reaches the floor."""
    rule = StoppingRule(max_attempts=10_000_000, floor=1e-4)
    errors, attempts = run(rule, np.array([0.0]))

    assert clopper_pearson(errors, attempts)[1] <= 1e-4
    assert attempts[0] <= 64_000
    assert rule.reason(errors, attempts, 0) == ["precision"]


def test_rejected_attempts_count_against_the_budget():
    """Attempts whose restore failed take time, so they spend the budget too."""
    chunk = RULE.next_chunk(np.array([0, 0, 0]), [0, 500_000, 0], [999_999, 400_000, 1_000_000])

    assert chunk.tolist() == [1, 100_000, 0]


def test_chunks_grow_alike_whatever_the_errors():
    """Cells that started together stay in step, so that one plan serves them all."""
    assert RULE.next_chunk([0, 3, 7], 4000, 0).tolist() == [4000, 4000, 4000]
    assert RULE.next_chunk(0, 0, 0).tolist() == [1000]


def test_slow_growth_still_makes_progress():
    """A growth so small that it rounds to nothing still asks for one attempt."""
    rule = StoppingRule(first_chunk=1, growth=1.001, max_attempts=10)

    assert rule.next_chunk(0, 3, 0).tolist() == [1]


def test_coverage_at_the_stop_stays_near_the_confidence():
    """Intervals at the data-dependent stop still cover the truth about as often as they say."""
    rates = np.repeat([0.2, 1e-2, 1e-3], 1000)
    errors, attempts = run(RULE, rates)
    low, high = clopper_pearson(errors, attempts)

    assert 0.93 <= np.mean((low <= rates) & (rates <= high)) <= 0.98


def test_an_anytime_interval_keeps_its_promise_at_the_stop():
    """It covers the truth at least as often as it says, and is as tight as was asked for."""
    rates = np.repeat([0.2, 1e-2, 1e-3], 1000)
    rule = replace(RULE, kind=StoppedInterval.ANYTIME)
    errors, attempts = run(rule, rates)
    low, high = rule.interval(errors, attempts)

    assert np.mean((low <= rates) & (rates <= high)) >= 0.95
    assert np.all((np.log(high / low) <= 0.5) | (attempts == rule.max_attempts))
    assert np.all(attempts >= run(RULE, rates)[1])


def test_a_cell_that_goes_on_has_no_reason_to_have_stopped():
    """Asking too early raises instead of guessing."""
    with pytest.raises(ConfigurationError, match="1 of 2 cells have not stopped"):
        RULE.reason([0, 900], [1000, 1000], 0)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"relative_width": 0.0}, "relative_width"),
        ({"max_attempts": 10}, "max_attempts"),
        ({"first_chunk": 0}, "first_chunk"),
        ({"growth": 1.0}, "growth"),
        ({"floor": 1.0}, "floor"),
        ({"relative_width": float("nan")}, "relative_width"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(changes, named):
    """The message names the field, its value and what it must be."""
    with pytest.raises(ConfigurationError, match=f"{named} is .* but must be"):
        StoppingRule(**changes)
