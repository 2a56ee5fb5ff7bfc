import numpy as np
import pytest
import torch

from analysis.hierarchical_fit import FEWEST_CELLS, fit_hierarchy, towards
from analysis.switching_counts import SwitchingCounts
from analysis.switching_fit import fit_switching
from crossbar.errors import ConfigurationError, DataError
from crossbar.pulses import State
from physics.switching import log_wer

MEDIAN = np.array([55.0, 0.35, 1.5e-9])
SPREAD = np.array([0.08, 0.05, 0.10])
CORRELATION = np.array([[1.0, 0.6, 0.0], [0.6, 1.0, 0.0], [0.0, 0.0, 1.0]])
AMPLITUDES = np.array([0.3, 0.35, 0.4, 0.5, 0.7, 0.9])
WIDTHS = np.array([5e-9, 10e-9, 20e-9, 50e-9])


def population(cells, seed, attempts=400, target=State.LOW):
    """Cells of a known population, and what so many attempts at each condition counted."""
    random = np.random.default_rng(seed)
    root = np.linalg.cholesky(CORRELATION * np.outer(SPREAD, SPREAD))
    truth = MEDIAN * np.exp(random.standard_normal((cells, 3)) @ root.T)
    amplitude, width = (grid.ravel() for grid in np.meshgrid(AMPLITUDES, WIDTHS))
    delta, vc0, tau_d = (torch.tensor(column)[:, None] for column in truth.T)
    fails = log_wer(torch.tensor(amplitude) / vc0, torch.tensor(width) / tau_d, delta).exp().numpy()
    shape = fails.shape
    counts = SwitchingCounts(
        cells=np.arange(cells, dtype=np.intp),
        targets=(target,) * cells,
        amplitude=np.broadcast_to(amplitude, shape).copy(),
        width=np.broadcast_to(width, shape).copy(),
        attempts=np.full(shape, attempts, np.int64),
        errors=random.binomial(attempts, np.clip(fails, 0, 1)).astype(np.int64),
    )
    return truth, counts


def test_the_population_is_found_again():
    """Twelve populations of 40 cells: the 95 % intervals of medians, spreads and of the one
    correlation hold the truth in at least 88 % of the 84 cases (fewer has a chance below 1 %).
    """
    held = []
    for seed in range(12):
        _, counts = population(40, seed)
        found = fit_hierarchy(counts)
        held += list((found.median_low <= MEDIAN) & (found.median_high >= MEDIAN))
        held += list((found.spread_low <= SPREAD) & (found.spread_high >= SPREAD))
        held.append(found.correlation_low[0, 1] <= 0.6 <= found.correlation_high[0, 1])

    assert len(held) == 84
    assert np.mean(held) >= 0.88


def test_pooled_cells_are_nearer_to_the_truth_than_cells_alone():
    """Few attempts say little of a cell; with the population's help the error is smaller in each
    parameter, and its own 95 % intervals hold.
    """
    truth, counts = population(60, seed=5, attempts=60)
    pooled, alone = fit_hierarchy(counts), fit_switching(counts)

    def error(estimate):
        return np.mean(np.log(estimate / truth) ** 2, axis=0)

    assert np.all(error(pooled.estimate) < 0.8 * error(alone.estimate))
    held = (pooled.low <= truth) & (truth <= pooled.high)
    assert np.mean(held) > 0.90


def test_cells_without_counts_are_the_population_itself():
    """A cell that was hardly tried gets the median, within an interval as wide as the spread."""
    _, counts = population(40, seed=2)
    counts.attempts[-1], counts.errors[-1] = 0, 0

    found = fit_hierarchy(counts)

    assert found.estimate[-1] == pytest.approx(found.median, rel=0.02)
    width = np.log(found.high[-1] / found.low[-1]) / (2 * 1.96)
    assert np.all(width > 0.95 * found.spread)


def test_directions_are_fitted_apart():
    """Both in one are refused; `towards` picks one."""
    _, low = population(10, seed=1)
    mixed = SwitchingCounts(
        targets=(State.LOW,) * 5 + (State.HIGH,) * 5,
        **{n: getattr(low, n) for n in ("cells", "amplitude", "width", "attempts", "errors")},
    )

    with pytest.raises(DataError, match="one direction at a time"):
        fit_hierarchy(mixed)
    assert towards(mixed, State.HIGH).cells.tolist() == [5, 6, 7, 8, 9]
    with pytest.raises(DataError, match="Nothing was counted towards high"):
        towards(low, State.HIGH)


def test_too_few_cells_and_an_impossible_confidence_are_refused():
    """One message each."""
    _, counts = population(FEWEST_CELLS - 1, seed=1)
    with pytest.raises(DataError, match="Measure more cells"):
        fit_hierarchy(counts)
    with pytest.raises(ConfigurationError, match=r"Confidence 1\.5 refused"):
        fit_hierarchy(counts, confidence=1.5)
