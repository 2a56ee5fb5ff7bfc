import numpy as np
import pytest

from analysis.dot_product import dot_product_quality
from crossbar.errors import DataError
from crossbar.records import DotProductBlock

ROWS, COLUMNS, VECTORS = 30, 8, 40


def block_of(measured, seed=1, vectors=VECTORS):
    """A block whose currents are what ``measured`` makes of the ideal ones."""
    random = np.random.default_rng(seed)
    conductance = random.uniform(1e-4, 2e-4, (ROWS, COLUMNS))
    strength = np.arange(1, vectors + 1)[:, None] / vectors
    volts = strength * random.uniform(0, 0.1, (vectors, ROWS))
    return DotProductBlock(
        subarray=0,
        row_voltages=volts,
        current=measured(volts @ conductance, random),
        conductance=conductance,
    )


def test_gain_and_offset_are_found_again():
    """A crossbar that loses 5 % and adds 1 uA is described as just that."""
    quality = dot_product_quality(block_of(lambda ideal, _: 0.95 * ideal + 1e-6))

    assert quality.gain.estimate == pytest.approx(0.95, rel=1e-9)
    assert quality.offset.estimate == pytest.approx(1e-6, rel=1e-6)
    assert quality.nonlinearity.estimate == pytest.approx(0.0, abs=1e-9)
    assert quality.residual < 1e-9


def test_a_bend_is_seen():
    """A current that falls short by 4 % at full scale, in proportion to its square, bends by 1 / 8
    of that, as far as the column's range goes."""
    largest = np.max(block_of(lambda ideal, _: ideal).current, axis=0)
    block = block_of(lambda ideal, _: ideal - 0.04 * ideal**2 / largest)

    assert dot_product_quality(block).nonlinearity.estimate == pytest.approx(-0.04 / 8, rel=0.05)


def test_columns_have_gains_of_their_own():
    """Wires take more of far columns: each gain is found, and the residual grows."""
    gains = np.linspace(1.0, 0.9, COLUMNS)
    quality = dot_product_quality(block_of(lambda ideal, _: gains * ideal))

    np.testing.assert_allclose(quality.column_gain, gains, rtol=1e-9)
    assert quality.gain.estimate == pytest.approx(0.95)
    assert quality.gain.high - quality.gain.low < 1e-9
    assert quality.residual > 0.005


def test_intervals_hold_where_noise_grows_with_the_current():
    """Two percent of each current: 94 to 97 % of 1,000 intervals hold the gain, and the bend (with
    the normal quantile, 93.5 % the bend: few strong vectors make it)."""

    def noisy(ideal, random):
        return ideal * (1 + 0.02 * random.standard_normal(ideal.shape))

    found = [dot_product_quality(block_of(noisy, seed)) for seed in range(1000)]
    for name, truth in (("gain", 1.0), ("nonlinearity", 0.0)):
        estimates = [getattr(quality, name) for quality in found]
        covered = np.mean([each.low <= truth <= each.high for each in estimates])
        assert 0.94 <= covered <= 0.97, name


def test_intervals_hold_where_a_vector_is_off_as_a_whole():
    """Two percent of all currents of a vector: columns do not average that out."""

    def wavering(ideal, random):
        return ideal * (1 + 0.02 * random.standard_normal((len(ideal), 1)))

    found = [dot_product_quality(block_of(wavering, seed)).gain for seed in range(200)]
    covered = np.mean([gain.low <= 1.0 <= gain.high for gain in found])

    assert 0.90 <= covered <= 0.99


def test_saturated_currents_are_left_out():
    """A clipped column has no gain; the others are as they were."""

    def clipped(ideal, _):
        ideal[:, 2] = 1.0
        return ideal

    quality = dot_product_quality(block_of(clipped), saturated=0.5)

    assert np.isnan(quality.column_gain[2])
    assert quality.gain.estimate == pytest.approx(1.0)
    assert quality.points == VECTORS * (COLUMNS - 1)


def test_too_few_points_make_no_line():
    """One message with the remedy."""
    with pytest.raises(DataError, match="more vectors"):
        dot_product_quality(block_of(lambda ideal, _: ideal, vectors=4))
