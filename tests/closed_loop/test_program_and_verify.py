"""Levels: known truth, real protocol and bytes, stored records, intervals."""

from pathlib import Path

import pytest
from scipy.stats import binomtest

from benchmarks.coverage_program_and_verify import QUANTITIES, coverage, parameters_for
from lab.chosen_bench import chosen_bench


@pytest.fixture(scope="module")
def of_mtj(tmp_path_factory):
    """Sixteen dies, two levels each; 0.4 s a die."""
    return coverage(chosen_bench(None, True, 7), tmp_path_factory.mktemp("levels"), dies=16)


@pytest.fixture(scope="module")
def of_hfox(tmp_path_factory):
    """A formed die, SET and RESET step by step to four levels."""
    chosen = chosen_bench(Path("hfox"), True, 2)
    return coverage(chosen, tmp_path_factory.mktemp("hfox"), parameters_for(chosen), dies=1)


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_intervals_cover_the_whole_die(of_mtj, quantity):
    """No fewer than the stated 95 % cover, as far as chance can tell."""
    found = of_mtj.quantities[quantity]

    assert found.intervals == 32
    assert binomtest(found.held, 32, 0.95, alternative="less").pvalue > 0.02


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_four_levels_of_hfox(of_hfox, quantity):
    """What the cells really conduct, noise averaged out, lies in the intervals; that of the spread
    is open above where some noise lasts longer than the reads (docs/closed-loop.md).
    """
    found = of_hfox.quantities[quantity]

    assert found.intervals == 4
    assert found.held >= 3
