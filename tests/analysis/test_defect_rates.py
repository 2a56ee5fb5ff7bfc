import numpy as np
import pytest

from analysis.defect_rates import defect_rate, dispersion_interval
from analysis.intervals import clopper_pearson
from crossbar.errors import DataError

CELLS = np.full(24, 5000)


def drawn(rate, shape, generator, classes=1):
    """(dies, classes) counts with a gamma factor of each die on each rate."""
    factor = generator.gamma(shape, 1 / shape, (len(CELLS), classes))
    return generator.binomial(CELLS[:, None], np.minimum(rate * factor, 1))


def test_intervals_hold_the_mean_rate_and_the_spread_between_dies():
    """150 wafers of 24 dies, rates spread by 58 % from die to die: 90 to 99 % hold, where the
    binomial interval of all cells together would hold in fewer than half."""
    generator = np.random.default_rng(7)
    held, binomial = [], []
    for _ in range(150):
        counts = drawn(0.02, 3.0, generator)[:, 0]
        found = defect_rate(counts, CELLS)
        held.append(
            [
                found.rate.low <= 0.02 <= found.rate.high,
                found.die_to_die.low <= 3**-0.5 <= found.die_to_die.high,
            ]
        )
        low, high = clopper_pearson(counts.sum(), CELLS.sum())
        binomial.append(low <= 0.02 <= high)
    assert np.all(np.mean(held, axis=0) >= 0.90)
    assert np.mean(held) <= 0.99
    assert np.mean(binomial) < 0.5


def test_five_classes_share_one_dispersion():
    """Its interval holds the truth in most of 100 wafers, and is tighter than one class's."""
    generator = np.random.default_rng(8)
    found = [dispersion_interval(drawn(0.01, 3.0, generator, 5), CELLS) for _ in range(100)]

    assert np.mean([each.low <= 3 <= each.high for each in found]) >= 0.89
    assert np.median([each.high / each.low for each in found]) < 2.5


def test_equal_dies_leave_the_spread_open_at_the_bottom():
    """Counts that scatter as independent cells do are compatible with no spread at all."""
    counts = np.random.default_rng(9).binomial(CELLS, 0.02)
    found = defect_rate(counts, CELLS)

    assert found.die_to_die.low == pytest.approx(1000**-0.5, rel=0.01)
    assert found.die_to_die.high < 0.25


def test_without_a_defect_the_rate_has_an_upper_end():
    """None seen is not reported as zero."""
    found = defect_rate(np.zeros(24, dtype=int), CELLS)

    assert found.rate.estimate == 0
    assert 0 < found.rate.high < 1e-4
    assert np.isnan(found.die_to_die.estimate)


def test_no_cell_is_refused():
    """Nothing to count among."""
    with pytest.raises(DataError, match="No cell"):
        defect_rate(np.array([], dtype=int), np.array([], dtype=int))
