"""Levels: known truth, real protocol and bytes, stored records, intervals."""

from pathlib import Path

import pytest
from scipy.stats import binomtest

from benchmarks.coverage_program_and_verify import QUANTITIES, coverage, parameters_for
from lab.chosen_bench import chosen_bench


@pytest.fixture(scope="module")
def counts(tmp_path_factory):
    """Sixteen dies, two levels each; 0.4 s a die."""
    return coverage(chosen_bench(None, True, 7), tmp_path_factory.mktemp("levels"), dies=16)


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_intervals_cover_the_whole_die(counts, quantity):
    """No fewer than the stated 95 % cover, as far as chance can tell."""
    covered, count = counts[quantity]

    assert count == 32
    assert binomtest(covered, count, 0.95, alternative="less").pvalue > 0.02


def test_four_levels_of_hfox(tmp_path):
    """A formed die, SET and RESET step by step: intervals of the verified fraction cover."""
    chosen = chosen_bench(Path("hfox"), True, 2)

    counts = coverage(chosen, tmp_path, parameters_for(chosen), dies=1)

    covered, count = counts["verified fraction"]
    assert count == 4
    assert covered >= 3
