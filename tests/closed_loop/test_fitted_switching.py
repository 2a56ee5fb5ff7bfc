"""The best single test: known truth, real protocol and bytes, stored records, fitted intervals."""

from scipy.stats import binomtest

from benchmarks.coverage_mtj import write_error_rate


def test_intervals_cover_the_truth(tmp_path):
    """Of 200 cells in both directions, 90 to 98 % of the 95 % intervals hold the true value."""
    found = write_error_rate(220, 3, tmp_path).quantities

    assert set(found) == {"delta", "vc0", "tau_d"}
    for name, tally in found.items():
        assert tally.intervals >= 400, name
        assert 0.90 <= tally.held / tally.intervals <= 0.98, name
        assert binomtest(tally.held, tally.intervals, 0.95).pvalue > 0.01, name
