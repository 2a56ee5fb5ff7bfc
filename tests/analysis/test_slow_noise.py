from dataclasses import replace

import numpy as np
import pytest

from analysis.slow_noise import LinearFit, innovations, one_over_f, widening

READINGS, CELLS = 80, 60


def fits(slow, seed):
    """Lines through white noise of 1 and 1/f noise of this size; and the slopes found."""
    generator = np.random.default_rng(seed)
    place = np.arange(READINGS, dtype=np.float64)
    covariance = one_over_f(place, np.zeros(READINGS, np.int64))
    design = np.stack([np.ones(READINGS), place / READINGS], 1)
    whole = np.linalg.cholesky(np.eye(READINGS) + slow * (covariance + 10))
    found, slopes = [], []
    for _ in range(CELLS):
        noise = whole @ generator.standard_normal(READINGS)
        solution = np.linalg.lstsq(design, noise, rcond=None)[0]
        slopes.append(solution[1])
        found.append(
            LinearFit(
                design=design,
                weight=np.ones(READINGS),
                residual=noise - design @ solution,
                covariance=covariance,
            )
        )
    return found, np.array(slopes)


def test_white_noise_widens_by_what_few_readings_cannot_exclude():
    """80 readings leave 1/f noise possible that would double the variance of a slope."""
    factors = widening(fits(0.0, 1)[0])

    assert factors.min() >= 1
    assert np.median(factors[:, 1]) < 2.5


@pytest.mark.parametrize("slow", [0.1, 0.5])
def test_slopes_spread_as_the_widened_errors_say(slow):
    """Their variance over many cells, beside that which white noise of 1 would give."""
    found, slopes = zip(*(fits(slow, seed) for seed in range(6)), strict=True)
    white = np.linalg.inv(found[0][0].design.T @ found[0][0].design)[1, 1]
    factor = np.mean([widening(one)[:, 1] for one in found])
    assert np.var(np.concatenate(slopes)) / white == pytest.approx(factor, rel=0.25)
    assert factor > 1.3


def test_each_cell_has_noise_of_its_own():
    """Its neighbours' noise does not matter."""
    calm, restless = fits(0.0, 1)[0], fits(0.5, 2)[0]
    together = widening(calm + restless)

    assert together == pytest.approx(np.concatenate([widening(calm), widening(restless)]))
    assert np.median(together[CELLS:, 1]) > 5 * np.median(together[:CELLS, 1])


def test_doubtful_readings_tell_nothing_of_the_noise():
    """A stretch of weight 0 may be as far off as it likes; without any other, all count."""
    one = fits(0.0, 3)[0][0]
    weight = np.where(np.arange(READINGS) < 20, 0.0, 1.0)
    off = replace(one, weight=weight, residual=np.where(weight > 0, one.residual, 100.0))

    assert widening([off]) == pytest.approx(widening([replace(one, weight=weight)]))
    assert np.all(np.isfinite(widening([replace(one, weight=np.full(READINGS, 0.1))])))


@pytest.mark.parametrize("slow", [0.0, 0.3])
def test_innovations_remember_neither_slow_noise_nor_the_fit(slow):
    """Neighbours' correlation is less than one cell could tell."""
    found, _ = fits(slow, 4)

    def neighbours(rows):
        return np.sum(rows[:, 1:] * rows[:, :-1]) / np.sum(rows**2)

    whitened = np.array([innovations(one, one.residual) for one in found])
    error = 1 / np.sqrt(READINGS)  # of one cell; the mean of 60 is far more exact
    assert abs(neighbours(whitened)) < error
    if slow:
        assert neighbours(np.array([one.residual for one in found])) > 1.5 * error
    assert whitened[:, 0] == pytest.approx(0, abs=0.01)  # it took the first to find the level
