"""Dot products through the instruments: intervals cover the truth, wires cost what they should."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import binomtest

from analysis.dot_product import dot_product_quality
from benchmarks.coverage_dot_product import coverage
from physics.line_resistance import Wires, effective_matrix
from protocols.dot_product_check import DotProductCheckParameters, dot_product_check

OHMS = 2.0


@pytest.mark.parametrize("line_resistance", [0.0, OHMS])
def test_intervals_cover_the_truth(tmp_path, line_resistance):
    """Of 12 sub-arrays, as many 95 % intervals hold the true value as chance allows."""
    for name, (covered, all_) in coverage(3, 3, line_resistance, tmp_path).items():
        assert all_ == 12
        assert binomtest(covered, all_, 0.95, alternative="less").pvalue > 0.01, name


def test_wires_cost_what_line_resistance_predicts(die_of):
    """The gain falls from column to column as the effective matrix of the cells that were read
    says; measured over that prediction, every column has a gain of 1."""
    with die_of(line_resistance=OHMS, defect_scale=0.2) as (die, _):
        block = next(iter(dot_product_check(die, DotProductCheckParameters())))

    quality = dot_product_quality(block)
    row, column = np.indices(block.conductance.shape)
    path = OHMS * (column + 1 + len(block.conductance) - row)  # what a lone reading contains
    bare = block.conductance / (1 - block.conductance * path)
    wires = Wires(word_segment=OHMS, bit_segment=OHMS)
    predicted = block.row_voltages @ effective_matrix(torch.from_numpy(bare), wires).numpy()
    foreseen = dot_product_quality(replace(block, current=predicted))
    over_prediction = np.sum(block.current * predicted, axis=0) / np.sum(predicted**2, axis=0)

    assert quality.gain.estimate < 0.5  # 100 cells of 5 kOhm on lines of up to 200 Ohm
    assert quality.gain.estimate == pytest.approx(foreseen.gain.estimate, rel=0.004)
    np.testing.assert_allclose(quality.column_gain, foreseen.column_gain, rtol=0.02)
    np.testing.assert_allclose(over_prediction, 1.0, atol=0.01)
    assert foreseen.column_gain[0] > 1.1 * foreseen.column_gain[-1]
