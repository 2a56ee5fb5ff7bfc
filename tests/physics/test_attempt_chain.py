from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from crossbar.attempts import AttemptPlan
from crossbar.pulses import Pulse, State
from physics.attempt_chain import AttemptOdds, run_chain
from physics.draws import keys

CELLS = np.arange(5000)
NOISY = {"read_noise": 0.25}
"""So noisy that every tenth verify read is wrong."""
THRESHOLD = np.full(5000, 147e-6)
POOR = AttemptPlan(
    initial=State.HIGH,
    restore=Pulse.writing(State.HIGH, 0.6, 8e-9),
    write=Pulse.writing(State.LOW, 0.5, 8e-9),
    read_amplitude=0.1,
    threshold=THRESHOLD,
    attempts=7,
)
"""Restore, write and reads all fail often."""


def odds(count, **probabilities):
    return AttemptOdds(**{name: np.full(count, p) for name, p in probabilities.items()})


@pytest.mark.parametrize("initial", [State.HIGH, State.LOW])
def test_chain_and_reference_loop_have_the_same_distribution(uniform_die, initial):
    """Counts of rejected attempts, of errors, and the final state: chi-square on their table."""
    plan = replace(
        POOR,
        initial=initial,
        restore=Pulse.writing(initial, 0.55, 8e-9),
        write=Pulse.writing(initial.other, 0.5, 8e-9),
    )
    tables = []
    for keep, seed in ((False, 1), (True, 2)):
        counts = np.zeros((8, 8, 2), dtype=int)
        for repeat in range(3):
            die = uniform_die(seed=seed + 10 * repeat, **NOISY)
            found = die.attempt(CELLS, replace(plan, keep_readings=keep))
            np.add.at(counts, (found.rejected, found.errors, die.low.astype(int)), 1)
        tables.append(counts.ravel())
    both = np.array(tables)
    both = both[:, both.sum(axis=0) >= 20]
    assert both.shape[1] > 15, "the odds no longer make the comparison worth while"
    assert stats.chi2_contingency(both).pvalue > 1e-3


def test_sound_restores_make_errors_binomial(uniform_die):
    """A million attempts on 5,000 cells: mean and variance are those of a binomial."""
    plan = AttemptPlan(
        initial=State.HIGH,
        restore=Pulse.writing(State.HIGH, 0.9, 50e-9),
        write=Pulse.writing(State.LOW, 0.8, 10e-9),
        read_amplitude=0.1,
        threshold=THRESHOLD,
        attempts=1_000_000,
    )
    die = uniform_die()
    probability = die._effect(CELLS[:1], plan.write).fails[0]
    errors = die.attempt(CELLS, plan).errors
    expected = plan.attempts * probability
    assert 10 < expected < 10_000
    assert errors.mean() == pytest.approx(expected, abs=4 * np.sqrt(expected / len(CELLS)))
    assert errors.var() == pytest.approx(expected, rel=0.1)


def test_rare_restore_failures_are_followed():
    """One restore in 3,000 fails: errors and rejected attempts agree with the exact chain."""
    count, attempts = 2000, 30_000
    chances = {
        "restore_fails": 1 / 3000, "write_fails": 0.02,
        "misread_initial": 0.001, "misread_target": 0.002,
    }  # fmt: skip
    result = run_chain(
        odds(count, **chances), np.full(count, attempts), np.zeros(count, dtype=bool),
        keys(np.uint64(5), np.arange(count)),
    )  # fmt: skip
    q, w, a, b = chances.values()
    # Stationary share of attempts that start in the target state, from the 2 x 2 chain.
    up, stay = (1 - a) * (1 - w), q + (1 - q) * (1 - a) * (1 - w)
    start_target = up / (1 - stay + up)
    after_target = q * start_target
    rejected = after_target * (1 - b) + (1 - after_target) * a
    errors = after_target * b * b + (1 - after_target) * (1 - a) * (w * (1 - a) + (1 - w) * b)
    for found, share in ((result.rejected, rejected), (result.errors, errors)):
        mean = attempts * share
        assert found.mean() == pytest.approx(mean, abs=5 * np.sqrt(mean / count))
    assert result.in_target.mean() == pytest.approx(start_target, abs=0.02)


def test_rates_of_one_in_a_billion_are_drawn():
    """Probabilities near the end of float precision keep their meaning."""
    count = 20_000
    result = run_chain(
        odds(count, restore_fails=1e-30, write_fails=1e-9, misread_initial=0.0, misread_target=0.0),
        np.full(count, 10**7),
        np.zeros(count, dtype=bool),
        keys(np.uint64(6), np.arange(count)),
    )
    assert result.errors.sum() == pytest.approx(200, abs=60)
    assert result.rejected.sum() == 0
    assert result.in_target.all()


def test_cells_need_no_company():
    """Each cell's outcome is the same alone as among others with other odds."""
    count = 300
    spread = np.linspace(0, 1, count)
    mixed = AttemptOdds(
        restore_fails=spread, write_fails=spread[::-1], misread_initial=spread**4,
        misread_target=spread**3,
    )  # fmt: skip
    attempts, start = np.full(count, 50), spread > 0.5
    at = keys(np.uint64(9), np.arange(count))
    together = run_chain(mixed, attempts, start, at)
    part = np.array([7, 150, 299])
    alone = run_chain(mixed[part], attempts[part], start[part], at[part])
    assert (alone.errors == together.errors[part]).all()
    assert (alone.rejected == together.rejected[part]).all()
    assert (alone.in_target == together.in_target[part]).all()
