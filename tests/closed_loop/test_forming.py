"""FORMING through the instruments: fitted intervals cover the population's forming voltages."""

from scipy.stats import binomtest

from benchmarks.coverage_forming import coverage


def test_intervals_cover_the_truth(tmp_path):
    """Of 20 dies of 400 cells, as many 95 % intervals hold the true value as chance allows."""
    for name, (covered, all_) in coverage(20, 3, tmp_path).items():
        assert all_ == 20
        assert binomtest(covered, all_, 0.95, alternative="less").pvalue > 0.01, name
