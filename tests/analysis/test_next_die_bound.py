import numpy as np
import pytest

from analysis.next_die_bound import next_die_bound
from crossbar.errors import DataError


def test_the_worst_of_nineteen_dies_bounds_the_twentieth():
    """The next die is as likely as any other to be the worst of twenty: 5 %."""
    found = next_die_bound(np.linspace(0.9, 0.99, 19))

    assert (found.bound, found.rank) == (pytest.approx(0.9), 1)
    assert found.confidence == pytest.approx(0.95)


def test_too_few_dies_say_how_little_they_bound():
    """Of four dies the smallest is a bound at 80 %, whatever was asked for."""
    found = next_die_bound([0.95, 0.94, 0.97, 0.96], 0.95)

    assert found.bound == 0.94
    assert found.confidence == pytest.approx(0.8)


@pytest.mark.parametrize("dies", [7, 36, 99])
def test_the_bound_holds_as_often_as_it_says(dies):
    """Over 4,000 wafers of skewed values the next die is below it as often as stated (4 sd)."""
    generator = np.random.default_rng(4)
    values = 1 - generator.exponential(0.02, (4000, dies + 1))
    found = [next_die_bound(row[:-1]) for row in values]
    held = np.mean([last >= each.bound for last, each in zip(values[:, -1], found, strict=True)])

    stated = found[0].confidence
    assert abs(held - stated) < 4 * np.sqrt(stated * (1 - stated) / 4000)


def test_the_covered_fraction_is_that_of_wilks():
    """The worst of 36 lies, 95 times of 100, below a fraction of at least 0.05**(1/36) of dies."""
    assert next_die_bound(np.ones(36)).coverage == pytest.approx(0.05 ** (1 / 36))


@pytest.mark.parametrize("values", [[], [0.9, np.nan]])
def test_nothing_bounds_nothing(values):
    """A die that was not graded is no value."""
    with pytest.raises(DataError, match="bound no next die"):
        next_die_bound(values)
