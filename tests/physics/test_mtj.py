import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossbar.errors import ConfigurationError
from physics.mtj import MtjPopulation, tmr_without_bias

CELLS = MtjPopulation().sample(20_000, np.random.default_rng(1))


@pytest.mark.parametrize(
    ("name", "median", "spread"),
    [
        ("tmr", 1.0, 0.04),
        ("delta", 60.0, 0.06),
        ("vc0_low", 0.35, 0.044),
        ("vc0_high", 0.40, 0.044),
        ("tau_d", 1.9e-9, 0.05),
        ("breakdown_voltage", 1.6, 0.02),
    ],
)
def test_population_has_its_medians_and_spreads(name, median, spread):
    """Drawn cells show the documented medians and spreads of the logarithm."""
    values = getattr(CELLS, name)
    assert np.median(values) == pytest.approx(median, rel=5 * spread / np.sqrt(len(values)))
    assert np.std(np.log(values)) == pytest.approx(spread, rel=0.03)


def test_dies_differ_in_their_median_resistance():
    """Cell to cell 5 %, and each die around its own median, 2 % from die to die."""
    generator = np.random.default_rng(2)
    dies = [np.log(MtjPopulation().sample(500, generator).r_p) for _ in range(300)]
    assert np.std([np.median(die) for die in dies]) == pytest.approx(0.02, rel=0.15)
    assert np.mean([np.std(die) for die in dies]) == pytest.approx(0.05, rel=0.02)


@given(st.floats(-1.5, 1.5), st.floats(-1.5, 1.5))
def test_tmr_falls_with_the_bias_of_either_polarity(one, other):
    """HIGH conducts more the larger |V|, but never as much as LOW."""
    few = CELLS[np.arange(10)]
    small, large = sorted((abs(one), abs(other)))
    assert (few.high_conductance(small) <= few.high_conductance(-large)).all()
    assert (few.high_conductance(large) < few.low_conductance()).all()


def test_tmr_halves_at_v_half():
    """R_AP - R_P falls to half its zero-bias value at v_half."""
    few = CELLS[np.arange(10)]
    excess = 1 / few.high_conductance(few.v_half) - few.r_p
    assert excess == pytest.approx(0.5 * few.tmr * few.r_p)


@given(st.floats(0.0, 0.5))
def test_tmr_without_bias_undoes_the_bias(voltage):
    """A TMR known at one voltage gives back the conductance measured there."""
    few = CELLS[np.arange(10)]
    measured = few.low_conductance() / few.high_conductance(voltage) - 1
    assert tmr_without_bias(measured, voltage, few.v_half) == pytest.approx(few.tmr)


@pytest.mark.parametrize("change", [{"r_p": 0.0}, {"tmr_spread": -0.1}, {"delta": float("nan")}])
def test_impossible_populations_are_refused(change):
    """The error names the parameter."""
    with pytest.raises(ConfigurationError, match=next(iter(change))):
        MtjPopulation(**change)
