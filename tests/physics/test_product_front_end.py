import numpy as np
import pytest

from physics.product_front_end import ProductFrontEnd


def test_an_ideal_front_end_changes_nothing():
    """The default of every simulated board: bit for bit."""
    current = np.random.default_rng(1).normal(0, 1e-4, (7, 50))

    assert ProductFrontEnd().amplified(current, "any").tobytes() == current.tobytes()


def test_columns_share_amplifiers():
    """The 26th column of a board with 25 amplifiers has the gain of the first."""
    current = np.full((2, 50), 1e-4)
    gains = tuple(np.linspace(0.9, 1.1, 25))

    amplified = ProductFrontEnd(gains=gains, offset=1e-6).amplified(current)

    assert amplified[1] == pytest.approx(np.tile(gains, 2) * 1e-4 + 1e-6)


def test_noise_belongs_to_the_occasion():
    """The same product again reads the same; another one does not. Its size is what was asked."""
    front_end = ProductFrontEnd(noise=5e-6)
    nothing = np.zeros((400, 50))

    first, again, other = (front_end.amplified(nothing, occasion) for occasion in (1, 1, 2))

    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert np.std(first) == pytest.approx(5e-6, rel=0.03)
