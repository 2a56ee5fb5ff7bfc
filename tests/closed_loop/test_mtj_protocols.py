"""Known truth, real protocols and bytes, stored records: the intervals hold what they should."""

import pytest
from scipy.stats import binomtest

from benchmarks import coverage_mtj


@pytest.mark.parametrize(
    ("measure", "cells", "quantities"),
    [
        (coverage_mtj.switching_phase_diagram, 12, {"V_50", "boundary V_c0", "boundary t_0"}),
        (coverage_mtj.read_disturb, 10, {"rate", "delta", "vc0"}),
        (coverage_mtj.iv_sweep, 40, {"r_p", "tmr", "v_half"}),
        (coverage_mtj.set_reset_cycling, 240, {"closed windows", "median LOW", "median HIGH"}),
        (coverage_mtj.breakdown_ramp, 160, {"median, log-normal", "spread, Weibull"}),
        (coverage_mtj.array_map, 1, {"median LOW", "die to die", "rate of shorts"}),
    ],
)
def test_intervals_hold_the_truth(tmp_path, measure, cells, quantities):
    """No quantity is missed more often than chance allows; `benchmarks.closed_loop_coverage` says
    how often over many cells."""
    found = measure(cells, 3, tmp_path).quantities

    assert quantities <= set(found)
    for name, tally in found.items():
        fewest = binomtest(tally.held, tally.intervals, tally.stated, alternative="less").pvalue
        assert fewest > 1e-4, (name, tally)
