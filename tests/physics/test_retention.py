import numpy as np
import pytest
import torch

from crossbar.errors import ConfigurationError
from physics.retention import (
    HFOX_HIGH_DRIFT,
    DriftPopulation,
    flip_time,
    flipped,
    hastening,
)
from physics.switching_regimes import thermal_mean_time


def test_drift_becomes_the_power_law_after_its_onset():
    """A decade costs 10^-nu, for every cell its own nu."""
    drift = DriftPopulation(exponent=0.05, spread=0.02, onset=1.0)
    scores = np.array([-1.0, 0.0, 2.0])
    early, late = (drift.factor(scores, np.full(3, t)) for t in (1e5, 1e6))
    assert late / early == pytest.approx(10 ** -np.array([0.03, 0.05, 0.09]), rel=1e-5)
    assert drift.factor(scores, np.zeros(3)) == pytest.approx(1)


def test_the_measured_bake_is_of_the_right_order():
    """Over 20 e-folds in time HIGH spreads by some tenths of a decade (measured 0.56), and its
    median rises by less than 0.3 (measured 0.06).
    """
    scores = np.random.default_rng(1).standard_normal(20_000)
    decades = np.log10(HFOX_HIGH_DRIFT.factor(scores, np.full(20_000, np.exp(20.0))))
    assert 0.2 < np.std(decades) < 0.6
    assert 0 < np.median(decades) < 0.3


def test_heat_hastens_drift_as_arrhenius_has_it():
    """At 398 K and 1 eV, 13,700 times faster; a hot second is that many cool ones."""
    assert hastening(1.0, 300) == 1
    assert hastening(1.0, 398) == pytest.approx(np.exp(1 / 8.617333e-5 * (1 / 300 - 1 / 398)))
    drift = DriftPopulation(exponent=0.1, spread=0.0)
    one = np.ones(1)
    cool = drift.factor(one, one * 100 * hastening(1.0, 398))
    assert drift.factor(one, one * 100, 398) == pytest.approx(cool)


def test_flips_by_heat_are_those_of_the_switching_model():
    """The mean time is that of thermal activation without current, for any thermal stability."""
    delta = np.array([25.0, 40.0, 60.0])
    expected = 2e-9 * thermal_mean_time(torch.zeros(3).double(), torch.from_numpy(delta)).numpy()
    assert flip_time(delta, np.full(3, 2e-9)) == pytest.approx(expected)
    assert flip_time(np.array([60.0]), np.array([1e-9]))[0] > 3e15  # a hundred million years


def test_flips_there_and_back_end_at_one_half():
    """For short times t / <t>, at last every second cell."""
    mean = np.array([100.0])
    assert flipped(np.array([0.01]), mean)[0] == pytest.approx(1e-4, rel=1e-3)
    assert flipped(np.array([1e5]), mean)[0] == pytest.approx(0.5)


def test_refuses_what_is_no_drift():
    """Negative spreads, a vanishing onset, absolute zero."""
    for wrong in ({"spread": -0.1}, {"spread": 0.1, "onset": 0.0}):
        with pytest.raises(ConfigurationError, match="no drift"):
            DriftPopulation(exponent=0.0, **wrong)
    with pytest.raises(ConfigurationError, match="above 0"):
        hastening(1.0, 0.0)
