from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import linprog

from analysis.amplitude_density import (
    AmplitudeForWer,
    Density,
    Expectation,
    Observed,
    information_of,
)
from analysis.amplitude_design import AmplitudeDesign, neighbourhoods, optimal_shares
from analysis.amplitude_interval import fit_amplitudes
from tests.analysis.switching_counting import beside, count, draw_cells, nothing

DESIGN = AmplitudeDesign(
    quantity=AmplitudeForWer(wer=1e-6, width=20e-9),
    expectation=Expectation(),
    widths=(5e-9, 10e-9, 20e-9, 50e-9),
    largest=0.9,
    relative_width=0.02,
    confidence=0.95,
    max_attempts=1_000_000,
    first_block=200,
    growth=0.3,
)


def spent_on(seen):
    """(n,) attempts so far."""
    return seen.attempts.sum(axis=1).astype(int)


def measured(truth, design, seed, rounds=60):
    """Follow a design on cells of known truth to its end."""
    generator, seen = np.random.default_rng(seed), nothing(len(truth))
    for _ in range(rounds):
        blocks = design.next_blocks(seen, spent_on(seen))
        if not blocks.attempts.any():
            return seen
        # A pair that is finished gets no attempts, which leaves it as it is.
        pulses = (blocks.amplitude[:, None], blocks.width[:, None], blocks.attempts[:, None])
        seen = beside(seen, count(truth, *pulses, generator))
    raise AssertionError("the design does not come to an end")


@pytest.fixture(scope="module")
def forty():
    """(truth, counts) of forty cells, measured to the end."""
    truth = draw_cells(40, np.random.default_rng(2))
    return truth, measured(truth, DESIGN, 3)


def smallest_variance(truth):
    """Of ln V after one attempt, by the best design for this cell: Elfving's linear program."""
    amplitude, width = np.meshgrid(np.arange(0.1, 0.9, 0.01), DESIGN.widths)
    at = np.log([DESIGN.quantity.of(truth[None])[0], truth[0], truth[2]])
    log_hazard, slopes = Density(quantity=DESIGN.quantity).linearized(
        at[None], amplitude.ravel()[None], width.ravel()[None]
    )
    felt = (slopes * np.sqrt(information_of(log_hazard))[..., None])[0]
    found = linprog(
        np.ones(2 * len(felt)), A_eq=np.hstack([felt.T, -felt.T]), b_eq=[1.0, 0, 0], method="highs"
    )
    return float(found.fun) ** 2


def test_it_reaches_the_precision_and_holds_the_truth(forty):
    """Every interval is as narrow as asked for, and at most a few miss."""
    truth, seen = forty

    fits = fit_amplitudes(seen, DESIGN.quantity)

    volts = DESIGN.quantity.of(truth)
    assert fits.log_width.max() <= DESIGN.relative_width
    assert np.mean((fits.low <= volts) & (volts <= fits.high)) > 0.85


def test_it_takes_hardly_more_attempts_than_the_best_design(forty):
    """Than the one for which the truth must be known; 0.7 of its information is the goal."""
    truth, seen = forty
    at = np.log(np.stack([DESIGN.quantity.of(truth), truth[:, 0], truth[:, 2]], axis=1))
    _, information = Density(quantity=DESIGN.quantity).score_and_information(at, seen)

    variance = np.linalg.inv(information)[:, 0, 0]
    best = np.array([smallest_variance(each) for each in truth]) / spent_on(seen)

    assert np.median(best / variance) > 0.8


def test_cells_that_nobody_expected_are_measured_all_the_same():
    """Half or twice the critical voltage, other deltas and times: the precision is reached."""
    truth = np.array([[45.0, 0.2, 1e-9], [75.0, 0.5, 3e-9], [60.0, 0.6, 1.9e-9]])

    seen = measured(truth, DESIGN, 5)

    fits, volts = fit_amplitudes(seen, DESIGN.quantity, 0.999), DESIGN.quantity.of(truth)
    assert np.all((fits.low <= volts) & (volts <= fits.high))
    assert np.all(spent_on(seen) < 100_000)


def test_what_comes_next_is_a_function_of_the_counts(forty):
    """Whatever order the points come in, and whichever other cells are measured with them."""
    _, seen = forty
    early = Observed(
        **{
            name: getattr(seen, name)[:, :8]
            for name in ("amplitude", "width", "attempts", "errors")
        }
    )
    blocks = DESIGN.next_blocks(early, spent_on(early))

    turned = Observed(
        **{
            name: getattr(early, name)[5:9, ::-1]
            for name in ("amplitude", "width", "attempts", "errors")
        }
    )
    again = DESIGN.next_blocks(turned, spent_on(turned))

    np.testing.assert_allclose(again.amplitude, blocks.amplitude[5:9], rtol=1e-9)
    np.testing.assert_array_equal(again.width, blocks.width[5:9])
    np.testing.assert_array_equal(again.attempts, blocks.attempts[5:9])


def test_no_pulse_is_larger_than_allowed(forty):
    """Whatever would be learned from it."""
    assert forty[1].amplitude.max() <= DESIGN.largest
    low = replace(DESIGN, largest=0.45, max_attempts=3000)

    assert measured(forty[0][:3], low, 1).amplitude.max() <= 0.45


def test_nothing_learned_yet_is_no_obstacle():
    """All errors, no errors: another pulse, and a sensible one."""
    pulses = {"amplitude": np.full((2, 1), 0.5), "width": np.full((2, 1), 2e-8)}
    seen = Observed(**pulses, attempts=np.full((2, 1), 200.0), errors=np.array([[200.0], [0]]))

    blocks = DESIGN.next_blocks(seen, spent_on(seen))

    harder = blocks.amplitude * np.sqrt(blocks.width)
    assert blocks.attempts.min() >= DESIGN.first_block
    assert harder[0] > harder[1]


def test_the_budget_ends_it():
    """Rejected attempts count; the last block is what is left."""
    design = replace(DESIGN, max_attempts=1000)
    seen = nothing(3)

    blocks = design.next_blocks(seen, np.array([0, 900, 1000]))

    np.testing.assert_array_equal(blocks.attempts, [200, 100, 0])


def test_shares_are_those_of_the_best_design():
    """With nothing known before they reach what a linear program finds."""
    truth = draw_cells(3, np.random.default_rng(8))
    at = np.log(np.stack([DESIGN.quantity.of(truth), truth[:, 0], truth[:, 2]], axis=1))
    amplitude, width = np.meshgrid(np.arange(0.1, 0.9, 0.01), DESIGN.widths)
    log_hazard, slopes = Density(quantity=DESIGN.quantity).linearized(
        at, np.tile(amplitude.ravel(), (3, 1)), np.tile(width.ravel(), (3, 1))
    )
    weights = information_of(log_hazard)

    shares = optimal_shares(1e-6 * np.eye(3)[None, None], weights[None], slopes[None], 400)

    spread = slopes * (weights * shares)[..., None]
    variance = np.linalg.inv(np.swapaxes(spread, 1, 2) @ slopes)[:, 0, 0]
    best = [smallest_variance(each) for each in truth]
    np.testing.assert_allclose(variance, best, rtol=0.02)


def test_shares_of_neighbours_count_together():
    """A heap of small shares is a pulse; a larger single share at another width is less."""
    shares = np.zeros((1, 56, 4))
    shares[0, 20:25, 0] = 0.12
    shares[0, 40, 2] = 0.4

    best = np.unravel_index(np.argmax(neighbourhoods(shares.reshape(1, -1), 4)), shares.shape[1:])

    assert best == (22, 0)
