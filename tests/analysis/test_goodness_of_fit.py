import dataclasses

import numpy as np
import pytest
from scipy.stats import binomtest, kstest

from analysis.goodness_of_fit import binomial_deviance, goodness_of_fit
from analysis.switching_fit import fit_switching
from tests.analysis.test_switching_fit import draw_truth, simulate


@pytest.fixture(scope="module")
def fitted():
    counts = simulate(draw_truth(80, seed=8), attempts=2_000, seed=9)
    return counts, fit_switching(counts)


def test_p_values_of_sound_cells_are_evenly_spread(fitted):
    """80 sound cells: their p-values pass for uniform, and one in ten is below a tenth."""
    p_values = goodness_of_fit(*fitted, np.random.default_rng(1), draws=499)

    assert kstest(p_values, "uniform").pvalue > 1e-3
    assert binomtest(int((p_values < 0.1).sum()), 80, 0.1).pvalue > 1e-3


def test_a_cell_with_a_floor_of_errors_is_rejected(fitted):
    """Errors that no pulse gets rid of contradict the model."""
    counts = simulate(draw_truth(4, seed=8), attempts=2_000, seed=9)
    floor = np.random.default_rng(2).binomial(counts.attempts, 0.01)
    spoilt = dataclasses.replace(counts, errors=np.maximum(counts.errors, floor))
    p_values = goodness_of_fit(spoilt, fit_switching(spoilt), np.random.default_rng(3), draws=199)

    assert np.nanmax(p_values) <= 0.005


def test_a_fit_that_did_not_converge_has_no_p_value(fitted):
    """NaN: there is nothing to compare with."""
    counts, fits = fitted
    lost = dataclasses.replace(fits, converged=np.arange(80) > 0)
    p_values = goodness_of_fit(counts, lost, np.random.default_rng(4), draws=49)

    assert np.isnan(p_values[0])
    assert not np.isnan(p_values[1:]).any()


def test_deviance_of_the_fit_is_the_same_formula(fitted):
    """The deviance that draws are compared with is that of `fit_switching`."""
    counts, fits = fitted
    alike = binomial_deviance(
        counts.errors, counts.attempts, counts.errors / counts.attempts,
        1 - counts.errors / counts.attempts,
    )  # fmt: skip
    assert np.abs(alike).max() < 1e-6
    assert (fits.deviance > 0).all()
