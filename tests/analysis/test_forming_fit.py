import numpy as np
import pytest
from scipy.stats import gumbel_r

from analysis.forming_fit import FormingCounts, fit_forming, forming_counts
from crossbar.errors import DataError

AMPLITUDES = 2.0 + 0.05 * np.arange(25)
LOCATION, SCALE = 2.4163, 0.145


def ramp(voltages, never=0):
    """Pulses and verdicts of cells with these forming voltages, and of some that never form."""
    pulses = 1 + np.searchsorted(AMPLITUDES, np.r_[voltages, np.full(never, np.inf)])
    formed = pulses <= len(AMPLITUDES)
    return forming_counts(AMPLITUDES, np.minimum(pulses, len(AMPLITUDES)), formed)


def test_the_fit_of_many_cells_is_the_truth():
    """With 100,000 cells mean, scale, 99 % voltage and the share of dead cells come out."""
    law = gumbel_r(LOCATION, SCALE)
    voltages = law.ppf((np.arange(97_000) + 0.5) / 97_000)
    found = fit_forming(ramp(voltages, never=3_000))

    assert found.mean.estimate == pytest.approx(law.mean(), abs=0.001)
    assert found.scale.estimate == pytest.approx(SCALE, rel=0.01)
    assert found.mostly.estimate == pytest.approx(law.ppf(0.99), abs=0.005)
    assert found.never.estimate == pytest.approx(0.03, abs=0.001)
    for bound in (found.mean, found.scale, found.mostly, found.never):
        assert bound.low < bound.estimate < bound.high


def test_intervals_shrink_with_the_root_of_the_number():
    """Sixteen times the cells, a quarter of the width."""
    law = gumbel_r(LOCATION, SCALE)
    few, many = (fit_forming(ramp(law.ppf((np.arange(n) + 0.5) / n))).mean for n in (200, 3_200))
    assert (few.high - few.low) / (many.high - many.low) == pytest.approx(4, rel=0.1)


def test_another_distribution_is_noticed():
    """Forming voltages of two kinds of cells are not Gumbel's; Gumbel's own are."""
    generator = np.random.default_rng(1)
    two = np.r_[generator.normal(2.3, 0.05, 500), generator.normal(2.9, 0.05, 500)]
    assert fit_forming(ramp(two)).p_value < 1e-6
    one = gumbel_r(LOCATION, SCALE).rvs(1_000, random_state=generator)
    assert fit_forming(ramp(one)).p_value > 1e-3


def test_cells_that_conducted_before_say_nothing():
    """A cell without pulses is left out."""
    counts = forming_counts(
        AMPLITUDES, np.array([0, 1, 3, 25]), np.array([True, True, True, False])
    )
    assert counts.formed.sum() == 2
    assert (counts.unformed, counts.cells) == (1, 3)


@pytest.mark.parametrize("formed", [[0, 5, 0], [0, 40, 0]])
def test_too_few_cells_or_steps_are_refused(formed):
    """The message says how many are needed."""
    counts = FormingCounts(amplitudes=AMPLITUDES[:3], formed=np.array(formed), unformed=3)
    with pytest.raises(DataError, match="30 cells and 3 pulses"):
        fit_forming(counts)
