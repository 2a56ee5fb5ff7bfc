from dataclasses import replace

import numpy as np
import pytest

from analysis.disturb_rate import disturb_rate
from analysis.intervals import clopper_pearson
from crossbar.errors import DataError
from tests.analysis.test_phase_boundary import measured

WIDTHS = (1e-6, 10e-6, 100e-6)
POINT = measured(0.4)[0]


def reads(rate, attempts=10_000, seed=1, widths=WIDTHS):
    """Reads of three durations that disturb at a constant rate."""
    generator = np.random.default_rng(seed)
    kept = [int(generator.binomial(attempts, np.exp(-rate * width))) for width in widths]
    return [
        replace(POINT, width=width, attempts=attempts, errors=errors)
        for width, errors in zip(widths, kept, strict=True)
    ]


@pytest.mark.parametrize("rate", [100.0, 1e4, 1e6, 4e6])
def test_intervals_hold_the_rate_as_often_as_stated(rate):
    """Slow and fast disturbs, 400 cells each: 92 to 98 % of the 95 % intervals hold the rate."""
    found = [disturb_rate(reads(rate, seed=seed)) for seed in range(400)]

    assert 0.92 <= np.mean([f.low <= rate <= f.high for f in found]) <= 0.98
    assert np.median([f.estimate for f in found]) == pytest.approx(rate, rel=0.05)


def test_no_disturb_at_all_has_an_upper_end():
    """Nothing switched: the rate is 0, and its end is that of the longest reads."""
    found = disturb_rate([replace(point, errors=point.attempts) for point in reads(1.0)])
    low, _ = clopper_pearson(10_000, 10_000)

    assert (found.estimate, found.low) == (0, 0)
    assert found.high == pytest.approx(-np.log(low) / 100e-6)


def test_nothing_but_disturbs_has_a_lower_end():
    """Everything switched: the rate is infinite, and its low end is that of the shortest reads."""
    found = disturb_rate([replace(point, errors=0) for point in reads(1.0)])

    assert (found.estimate, found.high) == (np.inf, np.inf)
    assert 1e6 < found.low < 1e8


def test_one_duration_is_exact():
    """Clopper-Pearson's interval of the error rate, turned into rates."""
    (point,) = reads(1e4, widths=(10e-6,))
    found = disturb_rate([point])
    ends = -np.log(clopper_pearson(point.errors, point.attempts)) / 10e-6

    assert (found.high, found.low) == pytest.approx(tuple(ends))


def test_reads_without_attempts_are_refused():
    """A cell without a window tells no rate."""
    with pytest.raises(DataError, match="valid attempt"):
        disturb_rate([replace(POINT, attempts=0, errors=0)])
