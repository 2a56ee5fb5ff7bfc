"""aihwkit's analog layers set up as the die board is: the same converters, nothing else."""

import numpy as np
import torch
from aihwkit.nn import AnalogLinear, AnalogLinearMapped
from aihwkit.simulator.configs import InferenceRPUConfig
from aihwkit.simulator.parameters.enums import BoundManagementType, NoiseManagementType

from simulated_instruments.die_board_converters import PRODUCT_CODES, ROW_FULL_SCALE


def layer_of(conductance, full_scale, *, rows_at_once=0, noise=0.0):
    """A layer of the cells (rows, columns) siemens, behind the board's 12-bit converters.

    Inputs are volts over `ROW_FULL_SCALE`, outputs amperes over ``unit``, the second thing
    returned. ``full_scale`` and ``noise`` (before the converter) are amperes. So many rows at once
    are a tile with converters of its own.
    """
    largest = conductance.max()
    unit = largest * ROW_FULL_SCALE
    config = InferenceRPUConfig()
    config.mapping.weight_scaling_omega = 0.0
    config.mapping.learn_out_scaling = False
    config.mapping.max_input_size = rows_at_once
    config.drift_compensation = None
    forward = config.forward
    forward.bound_management = BoundManagementType.NONE
    forward.noise_management = NoiseManagementType.NONE
    forward.inp_bound, forward.out_bound = 1.0, full_scale / unit
    forward.inp_res = forward.out_res = 1 / (2 * PRODUCT_CODES)
    forward.inp_noise, forward.w_noise, forward.out_noise = 0.0, 0.0, noise / unit
    kind = AnalogLinearMapped if rows_at_once else AnalogLinear
    layer = kind(*conductance.shape, bias=False, rpu_config=config)
    layer.set_weights(torch.from_numpy(conductance.T / largest).float())
    return layer.eval(), unit


def amperes(layer, unit, volts):
    """(batch, columns) amperes of a `layer_of`, for (batch, rows) volts."""
    with torch.no_grad():
        return layer(torch.from_numpy(volts / ROW_FULL_SCALE).float()).numpy() * unit


def codes(current, full_scale):
    """Whole codes of converted currents; raises AssertionError where they are not whole."""
    found = np.asarray(current, dtype=np.float64) * PRODUCT_CODES / full_scale
    np.testing.assert_allclose(found, np.rint(found), atol=2e-3)  # what float32 leaves
    return np.rint(found).astype(int)
