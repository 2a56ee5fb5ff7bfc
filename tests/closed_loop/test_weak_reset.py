"""Known truth, the real protocol and bytes, stored records, fitted intervals: weak RESET."""

import numpy as np
from scipy.stats import binomtest

from benchmarks.coverage_weak_reset import measured, population_intervals, population_truth
from protocols.weak_reset import WeakResetParameters


def test_intervals_cover_the_truth(tmp_path):
    """Of 24 cells, and of them as a population; the benchmark has many more."""
    parameters = WeakResetParameters(
        sample=28, amplitudes=(0.56,), widths=(200e-9,), pulses=1_000, read_every=15
    )
    ((fits, truth),) = measured(4, parameters, tmp_path, dies=1)

    assert len(fits.trains.cells) >= 20
    for name in ("m1", "t_star", "m2"):
        low, high = getattr(fits, f"{name}_interval").T
        true = getattr(truth, name)
        covered = int(np.sum((low <= true) & (true <= high)))
        assert binomtest(covered, len(true), 0.95).pvalue > 0.001, name
    wanted = population_truth(-0.56, 200e-9, int(fits.trains.pulses[-1]))
    intervals = population_intervals(fits)
    missed = [n for n, (low, high) in intervals.items() if not low <= wanted[n] <= high]
    assert len(missed) <= 2, missed
