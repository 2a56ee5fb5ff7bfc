"""The best single test: known truth, real protocol and bytes, stored records, fitted intervals."""

import importlib.util
from pathlib import Path

from scipy.stats import binomtest

ROOT = Path(__file__).parents[2]


def test_intervals_cover_the_truth(tmp_path):
    """Of 200 cells in both directions, 90 to 98 % of the 95 % intervals hold the true value."""
    path = ROOT / "benchmarks" / "closed_loop_coverage.py"
    spec = importlib.util.spec_from_file_location("closed_loop_coverage", path)
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)

    for name, (covered, fitted) in benchmark.coverage(220, 3, tmp_path).items():
        assert fitted >= 400, name
        assert 0.90 <= covered / fitted <= 0.98, name
        assert binomtest(covered, fitted, 0.95).pvalue > 0.01, name
