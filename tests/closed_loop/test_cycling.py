"""Cycling of HfOx through the instruments: medians and spreads cover the population's."""

from scipy.stats import binomtest

from benchmarks.coverage_cycling import coverage


def test_intervals_cover_the_truth(tmp_path):
    """Of 6 dies of 100 cells, as many 95 % intervals hold the true value as chance allows."""
    for name, (covered, all_) in coverage(6, 3, tmp_path).items():
        assert all_ == 6
        assert binomtest(covered, all_, 0.95, alternative="less").pvalue > 0.01, name
