from dataclasses import replace

import numpy as np
import pytest

from crossbar.errors import ConfigurationError
from crossbar.pulses import Pulse
from physics.breakdown import stress
from physics.mtj import MtjPopulation
from physics.mtj_laws import MtjLaws, thermal_factors

COLD = MtjPopulation()


def test_at_room_temperature_nothing_changes():
    """The medians hold at 300 K."""
    here = thermal_factors(300.0)
    assert (here.delta, here.vc0, here.tau_d) == (1, 1, 1)


def test_heat_lowers_the_barrier_and_the_critical_voltage():
    """At 85 C delta falls by a quarter: 16 % by the temperature, 10 % by the magnetization."""
    hot = thermal_factors(358.15)
    assert hot.delta == pytest.approx(0.755, abs=0.005)
    assert hot.vc0 == pytest.approx(0.90, abs=0.005)
    assert hot.tau_d == pytest.approx(1.053, abs=0.005)


def test_heated_cells_are_the_same_cells():
    """The same draws at another temperature: every cell changes by the same factor."""
    cold = COLD.sample(50, np.random.default_rng(1))
    hot = replace(COLD, temperature=358.15).sample(50, np.random.default_rng(1))
    assert hot.delta / cold.delta == pytest.approx(np.full(50, thermal_factors(358.15).delta))
    assert np.array_equal(hot.r_p, cold.r_p)


@pytest.mark.parametrize("kelvin", [0.0, -5.0, 1100.0, float("nan")])
def test_impossible_temperatures_are_refused(kelvin):
    """The message names the temperature and the allowed range."""
    with pytest.raises(ConfigurationError, match="must be above 0 and below"):
        MtjPopulation(temperature=kelvin)


@pytest.mark.parametrize("exponent", [0.5, 3.0, float("nan")])
def test_impossible_exponents_are_refused(exponent):
    """Only 1 to 2 mean something."""
    with pytest.raises(ConfigurationError, match="barrier_exponent"):
        MtjLaws(barrier_exponent=exponent)


def test_weibull_barriers_have_the_same_median_and_spread_but_more_early_failures():
    """Median and spread of the breakdown voltage stay; its lower tail is longer."""
    weibull = replace(COLD, laws=MtjLaws(breakdown_distribution="Weibull"))
    kinds = [p.sample(100_000, np.random.default_rng(2)).breakdown_voltage for p in (COLD, weibull)]
    for voltages in kinds:
        assert np.median(voltages) == pytest.approx(1.6, rel=1e-3)
        assert np.std(np.log(voltages)) == pytest.approx(0.02, rel=0.02)
    assert np.quantile(kinds[1], 1e-3) < np.quantile(kinds[0], 1e-3) - 0.02


def test_the_exponential_law_is_for_positive_pulses():
    """At the breakdown voltage and for negative pulses both laws agree; below, one wears more."""
    at, below, negative = (
        [stress(Pulse(amplitude=volts, width=1e-6), np.array([1.6]), law)[0]
         for law in ("power", "exponential")]
        for volts in (1.6, 1.2, -1.2)
    )  # fmt: skip
    assert at[1] == pytest.approx(at[0])
    assert below[1] > 5 * below[0]
    assert negative[1] == negative[0]
