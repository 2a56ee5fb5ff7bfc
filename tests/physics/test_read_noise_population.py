import numpy as np
import pytest

from crossbar.errors import ConfigurationError
from physics.read_noise_population import (
    HFOX_HIGH,
    HFOX_LOW,
    LARGEST_CAPTURED,
    NOISE_DRAWS,
    ReadNoisePopulation,
)


@pytest.mark.parametrize("population", [HFOX_HIGH, HFOX_LOW])
def test_drawn_cells_have_the_populations_medians(population):
    """Median flicker, fraction of telegraphs and median step of 20,000 cells."""
    draws = np.random.default_rng(1).uniform(size=(20_000, NOISE_DRAWS))
    cells = population.cells(draws)
    assert np.median(cells.flicker) == pytest.approx(population.flicker, rel=0.05)
    telegraph = cells.captured > 0
    assert telegraph.mean() == pytest.approx(population.telegraphs, abs=0.015)
    assert np.median(cells.captured[telegraph]) == pytest.approx(population.captured, rel=0.05)
    assert cells.captured.max() <= LARGEST_CAPTURED
    assert np.log(cells.period).mean() == pytest.approx(0, abs=0.1)  # between 1e-3 and 1e3 s
    assert np.all((cells.period >= population.shortest) & (cells.period <= population.longest))


@pytest.mark.parametrize(("name", "value"), [("white", -1), ("telegraphs", 2), ("period", 0)])
def test_refuses_what_is_no_population(name, value):
    """The message names the field, its value and what it must be."""
    numbers = {"white": 0.01, "flicker": 1e-5, "flicker_spread": 1.0, "telegraphs": 0.1}
    name = {"period": "shortest"}.get(name, name)
    with pytest.raises(ConfigurationError, match=f"{name} is {value}"):
        ReadNoisePopulation(**(numbers | {name: value}))
