import numpy as np
import pytest

from crossbar.pulses import Pulse
from physics.breakdown import broken_conductance, stress

MEDIAN = np.array([1.6])


@pytest.mark.parametrize("amplitude", [0.9, -1.0, 1.1])
def test_a_billion_write_pulses_wear_little(amplitude):
    """Measuring write error rates must not wear the wafer: 1e9 pulses take less than 2 %."""
    assert 1e9 * stress(Pulse(amplitude=amplitude, width=50e-9), MEDIAN)[0] < 0.02


def test_overstress_kills_quickly():
    """50 ns pulses: a few tens of 1.6 V, one of 1.8 V."""
    assert 10 < 1 / stress(Pulse(amplitude=1.6, width=50e-9), MEDIAN)[0] < 40
    assert stress(Pulse(amplitude=-1.8, width=50e-9), MEDIAN)[0] > 1


def test_stress_is_proportional_to_width():
    """Two pulses of a width wear as much as one of twice the width."""
    one, two = (stress(Pulse(amplitude=1.3, width=w), MEDIAN)[0] for w in (1e-7, 2e-7))
    assert two == pytest.approx(2 * one)


def test_broken_cells_conduct_four_to_ten_times():
    """Over the whole range of the draw."""
    conductance = broken_conductance(np.array([0.0, 0.5, 1.0]))
    assert conductance == pytest.approx([4.0, 40**0.5, 10.0])
