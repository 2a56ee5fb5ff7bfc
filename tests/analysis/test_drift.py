import numpy as np
import pytest

from analysis.drift import drift_statistics
from crossbar.errors import DataError


def power_law(seed, noise):
    """Thirty cells with exponents around 0.02."""
    random = np.random.default_rng(seed)
    exponent = 0.02 + 0.01 * random.normal(size=(30, 1))
    log_g = -exponent * np.log(np.arange(1, 301)) + noise(random, (30, 300))
    return 2e-5 * np.exp(log_g)


def test_a_power_law_with_white_noise_holds():
    """Ten dies: median and spread of the exponents within their 95 % intervals in 15 of 20, and the
    law is rarely contradicted.
    """
    held = against = 0
    for seed in range(10):
        conductance = power_law(seed, lambda random, shape: 0.01 * random.normal(size=shape))
        found = drift_statistics(conductance, np.random.default_rng(seed))
        for name, truth in (("exponent", 0.02), ("exponent_spread", 0.01)):
            held += found.parameters[name].low <= truth <= found.parameters[name].high
        against += found.p_value < 0.01
    assert held >= 15
    assert against <= 2


def test_a_random_walk_contradicts_it():
    """Readings that remember where they were."""
    conductance = power_law(
        1, lambda random, shape: 0.005 * np.cumsum(random.normal(size=shape), axis=1)
    )
    found = drift_statistics(conductance, np.random.default_rng(1))

    assert found.p_value < 1e-10
    assert found.rejected > 0.9


def test_what_has_no_logarithm_is_refused():
    """A negative reading; too few cells."""
    conductance = power_law(1, lambda random, shape: np.zeros(shape))
    with pytest.raises(DataError, match="3 traces of 300"):
        drift_statistics(conductance[:3], np.random.default_rng(1))
    conductance[0, 5] = -1e-6
    with pytest.raises(DataError, match="leave that cell out"):
        drift_statistics(conductance, np.random.default_rng(1))
