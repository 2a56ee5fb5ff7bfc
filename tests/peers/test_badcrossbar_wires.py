"""Crossbars with wires beside badcrossbar, which solves the same circuit node by node.

It has one resistance a segment for word lines and one for bit lines, rows driven from the left, and
columns grounded at the bottom.
"""

import logging
import warnings

import numpy as np
import pytest
import torch

from physics.line_resistance import Wires, effective_matrix
from physics.nodal_analysis import solve

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # that cairo, for its pictures, is not there
    badcrossbar = pytest.importorskip("badcrossbar")

AGREEMENT = 1e-9
"""Relative, of currents; what either solution rounds away."""
WIRES = [
    Wires(word_segment=2.0, bit_segment=3.0),
    Wires(word_segment=0.5),
    Wires(bit_segment=20.0),
]


@pytest.fixture(autouse=True)
def silence():
    """It reports each step."""
    logging.disable(logging.INFO)
    yield
    logging.disable(logging.NOTSET)


def defective_crossbar(seed, shape=(24, 16)):
    """(rows, columns) siemens: cells of 5 to 20 kOhm, some of them shorts and some of them open."""
    random = np.random.default_rng(seed)
    conductance = 1 / random.uniform(5e3, 20e3, shape)
    defects = random.uniform(size=shape)
    conductance[defects < 0.05] = 1e-2
    conductance[defects > 0.95] = 0.0
    conductance[:, 3] = 0.0
    return conductance


def solved_by_badcrossbar(conductance, wires, vectors):
    """Its solution for (vectors, rows) volts."""
    with np.errstate(divide="ignore"):
        ohms = 1 / conductance
    return badcrossbar.compute(
        vectors.T, ohms, r_i_word_line=wires.word_segment, r_i_bit_line=wires.bit_segment
    )


@pytest.mark.parametrize("wires", WIRES, ids=str)
@pytest.mark.parametrize("seed", [1, 2])
def test_column_currents(wires, seed):
    """The effective matrix times the vectors, shorts, opens and a dead column among the cells."""
    conductance = defective_crossbar(seed)
    vectors = np.random.default_rng(seed).uniform(-0.3, 0.3, (5, len(conductance)))
    expected = solved_by_badcrossbar(conductance, wires, vectors).currents.output

    found = vectors @ effective_matrix(torch.from_numpy(conductance), wires).numpy()

    scale = np.abs(expected).max()
    np.testing.assert_allclose(found, expected, rtol=AGREEMENT, atol=AGREEMENT * scale)


@pytest.mark.parametrize("wires", WIRES, ids=str)
def test_every_cell(wires):
    """Currents of all cells and voltages of all crosspoints, by our own nodal analysis."""
    conductance = defective_crossbar(3)
    volts = np.random.default_rng(3).uniform(0, 0.3, len(conductance))
    expected = solved_by_badcrossbar(conductance, wires, volts[None])

    found = solve(conductance, wires, volts, np.zeros(conductance.shape[1]))

    for ours, theirs in (
        (found.cell_current, expected.currents.device),
        (found.rows, expected.voltages.word_line),
        (found.columns, expected.voltages.bit_line),
    ):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=AGREEMENT * np.abs(theirs).max())
