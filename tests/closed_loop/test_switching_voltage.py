"""SET and RESET voltages of HfOx cells through the instruments: medians cover the die's."""

from scipy.stats import binomtest

from benchmarks.coverage_switching_voltage import coverage


def test_medians_cover_those_of_the_die(tmp_path):
    """Of 3 groups of 40 cells, as many 95 % intervals hold the true median as chance allows."""
    found = coverage(120, 3, tmp_path).quantities

    assert set(found) == {"set voltage", "reset voltage", "low resistance", "high resistance"}
    for name, tally in found.items():
        assert tally.intervals == 3
        fewest = binomtest(tally.held, tally.intervals, tally.stated, alternative="less").pvalue
        assert fewest > 1e-3, (name, tally)
