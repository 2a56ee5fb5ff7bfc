import dataclasses

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from scipy.stats import chi2

from analysis.switching_counts import SwitchingCounts
from analysis.switching_fit import SwitchingFits, fit_switching, wer_band
from analysis.switching_likelihood import Observations, log_likelihood, log_success, model
from crossbar.errors import ConfigurationError
from crossbar.pulses import State

CELLS = 60
AMPLITUDES = (0.30, 0.35, 0.40, 0.50, 0.70, 0.90)
WIDTHS = (5e-9, 10e-9, 20e-9, 50e-9)
PULSES = np.array([(volts, width) for volts in AMPLITUDES for width in WIDTHS])


def draw_truth(cells: int, seed: int) -> np.ndarray:
    """(cells, 3) delta, vc0 and tau_d with the spreads of a real array."""
    spread = np.random.default_rng(seed).normal(0, [0.06, 0.044, 0.05], (cells, 3))
    return np.array([60.0, 0.40, 1.9e-9]) * np.exp(spread)


def simulate(truth: np.ndarray, attempts: int = 10_000, seed: int = 1) -> SwitchingCounts:
    """Counts drawn from the model, the same number of attempts at every pulse."""
    amplitude, width = (np.tile(column, (len(truth), 1)) for column in PULSES.T)
    log_error = model(
        torch.from_numpy(truth).log(), torch.from_numpy(amplitude), torch.from_numpy(width)
    )
    errors = np.random.default_rng(seed).binomial(attempts, log_error.exp().numpy())
    return SwitchingCounts(
        cells=np.arange(len(truth)),
        targets=(State.HIGH,) * len(truth),
        amplitude=amplitude,
        width=width,
        attempts=np.full(errors.shape, attempts),
        errors=errors,
    )


def only(counts: SwitchingCounts, kept: np.ndarray) -> SwitchingCounts:
    """The same with all points but the ``kept`` (n, m) emptied."""
    return dataclasses.replace(
        counts, attempts=np.where(kept, counts.attempts, 0), errors=np.where(kept, counts.errors, 0)
    )


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    return draw_truth(CELLS, seed=5)


@pytest.fixture(scope="module")
def counts(truth: np.ndarray) -> SwitchingCounts:
    return simulate(truth)


@pytest.fixture(scope="module")
def fits(counts: SwitchingCounts) -> SwitchingFits:
    return fit_switching(counts)


def test_intervals_hold_the_truth_as_often_as_they_say(truth, fits):
    """Of 60 cells, each parameter's 95 % interval misses the truth in a few at most."""
    held = (fits.low <= truth) & (truth <= fits.high)

    assert fits.converged.all()
    assert np.all(held.mean(axis=0) >= 0.87)
    # Intervals that are far too wide would hold the truth as well.
    assert held.mean() < 0.995


def test_all_three_parameters_are_identified(truth, fits):
    """The default pulses tell delta to some per cent, vc0 and tau_d to about one, without bias."""
    half_width = np.median(np.log(fits.high / fits.low), axis=0) / 2
    bias = np.log(fits.estimate / truth).mean(axis=0)

    assert np.all(half_width < [0.05, 0.01, 0.015])
    assert np.all(np.abs(bias) < half_width / 2 / CELLS**0.5 * 4)


def test_the_model_that_made_the_counts_is_not_rejected(fits):
    """The deviance of sound cells stays in what chance allows."""
    assert np.all(fits.deviance >= 0)
    assert np.all(fits.deviance < chi2.ppf(1 - 1e-6, fits.dof))


def test_a_cell_that_another_mechanism_spoils_shows_in_the_deviance(counts):
    """Errors that do not fall with amplitude (back-hopping) make the deviance huge."""
    floor = np.random.default_rng(2).binomial(counts.attempts, 0.003)
    hopping = dataclasses.replace(counts, errors=np.maximum(counts.errors, floor))
    fits = fit_switching(hopping)

    assert np.all(fits.deviance > 10 * fits.dof)


def test_no_other_parameters_are_more_likely(counts, fits):
    """A general-purpose optimizer, started at the truth's median, finds none that is better."""
    seen = Observations.of(counts)
    for cell in range(3):
        alone = seen.rows(torch.tensor([cell]))

        def loss(logs: np.ndarray, alone: Observations = alone) -> float:
            return -float(log_likelihood(torch.from_numpy(logs)[None], alone))

        start = np.log([60.0, 0.40, 1.9e-9])
        rough = minimize(loss, start, method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-7})

        assert fits.log_likelihood[cell] >= -rough.fun - 0.01


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("side", ["low", "high"])
def test_an_interval_ends_where_the_profile_has_dropped(counts, fits, axis, side):
    """With one parameter held at its end, the best fit is 1.92 less likely than the best of all."""
    alone = Observations.of(counts).rows(torch.tensor([0]))
    held = np.log(getattr(fits, side)[0, axis])
    others = [other for other in range(3) if other != axis]

    def loss(free: np.ndarray) -> float:
        logs = np.empty(3)
        logs[axis], logs[others] = held, free
        return -float(log_likelihood(torch.from_numpy(logs)[None], alone))

    start = np.log(fits.estimate[0, others])
    simplex = start + np.array([[0, 0], [0.02, 0], [0, 0.02]])
    options = {"xatol": 1e-7, "fatol": 1e-6, "initial_simplex": simplex, "maxiter": 2000}
    profile = minimize(loss, start, method="Nelder-Mead", options=options)

    assert fits.log_likelihood[0] + profile.fun == pytest.approx(chi2.ppf(0.95, 1) / 2, abs=0.05)


