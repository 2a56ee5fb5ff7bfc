import numpy as np
import pytest

from analysis.cell_families import Exponential, Normal, fit_family
from crossbar.errors import DataError

CELLS = 60


def covered(fit, **truth):
    return [
        fit.interval[name][0] <= value <= fit.interval[name][1] for name, value in truth.items()
    ]


def exponential_cells(seed, location=0.2, scale=1.0, error=0.3):
    generator = np.random.default_rng(seed)
    errors = error * generator.uniform(0.2, 1.8, CELLS)
    values = location + generator.exponential(scale, CELLS)
    return values + errors * generator.standard_normal(CELLS), errors


def test_an_exponential_is_found_under_errors_of_its_own_size():
    """Intervals hold scale and location in at least 10 of 12 samples; errors do not widen it."""
    hits = []
    for seed in range(12):
        values, errors = exponential_cells(seed)
        hits.append(covered(fit_family(Exponential(), values, errors), scale=1.0, location=0.2))
    assert np.all(np.sum(hits, axis=0) >= 10)


def test_a_normal_is_found_though_only_its_middle_is_seen():
    """Cells beyond the window are missing, and spread and mean come out all the same."""
    hits = []
    for seed in range(12):
        generator = np.random.default_rng(seed)
        errors = generator.uniform(0.01, 0.3, 6 * CELLS)
        values = 6.3 + 0.8 * generator.standard_normal(len(errors))
        values += errors * generator.standard_normal(len(errors))
        shown = np.flatnonzero((values > 5) & (values < 7.3))[:CELLS]
        fit = fit_family(Normal(low=5, high=7.3), values[shown], errors[shown])
        hits.append(covered(fit, sd=0.8, mean=6.3))
    assert np.all(np.sum(hits, axis=0) >= 10)


def test_goodness_of_fit_tells_an_exponential_from_a_narrow_normal():
    """Right family: no alarm; wrong family: p at its smallest."""
    values, errors = exponential_cells(3)
    assert fit_family(Exponential(), values, errors).goodness > 0.05
    narrow = 5 + 0.1 * np.random.default_rng(1).standard_normal(CELLS)
    assert fit_family(Exponential(located=False), narrow, 0.01 + 0 * narrow).goodness == 0.01


def test_units_do_not_matter():
    """The same values in other units have the same fit."""
    values, errors = exponential_cells(5)
    one, small = (fit_family(Exponential(), u * values, u * errors) for u in (1.0, 1e-6))
    assert small.estimate["scale"] == pytest.approx(1e-6 * one.estimate["scale"], rel=1e-4)
    assert small.interval["scale"] == pytest.approx(
        1e-6 * np.array(one.interval["scale"]), rel=1e-3
    )


def test_errors_larger_than_the_values_are_borne():
    """Means below zero too: the interval of the scale is then wide, not wrong."""
    values, errors = np.array([-1.8, 0.4, 0.5, 0.4, 0.7, 0.4, -2.6, -1.0]), np.full(8, 2.0)
    fit = fit_family(Exponential(located=False), values, errors)
    low, high = fit.interval["scale"]
    assert low < 0.5 < high


def test_too_few_cells_are_refused():
    """The message says how many it takes."""
    with pytest.raises(DataError, match="takes 8"):
        fit_family(Exponential(), np.ones(3), np.ones(3))
