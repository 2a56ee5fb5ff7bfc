import numpy as np
import pytest
from scipy.stats import binomtest

from analysis.amplitude_density import AmplitudeForWer, Observed
from analysis.amplitude_interval import fit_amplitudes, is_extrapolated, saturated
from analysis.switching_counts import SwitchingCounts
from analysis.switching_fit import fit_switching
from crossbar.errors import ConfigurationError
from crossbar.pulses import State
from tests.analysis.switching_counting import count, draw_cells

QUANTITY = AmplitudeForWer(wer=1e-6, width=20e-9)
AMPLITUDE = np.array([[0.26, 0.3, 0.42, 0.45, 0.55, 0.6]])
WIDTH = np.array([[50e-9, 50e-9, 20e-9, 20e-9, 10e-9, 10e-9]])


@pytest.fixture(scope="module")
def cells():
    """(truth, counts) of 300 cells at six pulses each."""
    generator = np.random.default_rng(11)
    truth = draw_cells(300, generator)
    return truth, count(truth, AMPLITUDE, WIDTH, np.array([3000]), generator)


def test_intervals_hold_the_truth_as_often_as_they_say(cells):
    """For the wanted rate and for rarer ones, which nobody could count."""
    truth, seen = cells
    for wer in (1e-6, 1e-9, 1e-12):
        quantity = AmplitudeForWer(wer=wer, width=20e-9)

        fits = fit_amplitudes(seen, quantity)

        held = (fits.low <= quantity.of(truth)) & (quantity.of(truth) <= fits.high)
        assert fits.converged.all()
        assert binomtest(int(held.sum()), len(held), 0.95).pvalue > 0.01


def test_the_fit_is_the_one_of_all_three_parameters(cells):
    """The same maximum as the fit in delta, vc0 and tau_d finds."""
    _, seen = cells
    some = seen.rows(np.arange(20))
    counts = SwitchingCounts(
        cells=np.arange(20),
        targets=(State.LOW,) * 20,
        amplitude=some.amplitude,
        width=some.width,
        attempts=some.attempts.astype(int),
        errors=some.errors.astype(int),
    )

    fits, reference = fit_amplitudes(counts, QUANTITY), fit_switching(counts)

    np.testing.assert_allclose(fits.log_likelihood, reference.log_likelihood, atol=0.02)
    np.testing.assert_allclose(fits.parameters, reference.estimate, rtol=0.02)
    np.testing.assert_allclose(fits.deviance, reference.deviance, atol=0.05)


def test_another_barrier_exponent_is_fitted_no_worse(cells):
    """Than by the fit of all three parameters with that exponent."""
    some = cells[1].rows(np.arange(20))
    counts = SwitchingCounts(
        cells=np.arange(20),
        targets=(State.LOW,) * 20,
        amplitude=some.amplitude,
        width=some.width,
        attempts=some.attempts.astype(int),
        errors=some.errors.astype(int),
    )

    fits = fit_amplitudes(some, AmplitudeForWer(barrier_exponent=1.5))
    reference = fit_switching(counts, 0.95, 1.5)

    assert np.all(fits.log_likelihood > reference.log_likelihood - 0.1)
    assert np.median(np.abs(fits.log_likelihood - reference.log_likelihood)) < 0.02


def test_a_cell_that_the_model_describes_is_not_conspicuous(cells):
    """The test of fit raises false alarms as often as it says."""
    fits = fit_amplitudes(cells[1], QUANTITY)

    alarms = int((fits.p_value < 0.05).sum())
    assert binomtest(alarms, len(fits.p_value), 0.05).pvalue > 0.01


def test_a_cell_that_the_model_does_not_describe_is(cells):
    """A floor of errors at the strongest pulses, as back-hopping makes it."""
    _, seen = cells
    floor = np.array([0, 0, 0, 0, 0, 0.05])
    more = np.round((seen.attempts - seen.errors) * floor)
    strange = Observed(
        amplitude=seen.amplitude,
        width=seen.width,
        attempts=seen.attempts,
        errors=seen.errors + more,
    )

    assert np.mean(fit_amplitudes(strange, QUANTITY).p_value < 1e-3) > 0.9


def test_counts_that_say_little_leave_ends_open():
    """All errors, no errors, or no counts at all: no interval, and no exception."""
    pulses = {"amplitude": np.full((3, 1), 0.5), "width": np.full((3, 1), 2e-8)}
    seen = Observed(
        **pulses, attempts=np.array([[100.0], [100], [0]]), errors=np.array([[100.0], [0], [0]])
    )

    fits = fit_amplitudes(seen, QUANTITY)

    assert np.isinf(fits.high[0])
    assert fits.low[1] == 0
    assert np.isinf(fits.log_width[2])
    assert not fits.converged.any()


def test_values_beyond_every_pulse_are_told_from_measured_ones(cells):
    """Pulses below the amplitude found are a basis for extrapolation only."""
    _, seen = cells
    fits = fit_amplitudes(seen, QUANTITY)
    one = {"width": np.full((300, 1), 20e-9), "attempts": np.full((300, 1), 10.0)}
    harder = Observed(amplitude=np.full((300, 1), 1.0), errors=np.zeros((300, 1)), **one)

    assert is_extrapolated(seen, fits, QUANTITY).all()
    assert not is_extrapolated(harder, fits, QUANTITY).any()


def test_the_saturated_model_is_the_best_there_is(cells):
    """With a free rate at each pulse no count is better explained; sure ones cost nothing."""
    seen = Observed(
        amplitude=np.ones((1, 3)),
        width=np.ones((1, 3)),
        attempts=np.array([[10.0, 10, 0]]),
        errors=np.array([[0.0, 10, 0]]),
    )

    assert saturated(seen) == 0
    assert np.all(fit_amplitudes(cells[1], QUANTITY).log_likelihood <= saturated(cells[1]))


def test_a_confidence_outside_0_to_1_is_refused(cells):
    """As everywhere."""
    with pytest.raises(ConfigurationError):
        fit_amplitudes(cells[1], QUANTITY, confidence=95.0)