def test_cells_do_not_influence_each_other(counts, fits):
    """A cell fitted alone, or with other cells before it, comes out the same."""
    order = np.array([41, 3, 17])
    rows = ("cells", "amplitude", "width", "attempts", "errors")
    some = dataclasses.replace(
        counts, targets=(State.LOW,) * 3, **{name: getattr(counts, name)[order] for name in rows}
    )
    again = fit_switching(some)

    assert again.estimate == pytest.approx(fits.estimate[order], rel=1e-6)
    assert again.high == pytest.approx(fits.high[order], rel=1e-6)
    assert again.targets == (State.LOW,) * 3


def test_padding_says_nothing(counts, fits):
    """Points without attempts change neither estimate nor interval nor degrees of freedom."""
    names = ("amplitude", "width", "attempts", "errors")
    wide = {name: np.repeat(getattr(counts, name)[:4], 2, axis=1) for name in names}
    kept = np.tile([True, False], (4, len(PULSES)))
    padded = dataclasses.replace(counts, cells=counts.cells[:4], targets=counts.targets[:4], **wide)
    again = fit_switching(only(padded, kept))

    assert again.estimate == pytest.approx(fits.estimate[:4], rel=1e-6)
    assert again.low == pytest.approx(fits.low[:4], rel=1e-6)
    assert again.dof.tolist() == fits.dof[:4].tolist()


def test_more_confidence_makes_wider_intervals(counts, fits):
    """The 99 % interval contains the 95 % interval."""
    wider = fit_switching(counts, confidence=0.99)

    assert np.all(wider.low < fits.low)
    assert np.all(wider.high > fits.high)


def test_what_the_counts_do_not_bound_is_reported_open():
    """Few attempts far above vc0 leave delta unbounded: 0 to infinity, not a guess."""
    counts = simulate(draw_truth(3, seed=1), attempts=20)
    strong = fit_switching(only(counts, counts.amplitude > 0.6))

    assert np.all(strong.low[:, 0] == 0)
    assert np.all(np.isinf(strong.high[:, 0]))


def test_cells_that_always_or_never_fail_are_flagged(counts):
    """Such counts have no most likely parameters; one bounds vc0 from above, one nothing at all."""
    errors = counts.errors[:2].copy()
    errors[0], errors[1] = 0, counts.attempts[1]
    names = ("cells", "targets", "amplitude", "width", "attempts")
    two = {name: getattr(counts, name)[:2] for name in names}
    fits = fit_switching(SwitchingCounts(errors=errors, **two))

    assert not fits.converged.any()
    assert np.all(fits.low == 0)
    assert fits.high[0, 1] < AMPLITUDES[-1]
    assert np.all(np.isinf(fits.high[1]))


def test_the_likelihood_keeps_its_digits_at_both_ends():
    """ln(1 - WER) is right for rates of 1e-300 and for rates that differ from one by 1e-12."""
    log_error = torch.tensor([-690.0, -20.0, -1.0, -1e-9, -1e-12], dtype=torch.float64)
    expected = [0.0, -2.0611536245627e-09, -0.45867514538, -20.7232658375, -27.6310211159]

    assert log_success(log_error).numpy() == pytest.approx(np.array(expected), rel=1e-9, abs=1e-200)


def test_the_band_holds_the_true_curve(truth, fits):
    """The 95 % band contains the true curve at about 95 % of all points, and its own curve."""
    volts = np.linspace(0.3, 1.0, 15)
    band = wer_band(fits, volts, 10e-9)
    amplitude = torch.from_numpy(volts).expand(CELLS, -1)
    true_curve = model(
        torch.from_numpy(truth).log(), amplitude, torch.full_like(amplitude, 10e-9)
    ).numpy()

    assert np.all((band.low <= band.log_wer) & (band.log_wer <= band.high))
    assert np.all(band.high <= 0)
    assert 0.88 < np.mean((band.low <= true_curve) & (true_curve <= band.high)) < 0.999


def test_a_confidence_that_is_no_fraction_is_refused(counts):
    """95 is not a confidence."""
    with pytest.raises(ConfigurationError, match="between 0 and 1"):
        fit_switching(counts, confidence=95)


def test_the_barrier_exponent_is_supposed_and_kept(truth):
    """Cells whose barrier has exponent 1 are fitted with it, and stay with it in their curves."""
    few = truth[:2]
    amplitude, width = (np.tile(column, (len(few), 1)) for column in PULSES.T)
    log_error = model(
        torch.from_numpy(few).log(), torch.from_numpy(amplitude), torch.from_numpy(width), 1.0
    )
    errors = np.random.default_rng(4).binomial(10_000, log_error.exp().numpy())
    counts = dataclasses.replace(simulate(few), errors=errors)
    right, wrong = fit_switching(counts, 0.95, 1.0), fit_switching(counts)

    assert np.mean((right.low <= few) & (few <= right.high)) >= 0.8
    assert np.all(right.deviance < wrong.deviance)
    assert (right.barrier_exponent, wrong.barrier_exponent) == (1.0, 2.0)
    band = wer_band(right, np.array([0.3]), 50e-9)
    assert np.all(band.low <= band.log_wer)
    with pytest.raises(ConfigurationError, match="barrier_exponent"):
        fit_switching(counts, 0.95, 3.0)
