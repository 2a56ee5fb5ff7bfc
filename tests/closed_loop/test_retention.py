"""Cells that drift or flip as known, the real protocol and bytes, stored records, intervals."""

import numpy as np

from benchmarks.coverage_retention import hfox_coverage, mtj_coverage


def test_intervals_of_the_drift_cover_the_truth(tmp_path):
    """Of 60 HfOx cells, 85 % or more of the 95 % intervals of their exponents."""
    found = hfox_coverage(60, 3, tmp_path)
    single = [inside for name, each in found.items() if "of all" not in name for inside in each]
    assert len(single) >= 50
    assert np.mean(single) >= 0.85


def test_intervals_of_the_flip_time_cover_the_truth(tmp_path):
    """200 junctions of low stability, looked at twenty times a decade: in both states."""
    found = mtj_coverage(200, 3, tmp_path)
    assert found["MTJ: flip time"] == [True, True]
