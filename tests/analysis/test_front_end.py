"""Amplifiers found again in the dot products that they made."""

import numpy as np
import pytest

from analysis.front_end import fit_front_end
from crossbar.errors import DataError
from physics.product_front_end import ProductFrontEnd


def test_what_was_put_in_is_found():
    """Gains within their errors, offset and noise; and noise is all that is random."""
    generator = np.random.default_rng(4)
    ideal = generator.normal(0, 200e-6, (400, 5))
    gains = (0.9, 1.0, 1.05, 0.95, 0.97)
    board = ProductFrontEnd(gains=gains, offset=-12e-6, noise=7e-6)

    fit = fit_front_end(ideal, board.amplified(ideal, "test"))

    assert np.all(np.abs(fit.gains - gains) < 4 * fit.gain_errors)
    assert fit.offset == pytest.approx(-12e-6, abs=4 * fit.offset_error)
    assert fit.noise == pytest.approx(7e-6, rel=0.05)
    assert fit.random_noise == pytest.approx(7e-6, rel=0.05)


def test_crosstalk_is_told_from_noise():
    """A share of every other output is not random, though no line per output explains it."""
    generator = np.random.default_rng(4)
    ideal = generator.normal(0, 200e-6, (400, 5))
    noise = generator.normal(0, 2e-6, ideal.shape)

    fit = fit_front_end(ideal, ideal + 0.05 * ideal[:, ::-1] + noise)

    assert fit.random_noise == pytest.approx(2e-6, rel=0.1)
    assert fit.noise > 8e-6


@pytest.mark.parametrize("shape", [(4, 5), (20, 4), (20,)])
def test_currents_that_do_not_fit_are_refused(shape):
    """Other shapes, or too few vectors."""
    with pytest.raises(DataError, match="make no front end"):
        fit_front_end(np.zeros(shape), np.zeros((20, 5)))
