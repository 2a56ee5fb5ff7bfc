import numpy as np
import pytest

from training.encoding import Encoding, signed

WINDOW = 0.5


def test_single_ended_weights_are_plus_and_minus_one_and_a_short_far_more():
    """LOW is +1, HIGH is -1, an open about -3, a short of five times LOW +17."""
    values = np.array([1.0, 0.5, 0.0, 5.0])

    assert signed(values, 1.0, WINDOW, Encoding.SINGLE_ENDED) == pytest.approx([1, -1, -3, 17])


def test_differential_weights_are_the_even_minus_the_odd_column():
    """Two cells give -1, 0 or +1."""
    values = np.array([[1.0, 0.5, 0.5, 1.0, 1.0, 1.0]])

    assert signed(values, 1.0, WINDOW, Encoding.DIFFERENTIAL) == pytest.approx(
        np.array([[1, -1, 0]])
    )


@pytest.mark.parametrize("encoding", Encoding)
def test_signing_currents_equals_multiplying_by_signed_conductances(encoding):
    """The digital reference may be subtracted before or after the dot product."""
    generator = np.random.default_rng(0)
    drive, cells = generator.uniform(-1, 1, (4, 10)), generator.uniform(0, 6, (10, 6))

    after = signed(drive @ cells, drive.sum(1, keepdims=True), WINDOW, encoding)

    assert after == pytest.approx(drive @ signed(cells, 1.0, WINDOW, encoding))
