import numpy as np
import pytest
from scipy.stats import binom

from analysis.amplitude_density import (
    AmplitudeForWer,
    Density,
    Expectation,
    Observed,
    information_of,
)
from crossbar.errors import ConfigurationError
from physics.switching_table import log_hazard
from tests.analysis.switching_counting import count, draw_cells

QUANTITY = AmplitudeForWer(wer=1e-6, width=20e-9)
RNG = np.random.default_rng(5)
TRUTH = draw_cells(6, RNG)
AT = np.log(np.stack([QUANTITY.of(TRUTH), TRUTH[:, 0], TRUTH[:, 2]], axis=1))
AMPLITUDE, WIDTH = np.array([[0.28, 0.42, 0.55, 0.7]]), np.array([[50e-9, 20e-9, 10e-9, 5e-9]])
SEEN = count(TRUTH, AMPLITUDE, WIDTH, np.array([1000]), RNG)


def test_the_wanted_amplitude_gives_the_wanted_rate():
    """To the accuracy of the interpolation, for every cell."""
    delta, vc0, tau_d = TRUTH.T

    hazard = np.exp(log_hazard(QUANTITY.of(TRUTH) / vc0, 20e-9 / tau_d, delta))

    np.testing.assert_allclose(hazard, -np.log(1e-6), rtol=5e-3)


def test_the_parameters_say_the_same_as_delta_vc0_and_tau_d():
    """Writing V in place of vc0 changes no rate."""
    delta, vc0, tau_d = (column[:, None] for column in TRUTH.T)

    found = Density(quantity=QUANTITY).log_hazard(AT, AMPLITUDE, WIDTH)

    np.testing.assert_allclose(
        found, log_hazard(AMPLITUDE / vc0, WIDTH / tau_d, delta), rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize("expectation", [None, Expectation()])
def test_the_score_is_the_slope_of_the_density(expectation):
    """By differences over the same step."""
    density = Density(quantity=QUANTITY, expectation=expectation)
    score, _ = density.score_and_information(AT, SEEN)

    for axis in range(3):
        step = 0.01 * np.eye(3)[axis]
        slope = (density.log(AT + step, SEEN) - density.log(AT - step, SEEN)) / 0.02
        np.testing.assert_allclose(score[:, axis], slope, rtol=0.02, atol=2.0)


def test_the_information_is_the_variance_of_the_score():
    """Of one attempt, at rates from frequent to rare."""
    rate = np.array([0.9, 0.2, 1e-3])
    hazard = -np.log(rate)

    for p, h, found in zip(rate, hazard, information_of(np.log(hazard)), strict=True):
        scores = np.array([h * p / (1 - p), -h])  # of a success and of an error
        assert found == pytest.approx(float(binom.pmf([0, 1], 1, p) @ scores**2))


def test_points_without_attempts_say_nothing():
    """Padding leaves the density as it is."""
    padded = Observed(
        **{
            name: np.concatenate([getattr(SEEN, name), fill], axis=1)
            for name, fill in {
                "amplitude": np.full((6, 3), 0.5),
                "width": np.full((6, 3), 1e-8),
                "attempts": np.zeros((6, 3)),
                "errors": np.zeros((6, 3)),
            }.items()
        }
    )

    np.testing.assert_allclose(
        Density(quantity=QUANTITY).log(AT, padded), Density(quantity=QUANTITY).log(AT, SEEN)
    )


@pytest.mark.parametrize("wrong", [{"wer": 0.0}, {"wer": 1.0}, {"width": -1e-9}])
def test_a_quantity_that_is_none_is_refused(wrong):
    """The message says what was asked for."""
    with pytest.raises(ConfigurationError, match="cannot be asked for"):
        AmplitudeForWer(**wrong)
