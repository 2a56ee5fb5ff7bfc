"""What pulses and time do to single cells, beside aihwkit's devices, where the law is the same one.

Weak RESET before its knee multiplies a conductance by exp(-m1) with every pulse; so does a pulse
down of aihwkit's soft-bounds device whose lower bound is no conductance. Drift after the onset is
the power law of its PCM. Its devices have no knee, no telegraph and no pink noise, and weak RESET
has no pulses up: there is nothing else of these two to compare.
"""

import numpy as np
import pytest
import torch

from physics.retention import DriftPopulation
from physics.weak_reset import PulseNoise, WeakResetCells, WeakResetPopulation
from physics.weak_reset_array import WeakResetArray

pytest.importorskip("aihwkit")
from aihwkit.inference import PCMLikeNoiseModel
from aihwkit.nn import AnalogLinear
from aihwkit.simulator.configs import SingleRPUConfig, SoftBoundsDevice
from aihwkit.utils.visualization import compute_pulse_response

SINGLE_PRECISION = 2e-5
"""Relative; both keep cells in float32, and a pulse rounds."""
START = (1.0, 0.6, 0.25)
"""Conductances of the cells before the first pulse, of the largest."""


def aihwkit_conductances(step, pulses):
    """(pulses, cells): relative conductances after each pulse down."""
    exact = dict.fromkeys(
        ("dw_min_dtod", "dw_min_std", "up_down", "up_down_dtod", "w_max_dtod", "w_min_dtod"), 0.0
    )
    config = SingleRPUConfig(
        device=SoftBoundsDevice(dw_min=step, w_max=1.0, w_min=-1.0, **exact),
    )
    config.update.desired_bl = 1
    config.update.update_bl_management = config.update.update_management = False
    layer = AnalogLinear(1, len(START), bias=False, rpu_config=config)
    # A weight w is the conductance (1 + w) / 2: none at the lower bound.
    layer.set_weights(2 * torch.tensor(START)[:, None] - 1)
    weights = compute_pulse_response(next(iter(layer.analog_tiles())), -np.ones(pulses))
    return (1 + weights[..., 0]) / 2


@pytest.mark.parametrize("step", [0.002, 0.02])
def test_weak_reset_before_the_knee_is_a_soft_bounds_device(step):
    """Pulse by pulse, and all at once."""
    pulses, count = 60, len(START)
    same = torch.ones(count, dtype=torch.float64)
    cells = WeakResetCells(
        m1=-np.log1p(-step) * same, t_star=1e6 * same, c1=0 * same, m2=0 * same,
        r0=1e4 / torch.tensor(START, dtype=torch.float64), telegraph=0 * same,
    )  # fmt: skip
    silent = PulseNoise(telegraph=False, pink=False)
    population = WeakResetPopulation(cycle_to_cycle=False)
    arrays = [
        WeakResetArray((count,), population, silent, torch.Generator(), cells) for _ in range(2)
    ]
    expected = aihwkit_conductances(step, pulses)

    for each in expected:
        arrays[0].give(torch.ones(count))
        found = 1e4 / arrays[0].log_resistance.double().exp().numpy()
        np.testing.assert_allclose(found, each, rtol=SINGLE_PRECISION)
    arrays[1].give(torch.full((count,), float(pulses)))
    assert torch.allclose(arrays[1].log_resistance, arrays[0].log_resistance)


@pytest.mark.parametrize("age", [0.0, 1.0, 20.0, 3600.0, 1e7])
def test_drift_is_that_of_its_pcm(age):
    """Counted from the end of programming, with its noise off and its exponents for ours."""
    onset, spread = 20.0, 0.03
    conductance = torch.linspace(1.0, 25.0, 50)
    torch.manual_seed(1)
    model = PCMLikeNoiseModel(g_max=25.0, t_0=onset, read_noise_scale=0.0)
    exponents = model.generate_drift_coefficients(conductance)
    drift = DriftPopulation(exponent=0.05, spread=spread, onset=onset)

    left = drift.factor((exponents.double().numpy() - 0.05) / spread, np.full(50, age))

    expected = model.apply_drift_noise_to_conductance(conductance, exponents, age)
    np.testing.assert_allclose(left * conductance.numpy(), expected, rtol=SINGLE_PRECISION)
