"""Known truth, the adaptive protocol through bytes, stored records: coverage and efficiency."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from analysis.amplitude_interval import fit_amplitudes
from lab.chosen_bench import chosen_bench
from lab.session import session
from protocols.adaptive_write_error_rate import AdaptiveWriteErrorRateParameters

PATH = Path(__file__).parents[2] / "benchmarks" / "adaptive_write_error_rate.py"
PARAMETERS = AdaptiveWriteErrorRateParameters(sample=48, relative_width=0.03)


@pytest.fixture(scope="module")
def benchmark():
    """The benchmark's functions."""
    spec = importlib.util.spec_from_file_location("adaptive_benchmark", PATH)
    module = importlib.util.module_from_spec(spec)
    sys.modules["adaptive_benchmark"] = module  # where its dataclasses look for their types
    spec.loader.exec_module(module)
    yield module
    del sys.modules["adaptive_benchmark"]


@pytest.fixture(scope="module")
def measured(benchmark, tmp_path_factory):
    """Forty-eight cells, both directions."""
    database = str(tmp_path_factory.mktemp("closed_loop") / "adaptive.sqlite")
    with session(chosen_bench(None, True, 5), database) as opened:
        return benchmark.measure(opened, "adaptive-write-error-rate", PARAMETERS)


@pytest.mark.parametrize("which", [0, 1, 2])
def test_intervals_of_amplitudes_cover_the_truth(measured, which):
    """For 1e-6, and extrapolated to 1e-9 and 1e-12."""
    quantity = PARAMETERS.quantities[which]

    fits, truth = fit_amplitudes(measured.counts, quantity), quantity.of(measured.truth)

    held = int(np.count_nonzero((fits.low <= truth) & (truth <= fits.high)))
    assert len(truth) > 80
    assert binomtest(held, len(truth), 0.95).pvalue > 0.01


def test_little_is_lost_against_the_best_design(benchmark, measured):
    """Which knows the truth; 0.7 of its information is the goal."""
    assert np.median(benchmark.efficiencies(measured, PARAMETERS)) > 0.8
