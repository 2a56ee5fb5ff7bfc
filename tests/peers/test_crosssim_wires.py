"""Crossbars with wires beside CrossSim's parasitic resistances, which it solves by iteration.

Its inputs enter at the left and its outputs leave at the bottom, as here, once its matrix (outputs,
inputs) is turned. Weights are kept in float32, so the cells here are float32 numbers.
"""

import numpy as np
import pytest
import torch

from physics.line_resistance import Wires, effective_matrix

pytest.importorskip("simulator", reason="CrossSim is not installed")
from simulator import AnalogCore, CrossSimParameters
from simulator.parameters.core_parameters import CoreStyle

AGREEMENT = 1e-9
"""Relative, of currents. It iterates until no voltage moves by 1e-12 of the largest."""


def crosssim_parameters(largest, wires):
    """Balanced columns, of which only the positive ones conduct; no converters, no errors."""
    parameters = CrossSimParameters()
    parameters.core.style = CoreStyle.BALANCED
    parameters.xbar.device.Rmin = 1 / largest
    parameters.xbar.device.infinite_on_off_ratio = True
    wired = parameters.xbar.array.parasitics
    wired.enable = True
    wired.Rp_row, wired.Rp_col = wires.word_segment, wires.bit_segment
    wired.Rp_row_terminal, wired.Rp_col_terminal = wires.source, wires.sense
    parameters.simulation.Verr_th_mvm = 1e-12
    parameters.simulation.Niters_max_parasitics = 20_000
    parameters.simulation.hide_convergence_msg = True
    return parameters


def currents_by_crosssim(conductance, wires, vectors):
    """(vectors, columns) amperes."""
    largest = conductance.max()
    weights = (conductance / largest).T
    core = AnalogCore(weights, crosssim_parameters(largest, wires))
    return np.array([core.matvec(each) for each in vectors]) * largest


def float32_crossbar(shape, short, seed=1):
    """Cells of 5 to 20 kOhm, some open, one of them a short of a power of two siemens."""
    random = np.random.default_rng(seed)
    conductance = 1 / random.uniform(5e3, 20e3, shape)
    conductance[random.uniform(size=shape) > 0.9] = 0.0
    conductance[-2, 2] = short
    vectors = random.uniform(0, 0.3, (3, shape[0]))
    return tuple(each.astype(np.float32).astype(np.float64) for each in (conductance, vectors))


@pytest.mark.parametrize("short", [2**-11, 2**-7], ids=["2 kOhm", "128 Ohm"])
@pytest.mark.parametrize(
    "wires",
    [
        Wires(word_segment=2.0, bit_segment=3.0),
        Wires(word_segment=1.0),
        Wires(bit_segment=5.0),
        Wires(word_segment=2.0, bit_segment=3.0, sense=20.0),
        pytest.param(
            Wires(word_segment=2.0, bit_segment=3.0, source=50.0),
            marks=pytest.mark.xfail(
                reason="CrossSim 3.2.0 adds Rp_row_terminal to all segments of the first row",
                strict=True,
            ),
        ),
    ],
    ids=str,
)
def test_column_currents(wires, short):
    """The effective matrix times the vectors, opens and a short among the cells."""
    conductance, vectors = float32_crossbar((16, 10), short)

    found = vectors @ effective_matrix(torch.from_numpy(conductance), wires).numpy()

    expected = currents_by_crosssim(conductance, wires, vectors)
    np.testing.assert_allclose(found, expected, rtol=AGREEMENT)


def test_whose_the_drivers_resistance_is():
    """One row: CrossSim's terminal resistance is in every segment, as if that were its own.

    A driver's resistance carries the whole row's current once; Ohm's law says so for one column.
    """
    conductance = np.array([[2**-14, 2**-13, 2**-12]])
    vectors = np.array([[0.25]])
    driven = Wires(word_segment=2.0, source=64.0)
    as_segments = effective_matrix(torch.from_numpy(conductance), Wires(word_segment=66.0))

    theirs = currents_by_crosssim(conductance, driven, vectors)

    np.testing.assert_allclose(theirs, vectors @ as_segments.numpy(), rtol=AGREEMENT)
    one = effective_matrix(torch.from_numpy(conductance[:, :1]), driven).item()
    assert one == pytest.approx(1 / (2**14 + 66.0), rel=1e-12)
