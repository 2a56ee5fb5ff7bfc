import dataclasses

import numpy as np
import pytest
import torch

from analysis.classification import classify
from analysis.defect_population import fit_dispersion, fit_population
from crossbar.defect_map import CellClass, DefectMap
from crossbar.errors import DataError
from crossbar.geometry import DieGeometry
from physics.defects import SISTER_CHIP, DefectPopulation

MEDIAN_LOW = 2e-4


def measured(population: DefectPopulation, dies: int, seed: int = 1) -> list[DefectMap]:
    """Defect maps of dies drawn from a population, each die with its own median conductance."""
    drawn = population.sample(DieGeometry(), torch.Generator().manual_seed(seed), dies)
    scale = MEDIAN_LOW * np.exp(0.1 * np.random.default_rng(seed).normal(size=dies))
    pairs = zip(drawn.low.double().numpy(), drawn.high.double().numpy(), scale, strict=True)
    return [classify(low * median, high * median) for low, high, median in pairs]


@pytest.fixture(scope="module")
def round_trip() -> DefectPopulation:
    """The population fitted to 36 dies of the sister chip, and of a few broken rows."""
    truth = dataclasses.replace(SISTER_CHIP, row_rate={CellClass.SHORT: 0.003})
    return fit_population(measured(truth, 36))


def test_rates_come_back(round_trip):
    """Means over 36 uneven dies lie within their sampling error of the true rates."""
    for cell_class, rate in SISTER_CHIP.point_rates.items():
        # 36 dies with a spread of 3 ** -0.5 each: 10 % standard error.
        assert round_trip.point_rates[cell_class] == pytest.approx(rate, rel=0.35)
    for cell_class, rate in SISTER_CHIP.column_rate.items():
        assert round_trip.column_rate[cell_class] == pytest.approx(rate, rel=0.35)
    assert round_trip.row_rate[CellClass.SHORT] == pytest.approx(0.003, rel=0.4)
    assert round_trip.row_rate[CellClass.OPEN] == 0
    assert round_trip.line_fill == pytest.approx(SISTER_CHIP.line_fill, rel=0.03)


def test_the_unevenness_of_dies_comes_back(round_trip):
    """The gamma shape is found within the error that 36 dies allow."""
    assert 0.6 < round_trip.dispersion / SISTER_CHIP.dispersion < 1.7


def test_conductances_come_back(round_trip):
    """Quantiles of shorts and opens, the healthy spreads and the window are those drawn from."""
    probabilities = np.linspace(0, 1, 21)
    for name, tolerance in (("short_conductance", 0.03), ("open_conductance", 0.1)):
        drawn_from = getattr(SISTER_CHIP, name)
        expected = np.interp(probabilities, np.linspace(0, 1, len(drawn_from)), drawn_from)
        assert getattr(round_trip, name) == pytest.approx(expected, rel=tolerance, abs=1e-4)
    for name in ("healthy_low_spread", "healthy_high_spread", "window", "healthy_correlation"):
        assert getattr(round_trip, name) == pytest.approx(getattr(SISTER_CHIP, name), rel=0.02)


def test_a_second_round_trip_changes_little(round_trip):
    """Dies drawn from the fitted population are as bad, on average, as those it was fitted to."""
    again = fit_population(measured(round_trip, 36, seed=2))

    assert sum(again.point_rates.values()) == pytest.approx(
        sum(round_trip.point_rates.values()), rel=0.35
    )


@pytest.mark.parametrize("shape", [0.5, 3.0, 30.0])
def test_the_dispersion_is_the_most_likely_one(shape):
    """From many dies the gamma shape comes back, whether they are alike or not."""
    generator = np.random.default_rng(1)
    cells = generator.integers(15_000, 20_000, 2000)
    rates = np.array([0.02, 0.001]) * generator.gamma(shape, 1 / shape, (2000, 2))
    counts = generator.poisson(rates * cells[:, None])

    assert fit_dispersion(counts, cells) == pytest.approx(shape, rel=0.1)


def test_equal_dies_have_no_dispersion():
    """Dies that differ no more than chance allows get a shape so large that it does nothing."""
    counts = np.random.default_rng(1).poisson(200, (36, 2))

    assert fit_dispersion(counts, np.full(36, 20_000)) > 100
    assert fit_dispersion(counts[:1], np.full(1, 20_000)) == 1000


def test_dies_without_defects_make_a_population_without_defects():
    """Rates are zero, and the population can still be drawn from."""
    clean = dataclasses.replace(SISTER_CHIP, point_rates={}, column_rate={})
    fitted = fit_population(measured(clean, 2))
    drawn = fitted.sample(DieGeometry(), torch.Generator().manual_seed(1))

    assert set(fitted.point_rates.values()) == {0.0}
    assert not drawn.classes.any()


def test_no_map_is_refused():
    """There is no population of nothing."""
    with pytest.raises(DataError, match="at least one die"):
        fit_population([])
