import numpy as np
import pytest
from scipy.integrate import trapezoid

from analysis.telegraph_levels import fraction_below, levels_seen


@pytest.mark.parametrize("largest", [0.3, 4.0, 37.0])
def test_densities_are_those_of_products_of_uniform_numbers(largest):
    """Fractions below and moments of a large sample, through noise of 1."""
    generator = np.random.default_rng(1)
    level = generator.random(200_000) * generator.random(200_000)
    value = largest * level + generator.standard_normal(len(level))
    for at in np.quantile(value, (0.02, 0.3, 0.7, 0.98)):
        share = np.mean(value < at)
        error = 4 * np.sqrt(share * (1 - share) / len(value))
        at, most = np.array([at]), np.array([largest])
        assert fraction_below(at, most) == pytest.approx(share, abs=error)
        near = np.abs(value - at) < 0.05
        seen = levels_seen(at, most)
        error = 5 * level[near].std() / np.sqrt(near.sum()) + 2e-3
        assert seen.mean == pytest.approx(level[near].mean(), abs=error)
        assert seen.square == pytest.approx((level[near] ** 2).mean(), abs=2 * error)


@pytest.mark.parametrize("largest", [0.0, 1.0, 20.0, 150.0])
def test_density_is_one_in_all_and_goes_on_beyond_the_table(largest):
    """It integrates to 1, and far outside it falls like the noise's own."""
    value = np.linspace(-30, largest + 30, 40_001)
    log_density = levels_seen(value, np.full_like(value, largest)).log_density
    assert trapezoid(np.exp(log_density), value) == pytest.approx(1, abs=0.01)
    assert np.all(np.diff(log_density[value < -3]) > 0)
    assert log_density[0] == pytest.approx(-450, rel=0.1)
