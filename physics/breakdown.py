"""Breakdown of the tunnel barrier: stress adds up pulse by pulse, and a cell dies at one.

A pulse adds width / 1 us times (|V| / V_bd)^60: a power law of the voltage, as one of the published
acceleration laws has it (exponents 30 to 60 are reported). Exponent and reference width are ours.
They are chosen so that measuring write error rates does not wear the wafer (a 50 ns pulse at 1.0 V
uses up 3e-14 of the median cell, at 1.1 V 9e-12), while 1.6 V kills within some twenty such
pulses and 1.8 V with the first.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from crossbar.pulses import Pulse
from crossbar.units import Seconds

EXPONENT = 60.0
REFERENCE_WIDTH: Seconds = 1e-6
SHORT_CONDUCTANCE = (4.0, 10.0)
"""What a broken cell conducts, relative to the median LOW conductance; ours."""


def stress(
    pulse: Pulse,
    breakdown_voltage: NDArray[np.float64],
    acceleration: Literal["power", "exponential"] = "power",
) -> NDArray[np.float64]:
    """(n,) share of each cell's life that one pulse uses up; 1 is death.

    With the exponential law, which holds for positive pulses only, a pulse adds width / 1 us times
    exp(60 (V / V_bd - 1)): the same at the breakdown voltage and with the same slope there, but
    more far below.
    """
    relative = np.abs(pulse.amplitude) / breakdown_voltage
    if acceleration == "exponential" and pulse.amplitude > 0:
        return (pulse.width / REFERENCE_WIDTH) * np.exp(EXPONENT * (relative - 1))
    return (pulse.width / REFERENCE_WIDTH) * relative**EXPONENT


def broken_conductance(uniform: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) relative conductance of broken cells, evenly spread in the logarithm."""
    low, high = SHORT_CONDUCTANCE
    return low * (high / low) ** uniform
