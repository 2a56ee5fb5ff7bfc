import numpy as np
import pytest

from analysis.cycling_statistics import cycling_statistics
from analysis.end_of_life import end_of_life
from crossbar.errors import DataError

CELL, CYCLE = {"low": 0.1, "high": 1.0}, {"low": 0.06, "high": 0.7}


def usual(seed, cells=64, cycles=100):
    """Resistances that follow the usual description."""
    random = np.random.default_rng(seed)
    medians = {"low": 5e3, "high": 9e4}
    return (
        medians[state]
        * np.exp(
            CELL[state] * random.normal(size=(cells, 1))
            + CYCLE[state] * random.normal(size=(cells, cycles))
        )
        for state in ("low", "high")
    )


def test_the_usual_description_is_found_again():
    """Ten dies: 95 % intervals of the four spreads hold the truth in at least 34 of 40 (fewer has a
    chance below 1 %), and claims are contradicted at 1 % no more than thrice.
    """
    held = against = 0
    for seed in range(10):
        found = cycling_statistics(*usual(seed), np.random.default_rng(seed))
        for state in ("low", "high"):
            for name, truth in (("cell_to_cell", CELL), ("cycle_to_cycle", CYCLE)):
                each = found.parameters[f"{state}_{name}"]
                held += each.low <= truth[state] <= each.high
        against += sum(p_value < 0.01 for p_value in found.p_values.values())
        expected, failed = found.parameters["failed_expected"], found.parameters["failed"]
        assert failed.estimate == pytest.approx(expected.estimate, abs=0.01)
    assert held >= 34
    assert against <= 3


def test_tails_and_memory_contradict_it():
    """One reading in twenty far above, and cycles that remember the one before."""
    low, high = usual(1)
    random = np.random.default_rng(5)
    low[random.random(low.shape) < 0.05] *= 2
    wave = random.normal(size=high.shape)
    high[:, 1:] *= np.exp(0.5 * (wave[:, 1:] + wave[:, :-1]))
    found = cycling_statistics(low, high, random)

    assert found.p_values["low_log_normal"] < 1e-6
    assert found.p_values["low_independent"] > 1e-3
    assert found.p_values["high_independent"] < 1e-6
    assert found.parameters["low_tail"].low > 0.03
    assert found.rejected["low_log_normal"] > 0.5


def test_too_few_cells_are_refused():
    """Spreads of four cells would be a number without meaning."""
    low, high = usual(1, cells=4)
    with pytest.raises(DataError, match="4 cells with 100 cycles are too few"):
        cycling_statistics(low, high, np.random.default_rng(1))


def test_the_end_of_a_window_is_found():
    """Thirty cells that fail in 10 % of the checkpoints, then in 98 %: the 95 % interval holds the
    change in at least 25 (fewer has a chance below 1 %).
    """
    cycles = 500.0 * np.arange(1, 201)
    held = 0
    for seed in range(30):
        random = np.random.default_rng(seed)
        failed = random.random(200) < np.where(np.arange(200) < 120, 0.1, 0.98)
        found = end_of_life(cycles, failed)
        held += found.cycles.low <= cycles[120] <= found.cycles.high
        assert found.gain > 20
    assert held >= 25
    with pytest.raises(DataError, match="3 checkpoints"):
        end_of_life(cycles[:3], failed[:3])
